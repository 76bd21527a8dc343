#!/usr/bin/python3
"""test_books.py - the sandbox's comparison of three books notices whatever is wrong in one of them."""
import copy
import os
import sys
from datetime import datetime
from pathlib import Path

SOURCES = Path(os.environ.get("srcdir", ".")).resolve()
sys.dont_write_bytecode = True
sys.path.insert(0, str(SOURCES / "tools" / "sandbox"))
try:
    from books import Comparison
    from street import Car, Payment
except ImportError as missing:
    print(f"python3-zmq is missing: {missing}")
    sys.exit(77)

promises = broken = 0


def promise(kept, text, detail=""):
    global promises, broken
    promises += 1
    broken += not kept
    print(f"{'ok' if kept else 'not ok'} {promises} - {text}" + (f": {detail}" if not kept else ""))


def at(clock):
    return f"2026-11-20T{clock}:00.000+08:00"


def unix(clock):
    return int(datetime.fromisoformat(at(clock)).timestamp())


def car(kind, visit, plate, total, settlement, payments, left="11:30"):
    return Car(kind, "north", plate, visit, "in-1", "out-2", at("10:00"), at(left) if left else None, total, settlement, payments=payments,
               asked=[at(left or "10:00")])


CARS = [
    car("scan", "V1", "京A1", 1000, "paid", [Payment("501", 1000, "cmb", at("11:29"))]),
    car("cash", "V2", "京A2", 1000, "paid", [Payment("R2", 1000, "cash", at("11:29"), "0003")]),
    car("escaped", "V3", "京A3", 1000, "escaped", []),
    car("short", "V4", "京A4", 0, "free", [], "10:10"),
    car("paid_twice", "V5", "京A5", 1000, "paid", [Payment("502", 1000, "cmb", at("11:28")), Payment("R5", 1000, "cash", at("11:29"), "0003")]),
    car("overnight", "V6", "京A6", None, None, [], None),
]


def event(kind, number, visit, data, clock="10:00", source="sandbox"):
    made = {"id": f"{kind}-{number}-{visit}", "source": source, "type": kind, "time": at(clock), "lot": "north", "data": data}
    return dict(made, subject=visit) if visit else made


def world():
    """Books that agree: events, what was published of them, the bank's bindings, the platform's books."""
    events, visits, payments = [], {}, {}
    for c in CARS:
        events.append(event("in.recorded", 1, c.visit, {"plate": c.plate}))
        visits[c.visit] = {"lot": "5201020001", "plate": c.plate, "in_code": 1, "in_time": unix("10:00"), "inside": not c.left}
        for p in c.payments:
            source = "cmb" if p.tender == "cmb" else "sandbox"
            events.append(event("pay.captured", p.payment, c.visit, {"amount": p.amount, "payment": p.payment, "tender": p.tender,
                                                                    "witness": "push" if source == "cmb" else "person"}, "11:29", source))
            if p.tender == "cmb":
                payments[p.payment] = {"record_id": c.visit, "amount": p.amount, "state": "acknowledged"}
        if not c.left:
            continue
        events.append(event("out.recorded", 1, c.visit, {"plate": c.plate, "total_due": c.total, "settlement": c.settlement}, c.left[11:16]))
        items = [{"should_pay": p.amount, "actual_pay": p.amount, "pay_type": 99 if p.tender == "cmb" else 1, "seq_num": p.payment} for p in c.payments]
        if c.settlement == "escaped":
            items = [{"should_pay": c.total, "actual_pay": 0, "pay_type": 2, "seq_num": ""}]
        visits[c.visit]["out"] = {"plate": c.plate, "out_code": 2, "out_time": unix(c.left[11:16]), "charge_items": items}
    events.append(event("space.changed", 1, None, {"free": 299}))
    events.append(event("bind.added", 1, None, {"plate": "京A1", "limit": 20000}, source="cmb"))
    published = [copy.deepcopy(e) for e in events if e["source"] == "sandbox"]
    sim = {"visits": visits, "payments": payments, "spaces": {"5201020001": {"total_empty": 299}}, "violations": [], "remarks": []}
    return events, published, {"京A1": 20000}, sim


def find(events, kind, visit):
    return next(e for e in events if e["type"] == kind and e.get("subject") == visit)


def change(name, value):
    def deed(thing):
        setattr(thing, name, value)
    return deed


