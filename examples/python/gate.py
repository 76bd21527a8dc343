#!/usr/bin/python3
"""gate.py - a gate program for one car park, written against the protocol PB1 alone.

    gate.py [COMMANDS-ENDPOINT [LOT [SPACES]]]

Its cameras and buttons are lines on standard input:
    in LANE PLATE [TIME]       a car stands at an entry
    out LANE PLATE [TIME]      a car stands at an exit: it leaves when nothing is due
    cash LANE OPERATOR [TIME]  the cashier takes what is due at this exit
What it does is a line on standard output: open, due, unknown. What a car owes it asks for
(fee.quote); payments it reads in the journal.
"""
import json
import sys
import uuid
from datetime import datetime

import zmq

endpoint, lot, free = sys.argv[1:] + ["tcp://127.0.0.1:5571", "north", "300"][len(sys.argv) - 1:]
free, next_seq, exits = int(free), 1, {}  # exits, by lane: plate, quote, because (the event that opens)
context = zmq.Context()
context.linger = 0
bus = context.socket(zmq.DEALER)


def ask(verb, *frames):
    """Ask until there is an answer. An event keeps its id, so nothing doubles."""
    rid = uuid.uuid4().hex.encode()
    while True:
        bus.send_multipart([b"PB1", verb, rid] + [json.dumps(frame).encode() for frame in frames])
        while bus.poll(3000):
            _, _, asked, *answer = bus.recv_multipart()
            if asked == rid:  # Else a late answer to an earlier question
                return [json.loads(frame) for frame in answer]


def publish(*events):
    answer = ask(b"PUBLISH", *events)[0]
    if any("error" in result for result in answer.get("results", [{"error": answer}])):
        print("gate:", answer, file=sys.stderr)


def event(kind, lane=None, visit=None, **data):
    made = {"id": str(uuid.uuid4()), "source": f"{lot}/gate", "type": kind, "time": now, "lot": lot, "data": data}
    return made | {name: value for name, value in (("lane", lane), ("subject", visit)) if value}


def drive_through(lane, visit, plate, direction, reason, because, *records):
    """The barrier opens for what was recorded, and the car is on the other side."""
    publish(*records, event("gate.opened", lane, visit, reason=reason, because=because, plate=plate),
            event("lane.cleared", lane, visit, direction=direction), event("space.changed", free=free))
    print("open", lane, plate, flush=True)


def car_in(lane, plate):
    global free
    free, visit = free - 1, "V" + uuid.uuid4().hex[:20]
    waiting = event("lane.waiting", lane, visit, direction="in", plate=plate)
    entry = event("in.recorded", lane, visit, plate=plate, user_class="temporary", spaces_free=free)
    drive_through(lane, visit, plate, "in", "entry", entry["id"], waiting, entry)


def car_out(lane, plate):
    waiting = event("lane.waiting", lane, direction="out", plate=plate)
    publish(waiting)
    exits[lane] = {"plate": plate, "because": waiting["id"]}
    look(lane)


def look(lane):
    """What does the car at this exit owe now?"""
    global free
    car = exits[lane]
    plate = car["plate"]
    quote = car["quote"] = ask(b"CALL", {"service": "fee.quote", "lot": lot}, {"mode": "lane", "lane": lane})[-1]
    if quote.get("outcome") != "found":
        print("unknown", lane, plate, flush=True)
    elif quote["due"]:
        print("due", lane, plate, quote["due"], flush=True)
    else:
        free, how = free + 1, "paid" if quote["total"] else "free"
        leaving = event("out.recorded", lane, quote["visit"], plate=plate, entered_at=quote["entered_at"], total_due=quote["total"],
                        settlement=how, spaces_free=free)
        drive_through(lane, quote["visit"], plate, "out", how, car["because"], leaving)
        del exits[lane]


def cash(lane, operator):
    quote = exits.get(lane, {}).get("quote", {})
    if due := quote.pop("due", 0):  # Once: watch() finds the payment
        publish(event("pay.captured", lane, quote["visit"], amount=due, payment=uuid.uuid4().hex, tender="cash", witness="person",
                      operator=operator, paid_at=now))


def watch():
    """New payments: does one concern a car that stands here now?"""
    global next_seq
    head, *events = ask(b"FETCH", {"from": next_seq, "filter": [f"pay.captured.{lot}"]})
    next_seq = head.get("next", next_seq)
    for payment in events[1::2]:  # seq, event, seq, event…
        for lane in [lane for lane, car in exits.items() if car["quote"].get("visit") == payment.get("subject", 0)]:
            exits[lane]["because"] = payment["id"]
            look(lane)


def main():
    global now
    bus.connect(endpoint)
    keys, poller = open(0, "rb", buffering=0), zmq.Poller()
    poller.register(0, zmq.POLLIN)
    while True:
        if poller.poll(100):
            line = keys.readline().decode()
            words = line.split()
            if not line:
                return
            if len(words) > 2 and words[0] in DEEDS:
                now = words[3] if len(words) > 3 else datetime.now().astimezone().isoformat()
                DEEDS[words[0]](*words[1:3])
        watch()


DEEDS = {"in": car_in, "out": car_out, "cash": cash}
try:
    main()
except KeyboardInterrupt:
    pass
