#!/usr/bin/python3
"""test_examples.py - the example programs, C and Python in every pairing, run a car park together."""
import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

SOURCES = Path(os.environ.get("srcdir", ".")).resolve()
BUILD = Path(os.environ.get("builddir", "build")).resolve()
sys.dont_write_bytecode = True
sys.path.insert(0, str(SOURCES / "tests" / "tools"))
try:
    from fake_broker import Broker
except ImportError:
    print("python3-zmq is missing")
    sys.exit(77)

promises = broken = 0


def promise(kept, text, detail=""):
    global promises, broken
    promises += 1
    broken += not kept
    print(f"{'ok' if kept else 'not ok'} {promises} - {text}" + (f": {detail}" if not kept else ""), flush=True)
    return kept


class Site(Broker):
    """Passes calls on to who serves them, and takes what a cashier reports."""

    def __init__(self):
        self.calls = {}
        super().__init__()

    def on_call(self, peer, rid, frames):
        head = json.loads(frames[0])
        xid = f"x{len(self.calls)}"
        self.calls[xid] = (peer, rid)
        self.request(xid, head["service"], frames[1], lot=head.get("lot"))

    def on_reply(self, peer, xid, frames):
        peer, rid = self.calls[xid.decode()]
        self.to(peer, "REPLY", rid, *frames)

    def on_publish(self, peer, rid, events):
        results = []
        for text in events:
            event = json.loads(text)
            known = self.ids.get(event["id"])
            seq = known or self.append(f"{event['type']}.{event['lot']}", text)
            results.append({"id": event["id"], "seq": seq, "duplicate": bool(known)})
        self.to(peer, "OK", rid, json.dumps({"results": results}))

    def told(self):
        return [json.loads(text) for _, _, _, text in self.journal]

    def of(self, kind):
        return [e for e in self.told() if e["type"] == kind]


class Program:
    def __init__(self, *words):
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.strip())

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self, seconds=20):
        try:
            return self.lines.get(timeout=seconds)
        except queue.Empty:
            return None

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


LANGUAGES = {
    "C": lambda name: [str(BUILD / "examples" / name)],
    "Python": lambda name: [sys.executable, str(SOURCES / "examples" / "python" / f"{name}.py")],
}


def at(clock):
    return f"2026-11-21T{clock}:00.000+08:00"


def by_phone(site, gate):
    """A platform reports a payment of the car that waits at out-1; told again, it opens no second time."""
    visit = next(e["subject"] for e in site.of("in.recorded") if e["data"]["plate"] == site.of("lane.waiting")[-1]["data"]["plate"])
    event = {"id": "p1", "source": "cmb", "type": "pay.captured", "subject": visit, "lot": "north", "time": at("12:00"),
             "data": {"amount": 1000, "payment": "12345", "tender": "cmb", "witness": "push", "paid_at": at("11:31")}}
    site.append("pay.captured.north", json.dumps(event).encode())
    return gate.hear()