# What is wrong, the deed (journal's events, platform's books, bank), the unexplained fen.
ROWS = [
    ("an entry is lost in the journal", lambda e, s, b: e.remove(find(e, "in.recorded", "V6")), 0),
    ("an entry is twice in the journal", lambda e, s, b: e.append(dict(find(e, "in.recorded", "V6"), id="other")), 0),
    ("an event is twice in the journal", lambda e, s, b: e.append(e[-2]), 0),
    ("an entry has another plate", lambda e, s, b: find(e, "in.recorded", "V6")["data"].update(plate="京B9"), 0),
    ("the platform has no Indata", lambda e, s, b: s["visits"].pop("V6"), 0),
    ("the platform's Indata has another lane", lambda e, s, b: s["visits"]["V6"].update(in_code=2), 0),
    ("the platform's Indata has another time", lambda e, s, b: s["visits"]["V6"].update(in_time=1), 0),
    ("the platform knows a visit that never was", lambda e, s, b: s["visits"].update(V9=s["visits"]["V6"]), 0),
    ("an exit is lost in the journal", lambda e, s, b: e.remove(find(e, "out.recorded", "V1")), 1000),
    ("an exit is a fen too dear", lambda e, s, b: find(e, "out.recorded", "V1")["data"].update(total_due=1001), 1),
    ("the platform has no Outdata", lambda e, s, b: s["visits"]["V1"].pop("out"), 1000),
    ("the platform's Outdata has another time", lambda e, s, b: s["visits"]["V1"]["out"].update(out_time=1), 0),
    ("a payment of the platform is lost", lambda e, s, b: e.remove(find(e, "pay.captured", "V1")), 2000),
    ("a payment of the platform counts twice", lambda e, s, b: e.append(dict(find(e, "pay.captured", "V1"), id="again")), 2000),
    ("a payment of the platform is a fen short", lambda e, s, b: find(e, "pay.captured", "V1")["data"].update(amount=999), 2),
    ("a payment went to another visit", lambda e, s, b: find(e, "pay.captured", "V1").update(subject="V3"), 2000),
    ("a payment is for a visit unknown", lambda e, s, b: find(e, "pay.captured", "V1").update(subject="V9"), 2000),
    ("the platform took a payment that nobody made", lambda e, s, b: s["payments"].update({"77": {"record_id": "V3", "amount": 5, "state": "acknowledged"}}), 5),
    ("the platform was not told that it arrived", lambda e, s, b: s["payments"]["501"].update(state="open"), 0),
    ("cash is lost", lambda e, s, b: e.remove(find(e, "pay.captured", "V2")), 1000),
    ("cash is reported as the platform's", lambda e, s, b: find(e, "pay.captured", "V2")["data"].update(tender="cmb"), 0),
    ("a payment is missing in charge_items", lambda e, s, b: s["visits"]["V1"]["out"].update(charge_items=[]), 2000),
    ("a payment has another pay_type", lambda e, s, b: s["visits"]["V1"]["out"]["charge_items"][0].update(pay_type=1), 2000),
    ("an escape is reported as paid", lambda e, s, b: s["visits"]["V3"]["out"]["charge_items"][0].update(actual_pay=1000), 1000),
    ("a free exit is reported with a price", lambda e, s, b: s["visits"]["V4"]["out"].update(
        charge_items=[{"should_pay": 1, "actual_pay": 0, "pay_type": 0, "seq_num": ""}]), 1),
    ("a binding is lost", lambda e, s, b: e.remove(next(x for x in e if x["type"] == "bind.added")), 0),
    ("a binding has another limit", lambda e, s, b: b.update({"京A1": 5}), 0),
    ("a binding has gone at the bank", lambda e, s, b: b.update({"京A1": None}), 0),
    ("a binding is unknown to the bank", lambda e, s, b: b.clear(), 0),
    ("the platform has other spaces", lambda e, s, b: s["spaces"]["5201020001"].update(total_empty=300), 0),
    ("the platform complains", lambda e, s, b: s["violations"].append({"endpoint": "Indata", "record": "V1", "field": "sign", "sentence": "wrong"}), 0),
    ("the platform wonders", lambda e, s, b: s["remarks"].append({"endpoint": "Outdata", "record": "V1", "sentence": "another plate"}), 0),
]

# What the street itself says wrong.
STREET = [
    ("a price that the tariff does not have", "V1", change("entered", at("08:00"))),
    ("a visit settled with less than it cost", "V1", change("payments", [])),
]


def compare(events, published, bound, sim, cars=None):
    return Comparison(cars or CARS, published, bound, events, sim)


def main():
    good = compare(*world())
    promise(good.differences == [] and good.unexplained == 0, "books that agree have no difference", good.differences)
    text = "\n".join(good.summary())
    promise("¥40.00" in text and "¥20.00" in text, "the summary adds up the payments: all, the platform's, the desk's", text)
    for words, deed, fen in ROWS:
        events, published, bound, sim = world()
        deed(events, sim, bound)
        found = compare(events, published, bound, sim)
        promise(found.differences and found.unexplained == fen, f"noticed: {words}", f"{found.unexplained} fen, {found.differences}")
        promise(sum(line.startswith("! ") for line in found.summary()) == len(found.differences), f"and listed: {words}")
    for words, visit, deed in STREET:
        cars = copy.deepcopy(CARS)
        deed(next(c for c in cars if c.visit == visit))
        promise(compare(*world(), cars).differences, f"noticed: {words}")
    print(f"1..{promises}")
    return 1 if broken or not promises else 0


sys.exit(main())
