#!/usr/bin/python3
"""gate.py - a gate program for one car park, written against the protocol PB1 alone.

    gate.py [COMMANDS-ENDPOINT [LOT [SPACES]]]

Its cameras and buttons are lines on standard input:
    in LANE PLATE [TIME]     a car stands at an entry
    out LANE PLATE [TIME]    a car stands at an exit: it leaves when nothing is due
    cash LANE OPERATOR [TIME]  the cashier takes what is due at this exit
What it does is a line on standard output: open, due, unknown. Nothing is kept here: who is inside
and what he owes is asked for (fee.quote), payments are read from the journal.
"""
import json
import os
import sys
import uuid
from datetime import datetime, timedelta, timezone

import zmq


class Gate:
    def __init__(self, endpoint, lot, spaces):
        self.context = zmq.Context()
        self.bus = self.context.socket(zmq.DEALER)
        self.bus.linger = 0
        self.bus.connect(endpoint)
        self.lot, self.spaces, self.requests, self.next_seq = lot, spaces, 0, 1
        self.exits = {}  # lane -> what stands there: plate, visit, quote, because

    def ask(self, verb, *frames):
        """Ask and wait. Sent again until it is answered: the same event ids, so nothing doubles."""
        self.requests += 1
        rid = str(self.requests).encode()
        question = [b"PB1", verb, rid] + [json.dumps(f, ensure_ascii=False).encode() for f in frames]
        while True:
            self.bus.send_multipart(question)
            while self.bus.poll(3000):
                answer = self.bus.recv_multipart()
                if answer[2:3] != [rid]:
                    continue  # A late answer to an earlier question
                if answer[1] == b"ERROR":
                    print("gate:", verb.decode(), json.loads(answer[3])["message"], file=sys.stderr)
                return answer

    def publish(self, kind, data, visit=None, lane=None):
        event = {"id": str(uuid.uuid4()), "source": "gate", "type": kind, "time": self.now, "lot": self.lot, "data": data}
        event.update({name: value for name, value in (("subject", visit), ("lane", lane)) if value})
        answer = self.ask(b"PUBLISH", event)
        if b'"error"' in answer[3]:
            print("gate:", kind, answer[3].decode(), file=sys.stderr)
        return event["id"]

    def quote(self, **question):
        answer = self.ask(b"CALL", {"service": "fee.quote", "lot": self.lot}, question)
        return json.loads(answer[4]) if answer[1] == b"REPLY" else {}

    def car_in(self, lane, plate):
        visit = "V" + uuid.uuid4().hex[:20]
        self.publish("lane.waiting", {"direction": "in", "plate": plate}, visit, lane)
        self.spaces -= 1
        entry = self.publish("in.recorded", {"plate": plate, "vehicle_class": "small", "user_class": "temporary",
                                             "spaces_free": self.spaces}, visit, lane)
        self.publish("gate.opened", {"reason": "entry", "because": entry}, visit, lane)
        self.publish("lane.cleared", {"direction": "in"}, visit, lane)
        self.publish("space.changed", {"free": self.spaces})
        print("open", lane, plate, flush=True)

    def car_out(self, lane, plate):
        visit = self.quote(mode="plate", plate=plate).get("visit")
        waiting = self.publish("lane.waiting", {"direction": "out", "plate": plate}, visit, lane)
        self.exits[lane] = {"lane": lane, "plate": plate, "visit": visit, "because": waiting}
        self.look(self.exits[lane])

    def look(self, at):
        """What does the car at this exit owe now?"""
        at["quote"] = quote = self.quote(mode="visit", visit=at["visit"]) if at["visit"] else {}
        if quote.get("outcome") != "found":
            print("unknown", at["lane"], at["plate"], flush=True)
        elif quote["due"]:
            print("due", at["lane"], at["plate"], quote["due"], flush=True)
        else:
            self.open_exit(at)

    def open_exit(self, at):
        total, visit, lane = at["quote"]["total"], at["visit"], at["lane"]
        settlement = "paid" if total else "free"
        self.spaces += 1
        self.publish("gate.opened", {"reason": settlement, "because": at["because"], "plate": at["plate"]}, visit, lane)
        self.publish("out.recorded", {"plate": at["plate"], "entered_at": at["quote"]["entered_at"], "total_due": total,
                                      "settlement": settlement, "spaces_free": self.spaces}, visit, lane)
        self.publish("lane.cleared", {"direction": "out"}, visit, lane)
        self.publish("space.changed", {"free": self.spaces})
        del self.exits[lane]
        print("open", lane, at["plate"], flush=True)

    def cash(self, lane, operator):
        at = self.exits.get(lane)
        if at and at["quote"].get("due"):
            self.publish("pay.captured", {"amount": at["quote"]["due"], "payment": uuid.uuid4().hex, "tender": "cash", "witness": "person",
                                          "operator": operator, "paid_at": self.now}, at["visit"], lane)

    def watch(self):
        """New payments: does one concern a car that stands here now?"""
        answer = self.ask(b"FETCH", {"from": self.next_seq, "filter": [f"pay.captured.{self.lot}"]})
        if answer[1] != b"EVENTS":
            return
        self.next_seq = json.loads(answer[3])["next"]
        for event in map(json.loads, answer[5::2]):
            for at in [a for a in self.exits.values() if a["visit"] and a["visit"] == event.get("subject")]:
                at["because"] = event["id"]
                self.look(at)

    def obey(self, line):
        words = line.split()
        deed = {"in": self.car_in, "out": self.car_out, "cash": self.cash}.get(words[0]) if len(words) >= 3 else None
        self.now = words[3] if len(words) > 3 else datetime.now(timezone(timedelta(hours=8))).isoformat(timespec="milliseconds")
        if deed:
            deed(words[1], words[2])

    def run(self):
        poller, unread = zmq.Poller(), b""
        poller.register(sys.stdin.fileno(), zmq.POLLIN)
        while True:
            if poller.poll(100):
                got = os.read(sys.stdin.fileno(), 4096)
                *lines, unread = (unread + got).split(b"\n")
                for line in lines:
                    self.obey(line.decode())
                if not got:
                    return
            self.watch()


if __name__ == "__main__":
    words = sys.argv[1:] + ["tcp://127.0.0.1:5571", "north", "300"][len(sys.argv) - 1:]
    try:
        Gate(words[0], words[1], int(words[2])).run()
    except KeyboardInterrupt:
        pass