def play(site, gate, pair):
    def line(text):
        gate.say(text)
        return gate.hear()
    promise(line(f"in in-1 京A12345 {at('10:00')}") == "open in-1 京A12345", f"{pair}: a car comes in")
    kinds = [e["type"] for e in site.told()]
    promise(kinds == ["lane.waiting", "in.recorded", "gate.opened", "lane.cleared", "space.changed"], f"{pair}: and is told of in order", kinds)
    promise(line(f"in in-1 沪B8 {at('10:05')}") == "open in-1 沪B8", f"{pair}: another")
    promise(line(f"out out-1 沪B8 {at('10:15')}") == "open out-1 沪B8", f"{pair}: ten minutes are free")
    out = site.of("out.recorded")[-1]["data"]
    promise(out["total_due"] == 0 and out["settlement"] == "free" and out["spaces_free"] == 299, f"{pair}: and recorded as free", out)
    promise(line(f"out out-1 京A12345 {at('11:30')}") == "due out-1 京A12345 1000", f"{pair}: an hour and a half is 10 yuan")
    promise(len(site.of("out.recorded")) == 1, f"{pair}: who has not paid stays")
    promise(by_phone(site, gate) == "open out-1 京A12345", f"{pair}: a payment from a platform opens")
    out, opened = site.of("out.recorded")[-1], site.of("gate.opened")[-1]
    promise(out["data"]["total_due"] == 1000 and out["data"]["settlement"] == "paid" and out["data"]["entered_at"] == at("10:00"),
            f"{pair}: and is recorded", out)
    promise(opened["data"]["reason"] == "paid" and opened["data"]["because"] == "p1", f"{pair}: because of that payment", opened)
    promise(line(f"in in-1 粤B12345D {at('12:00')}") == "open in-1 粤B12345D", f"{pair}: a car of the new kind")
    promise(line(f"out out-1 粤B12345D {at('14:30')}") == "due out-1 粤B12345D 1500", f"{pair}: owes three hours begun")
    promise(line(f"cash out-1 0003 {at('14:31')}") == "open out-1 粤B12345D", f"{pair}: and pays the cashier")
    cash = site.of("pay.captured")[-1]["data"]
    promise(cash["amount"] == 1500 and cash["witness"] == "person" and cash["operator"] == "0003", f"{pair}: who signs for it", cash)
    promise(line(f"out out-1 无A00000 {at('15:00')}") == "unknown out-1 无A00000", f"{pair}: a stranger does not get out")


def ask_lane(site, number, mode, **body):
    xid = f"q{number}"
    site.calls[xid] = (b"nobody", b"r")
    answers = []
    site.to = lambda peer, verb, rid, *frames: answers.append(frames) if peer == b"nobody" else Broker.to(site, peer, verb, rid, *frames)
    site.request(xid, "fee.quote", {"mode": mode, **body}, lot="north")
    Broker.wait(lambda: answers)
    return json.loads(answers[0][1]) if answers else {}


def put(site, kind, lane, clock, visit=None, **data):
    event = {"id": f"l{len(site.journal)}", "source": "t", "type": kind, "lot": "north", "lane": lane, "time": at(clock), "data": data}
    site.append(f"{kind}.north", json.dumps(dict(event, subject=visit) if visit else event).encode())


def answers(site, name, rows):
    for number, (text, mode, body, wanted) in enumerate(rows):
        reply = ask_lane(site, f"{name}{number}{len(site.journal)}", mode, **body)
        promise({k: reply.get(k) for k in wanted} == wanted, f"{name} billing: {text}", reply)


def prices(site, name):
    """Who stands at an exit is who is meant, and his clock has stopped; money is never asked for twice."""
    put(site, "in.recorded", "in-1", "18:00", "VY", plate="京C3")
    put(site, "in.recorded", "in-1", "18:00", "VZ", plate="京Z3")
    put(site, "lane.waiting", "out-2", "19:00", direction="out", plate="京C3")
    put(site, "lane.waiting", "out-4", "19:00", direction="out")
    answers(site, name, [
        ("who stands there", "lane", dict(lane="out-2"), dict(outcome="found", visit="VY", plate="京C3", due=500, total=500, paid=0)),
        ("the same car, by its plate", "plate", dict(plate="京C3"), dict(outcome="found", visit="VY", due=500)),
        ("not who is asked for", "lane", dict(lane="out-2", plate="京Z3"), dict(outcome="found", visit="VY")),
        ("nothing recognised", "lane", dict(lane="out-4"), dict(outcome="no_plate")),
        ("nobody there", "lane", dict(lane="out-3"), dict(outcome="no_car")),
        ("parkbus holds money not booked", "visit", dict(visit="VY", captured=200), dict(outcome="found", paid=200, due=300)),
        ("an unknown plate", "plate", dict(plate="京Z9"), dict(outcome="no_session")),
    ])
    put(site, "pay.captured", "out-2", "19:01", "VY", amount=500, payment="1", tender="cash", witness="person", operator="1")
    answers(site, name, [("who has paid", "lane", dict(lane="out-2"), dict(due=0, paid=500, total=500))])
    put(site, "refund.done", "out-2", "19:02", "VY", amount=100, refund="1")
    answers(site, name, [("and got some of it back", "lane", dict(lane="out-2"), dict(due=100, paid=400))])
    put(site, "pay.captured", "in-1", "18:50", "VZ", amount=500, payment="2", tender="cash", witness="person", operator="1")
    put(site, "lane.waiting", "out-2", "19:04", direction="out", plate="京Z3")
    answers(site, name, [("paid early, and leaves in time", "lane", dict(lane="out-2"), dict(visit="VZ", due=0, total=500))])
    put(site, "lane.waiting", "out-2", "19:06", direction="out", plate="京Z3")
    answers(site, name, [("paid early, and is late", "lane", dict(lane="out-2"), dict(visit="VZ", due=500, total=1000))])


