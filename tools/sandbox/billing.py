#!/usr/bin/python3
"""billing.py - the sandbox's own billing program: answers fee.quote of one car park, in virtual time.

    billing.py COMMANDS-ENDPOINT LOT

5 yuan for each hour begun, the first 15 minutes free, contract cars free, 15 minutes to leave
after paying. It keeps nothing of its own: before each answer it reads the journal up to its head,
so it can be started again at any time. Its clock is the newest event of a gate, or x.clock.
"""
import json
import sys
import time
from datetime import datetime, timedelta, timezone

import zmq

FILTER = ["in.>", "lane.>", "pay.captured.*", "refund.done.*", "out.recorded.*", "x.clock.*"]
visits, lanes = {}, {}  # By (lot, visit); by (lot, lane): the lane.waiting of who stands there
next_seq, newest, fetches = 1, 0, 0


def seconds(text):
    return int(datetime.fromisoformat(text).timestamp())


# ------------------------------------------------------------- what events mean for the bill
def car_in(event, key):
    visits[key] = dict(event["data"], entered_at=event["time"], visit=event["subject"], lot=event["lot"], paid=0, paid_at=0)


def car_out(event, key):
    visits.pop(key, None)


def corrected(event, key):
    what = event["data"]["what"]  # plate, entered_at, voided
    if what == "voided":
        visits.pop(key, None)
    elif key in visits and what in event["data"]:
        visits[key][what] = event["data"][what]


def paid(event, key):
    if key in visits:
        sign = -1 if event["type"] == "refund.done" else 1
        visits[key]["paid"] += sign * event["data"]["amount"]
        visits[key]["paid_at"] = seconds(event["data"].get("paid_at", event["time"]))


def waiting(event, key):
    lanes[event["lot"], event["lane"]] = event


def cleared(event, key):
    lanes.pop((event["lot"], event["lane"]), None)


MEANINGS = {"in.recorded": car_in, "in.corrected": corrected, "out.recorded": car_out, "lane.waiting": waiting,
            "lane.cleared": cleared, "pay.captured": paid, "refund.done": paid}
CLOCK = ("in.recorded", "lane.waiting", "lane.cleared", "out.recorded", "x.clock")


def catch_up(journal):
    """Read the journal to its head. False: parkbusd does not answer."""
    global next_seq, newest, fetches
    head = next_seq
    while next_seq <= head:
        fetches += 1
        rid = str(fetches).encode()
        question = {"from": next_seq, "max": 1000, "filter": FILTER}
        journal.send_multipart([b"PB1", b"FETCH", rid, json.dumps(question).encode()])
        frames = []
        while frames[1:3] != [b"EVENTS", rid]:  # A late answer to an earlier question is passed over
            if not journal.poll(2000):
                return False
            frames = journal.recv_multipart()
        for text in frames[5::2]:  # seq, event, seq, event…
            event = json.loads(text)
            if event["type"] in MEANINGS:
                MEANINGS[event["type"]](event, (event.get("lot"), event.get("subject")))
            if event["type"] in CLOCK:
                newest = max(newest, seconds(event["time"]))
        answer = json.loads(frames[3])
        next_seq, head = answer["next"], answer["head"]
    return True


# --------------------------------------------------------------------------- the question
def fee(visit, until):
    stay = until - seconds(visit["entered_at"])
    visitor = visit.get("user_class", "temporary") in ("temporary", "plateless")
    return (stay + 3599) // 3600 * 500 if stay > 900 and visitor else 0


def price(visit, captured, now):
    done = max(visit["paid"], captured)
    # Who has paid all has 15 minutes to leave.
    leaving = done and now - visit["paid_at"] <= 900 and done >= fee(visit, visit["paid_at"])
    total = fee(visit, visit["paid_at"] if leaving else now)
    as_of = datetime.fromtimestamp(now, timezone(timedelta(hours=8))).isoformat()
    return {"outcome": "found", "visit": visit["visit"], "plate": visit["plate"], "entered_at": visit["entered_at"], "as_of": as_of,
            "stay": now - seconds(visit["entered_at"]), "total": total, "due": max(0, total - done), "paid": done, "leave_within": 900}


def quote(head, body, now):
    """Which visit is meant, and what does it owe?"""
    lot, lane, mode = head.get("lot"), body.get("lane"), body.get("mode")
    at = lanes.get((lot, lane))
    seen = at["data"].get("plate") if at else None
    plate = seen if lane and seen else body.get("plate")  # Who stands there is who is meant
    visit_id = body.get("visit") or (at.get("subject") if at and mode == "lane" else None)
    visit = visits.get((lot, visit_id))
    if not visit and plate:
        visit = next((v for v in visits.values() if v["plate"] == plate and v["lot"] == lot), None)
    if visit:
        reply = price(visit, body.get("captured", 0), now)
    else:
        reply = {"outcome": "no_session" if plate else "no_plate" if at else "no_car", "plate": plate or ""}
    if lane:
        reply["car"] = "none" if not at else "plated" if seen else "plateless"
    return reply


def main():
    endpoint, lot = sys.argv[1:]
    context = zmq.Context()
    context.linger = 0
    bus, journal = context.socket(zmq.DEALER), context.socket(zmq.DEALER)
    bus.connect(endpoint)
    journal.connect(endpoint)
    boot, ping_at = None, 0
    while True:
        if time.monotonic() >= ping_at:  # Who is silent for 30 s is dropped
            bus.send_multipart([b"PB1", b"PING", b"p"])
            ping_at = time.monotonic() + 10
        if not bus.poll(500):
            continue
        _, verb, rid, *frames = bus.recv_multipart()
        if verb == b"PONG":
            pong = json.loads(frames[0])
            if pong["boot"] != boot or "fee.quote" not in pong["services"]:
                serve = {"services": ["fee.quote"], "lots": [lot], "lanes": ["*"]}
                bus.send_multipart([b"PB1", b"SERVE", b"s", json.dumps(serve).encode()])
                boot = pong["boot"]
        elif verb == b"REQUEST" and catch_up(journal):
            reply = quote(json.loads(frames[0]), json.loads(frames[1]), newest)
            bus.send_multipart([b"PB1", b"REPLY", rid, b"{}", json.dumps(reply, ensure_ascii=False).encode()])


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
