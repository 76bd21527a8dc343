#!/usr/bin/python3
"""billing.py - a billing program: answers fee.quote, written against the protocol PB1 alone.

    billing.py [COMMANDS-ENDPOINT [LOT]]

5 yuan for each hour begun, 15 minutes free; who has paid all has 15 minutes to leave. The clock stops
when a car stands at an exit. Nothing is kept: before each answer the journal is read to its head.
(Corrections, monthly and plateless cars are left out to stay short; tools/sandbox/billing.py has them.)
"""
import json
import sys
import time
from datetime import datetime, timezone

import zmq

endpoint, lot = sys.argv[1:] + ["tcp://127.0.0.1:5571", "north"][len(sys.argv) - 1:]
visits, lanes, asked, next_seq = {}, {}, {}, 1  # in.recorded and what was paid; lane.waiting; open questions
context = zmq.Context()
context.linger = 0
bus = context.socket(zmq.DEALER)


def send(verb, rid, *frames):
    bus.send_multipart([b"PB1", verb, rid] + [json.dumps(frame).encode() for frame in frames])


MEANINGS = {  # What begins (or is taken) and ends (or is given back) with an event
    "in.recorded": (visits, "subject", 1), "out.recorded": (visits, "subject", -1),
    "lane.waiting": (lanes, "lane", 1), "lane.cleared": (lanes, "lane", -1),
    "pay.captured": (None, "subject", 1), "refund.done": (None, "subject", -1)}


def learn(event):
    known, key, sign = MEANINGS.get(event["type"], ({}, "id", -1))
    visit = visits.get(event.get("subject"))
    if known is None and visit:
        visit["paid"] = visit.get("paid", 0) + sign * event["data"]["amount"]
        visit["paid_at"] = event["time"]
    elif known is not None and sign > 0:
        known[event[key]] = event
    elif known is not None:
        known.pop(event.get(key), None)


def seconds(text):
    return int(datetime.fromisoformat(text).timestamp())


def fee(visit, until):
    stay = until - seconds(visit["time"])
    return 0 if stay <= 900 else (stay + 3599) // 3600 * 500


def quote(body):
    """fee.quote: which visit is meant, and what does it owe?"""
    def find(events, plate):
        return next((event for event in events.values() if event["data"].get("plate") == plate), None)
    at = lanes.get(body.get("lane"))  # Who stands there is meant
    plate = (at["data"] if at else body).get("plate")
    visit = visits.get(body.get("visit")) or find(visits, plate)
    if not visit:
        return {"outcome": "no_session" if plate else "no_plate" if at else "no_car", "plate": plate or ""}
    at = at or find(lanes, visit["data"]["plate"])
    now = seconds(at["time"]) if at and at["data"]["direction"] == "out" else int(time.time())
    paid, paid_at = max(visit.get("paid", 0), body.get("captured", 0)), min(seconds(visit.get("paid_at", visit["time"])), now)
    total = fee(visit, paid_at if now - paid_at <= 900 and paid >= fee(visit, paid_at) else now)
    return {"outcome": "found", "visit": visit["subject"], "plate": visit["data"]["plate"], "entered_at": visit["time"],
            "as_of": datetime.fromtimestamp(now, timezone.utc).isoformat(), "total": total, "paid": paid,
            "due": max(0, total - paid), "leave_within": 900}


def on_pong(rid, pong):
    if (pong["boot"], pong["services"]) != (on_pong.boot, ["fee.quote"]):  # It began again, or dropped us
        send(b"SERVE", b"s", {"services": ["fee.quote"], "lots": [lot]})
        on_pong.boot = pong["boot"]


def read_on(xid):
    send(b"FETCH", xid, {"from": next_seq, "filter": [f"*.*.{lot}"]})


def on_request(xid, head, body):
    asked[xid] = body  # Until the journal is read to its head
    read_on(xid)


def on_events(xid, head, *events):
    global next_seq
    for seq, event in zip(events[::2], events[1::2]):
        if seq >= next_seq:  # Else another question has read it
            learn(event)
            next_seq = seq + 1
    next_seq = max(next_seq, head["next"])
    if next_seq <= head["head"]:
        read_on(xid)
    elif xid in asked:
        send(b"REPLY", xid, {}, quote(asked.pop(xid)))


def main():
    on_pong.boot, ping_at = None, 0
    deeds = {b"PONG": on_pong, b"REQUEST": on_request, b"EVENTS": on_events}
    bus.connect(endpoint)
    while True:
        if time.monotonic() >= ping_at:  # Who is silent for 30 s is dropped
            send(b"PING", b"p")
            ping_at = time.monotonic() + 10
        if bus.poll(500):
            _, verb, rid, *frames = bus.recv_multipart()
            if verb in deeds:
                deeds[verb](rid, *map(json.loads, frames))


try:
    main()
except KeyboardInterrupt:
    pass