def lanes(site, name):
    """The sandbox's billing, with all that the page leaves out."""
    put(site, "in.recorded", "in-1", "18:00", "VX", plate="无123456789012345")
    put(site, "in.recorded", "in-1", "18:00", "VY", plate="京C3")
    put(site, "in.recorded", "in-1", "17:00", "VM", plate="京M3", user_class="monthly")
    put(site, "in.recorded", "in-1", "17:00", "VW", plate="京W8")
    put(site, "in.corrected", "in-1", "17:05", "VW", what="plate", plate="京W3")
    put(site, "lane.waiting", "out-2", "19:00", direction="out")
    answers(site, name, [
        ("nothing recognised", "lane", dict(lane="out-2"), dict(outcome="no_plate", car="plateless")),
        ("nobody there", "lane", dict(lane="out-3"), dict(outcome="no_car", car="none")),
        ("a plateless car", "plateless", dict(lane="out-2", plate="无123456789012345"), dict(outcome="found", visit="VX", car="plateless", due=500)),
        ("its driver, gone ahead", "plateless", dict(lane="out-3", plate="无123456789012345"), dict(outcome="found", visit="VX", car="none")),
        ("parkbus holds money not booked", "visit", dict(visit="VY", captured=200), dict(outcome="found", paid=200, due=300)),
        ("a monthly car", "plate", dict(plate="京M3"), dict(outcome="found", due=0)),
        ("a plate read wrong", "plate", dict(plate="京W3"), dict(outcome="found", visit="VW", due=1000)),
        ("an unknown plate", "plate", dict(plate="京Z9"), dict(outcome="no_session", plate="京Z9")),
    ])
    put(site, "lane.waiting", "out-2", "19:00", "VY", direction="out", plate="京C3")
    answers(site, name, [("a plated car at the lane is who is meant", "plateless", dict(lane="out-2", plate="无123456789012345"),
                          dict(visit="VY", car="plated"))])


def forgotten(site, billing_name):
    """A new boot, and billing serves again."""
    site.providers, site.boot = {}, "boot-2"
    promise(Broker.wait(lambda: site.providers.get("fee.quote"), 25), f"{billing_name} billing: registers again after a new boot")


def main():
    first = True
    for gate_name, billing_name in (("C", "C"), ("Python", "Python"), ("C", "Python"), ("Python", "C")):
        site = Site()
        display = Program(str(BUILD / "examples" / "display"), site.events)
        billing = Program(*LANGUAGES[billing_name]("billing"), site.commands, "north")
        Broker.wait(lambda: site.providers.get("fee.quote"))
        Broker.wait(lambda: len(site.subscribed) == 5)
        gate = Program(*LANGUAGES[gate_name]("gate"), site.commands, "north", "300")
        try:
            play(site, gate, f"{gate_name} gate, {billing_name} billing")
            if gate_name == billing_name:
                prices(site, billing_name)
            if first:
                promise(display.hear() == "[north in-1] 京A12345 please drive", "the display says please drive")
                promise(display.hear() == "[north]  free spaces 299", "and how many spaces are free")
                forgotten(site, billing_name)
            first = False
        finally:
            for program in (gate, billing, display):
                program.end()
            site.close()
    site = Site()
    billing = Program(sys.executable, str(SOURCES / "tools" / "sandbox" / "billing.py"), site.commands, "north")
    try:
        Broker.wait(lambda: site.providers.get("fee.quote"))
        lanes(site, "sandbox")
    finally:
        billing.end()
        site.close()
    print(f"1..{promises}")
    return 1 if broken or not promises else 0


sys.exit(main())
