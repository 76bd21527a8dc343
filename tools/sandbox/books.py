"""books.py - three books of the same days: the journal, the platform's, the street's.

They are kept by three parties that trust nobody: parkbusd (read with FETCH), parkbus-sim
(/sim/books), and the street itself. Every fen has to be in all of them.
"""
from collections import Counter, defaultdict
from datetime import datetime

from street import fee
from words import say, yuan
from world import LOTS

CODES = {lot["park_code"]: name for name, lot in LOTS.items()}


def moment(text):
    return datetime.fromisoformat(text)


class Journal:
    """What parkbusd has on disk, sorted by what it is about."""

    def __init__(self, events):
        self.events = events
        self.by_kind = defaultdict(list)
        self.captures = defaultdict(list)   # visit -> pay.captured
        self.ids = Counter()
        for event in events:
            self.by_kind[event["type"]].append(event)
            self.ids[event["source"], event["id"]] += 1
        for event in self.by_kind["pay.captured"]:
            self.captures[event.get("lot"), event.get("subject")].append(event)
        self.entries = self.one_each("in.recorded")
        self.exits = self.one_each("out.recorded")
        self.bindings = {}
        for event in events:
            if event["type"] in ("bind.added", "bind.removed"):
                self.bindings[event["data"].get("plate")] = event

    def one_each(self, kind):
        found = defaultdict(list)
        for event in self.by_kind[kind]:
            found[event["lot"], event.get("subject")].append(event)
        return found


class Comparison:
    def __init__(self, street_cars, published, bound, events, sim):
        self.cars, self.published, self.bound = street_cars, published, bound
        self.journal, self.sim = Journal(events), sim
        self.visits, self.payments = sim.get("visits", {}), sim.get("payments", {})
        self.differences = []   # (car or None, sentence, fen)
        self.compare()

    def differ(self, car, sentence, fen=0):
        self.differences.append((car, sentence, abs(fen)))

    @property
    def unexplained(self):
        return sum(fen for _, _, fen in self.differences)

    def compare(self):
        for car in self.cars:
            if car.visit:
                self.entry(car)
                self.money(car)
                if car.left:
                    self.exit(car)
        self.strangers()
        self.platform_payments()
        self.accepted_events()
        self.all_bindings()
        self.spaces()
        for violation in self.sim.get("violations", []):
            self.differ(None, say("violation", **violation))

    # ------------------------------------------------------------------------- one car
    def entry(self, car):
        entries = self.journal.entries.get((car.lot, car.visit), [])
        if len(entries) != 1:
            self.differ(car, f"{len(entries)} in.recorded in the journal, not 1")
            return
        plate = car.read_as or car.plate
        there = self.visits.get(car.visit)
        if entries[0]["data"]["plate"] != plate or entries[0]["time"] != car.entered:
            self.differ(car, f"the journal has {entries[0]['data']['plate']} at {entries[0]['time']}, the street {plate} at {car.entered}")
        if not there:
            self.differ(car, "the platform has no Indata of it")
            return
        mine = (LOTS[car.lot]["park_code"], plate, LOTS[car.lot]["lanes"][car.lane_in], int(moment(car.entered).timestamp()))
        its = tuple(there[name] for name in ("lot", "plate", "in_code", "in_time"))
        if mine != its:
            self.differ(car, f"the platform's Indata says {its}, the street {mine}")

    def money(self, car):
        """Every payment of the street is captured once, and nothing else is."""
        mine = {p.payment: p.amount for p in car.payments}
        captured = Counter()
        for event in self.journal.captures.get((car.lot, car.visit), []):
            captured[event["data"]["payment"]] += event["data"]["amount"]
            tender = "cmb" if event["source"] == "cmb" else "cash"
            if event["data"]["tender"] != tender:
                self.differ(car, f"payment {event['data']['payment']} of {event['source']} has the tender {event['data']['tender']}")
        for payment in mine.keys() | captured.keys():
            gap = captured.get(payment, 0) - mine.get(payment, 0)
            if gap:
                self.differ(car, f"payment {payment}: the journal has {captured.get(payment, 0)} fen, the street {mine.get(payment, 0)}", gap)

    def exit(self, car):
        exits = self.journal.exits.get((car.lot, car.visit), [])
        if len(exits) != 1:
            self.differ(car, f"{len(exits)} out.recorded in the journal, not 1", car.total)
            return
        total = exits[0]["data"]["total_due"]
        if total != car.total:
            self.differ(car, f"out.recorded says {total} fen, the street {car.total}", total - car.total)
        if car.settlement == "paid" and car.paid() - self.surplus(car) != car.total:
            self.differ(car, f"{car.paid()} fen were paid for {car.total}", car.paid() - car.total)
        if car.kind != "monthly":
            if car.total not in {fee(moment(car.entered), moment(t)) for t in car.asked}:
                self.differ(car, f"{car.total} fen are not what the tariff says", car.total)
        self.reported_exit(car)

    @staticmethod
    def surplus(car):
        """The sandbox's drivers who pay twice know that they did."""
        return car.paid() - car.total if car.kind == "paid_twice" else 0

    def reported_exit(self, car):
        there = self.visits.get(car.visit, {}).get("out")
        if not there:
            self.differ(car, "the platform has no Outdata of it", car.total)
            return
        mine = (car.plate, LOTS[car.lot]["lanes"][car.lane_out], int(moment(car.left).timestamp()))
        its = tuple(there[name] for name in ("plate", "out_code", "out_time"))
        if mine != its:
            self.differ(car, f"the platform's Outdata says {its}, the street {mine}")
        paid = Counter()
        for item in there["charge_items"]:
            if item["actual_pay"]:
                paid[item["seq_num"], item["pay_type"]] += item["actual_pay"]
        own = Counter({(p.payment, 99 if p.tender == "cmb" else 1): p.amount for p in car.payments})
        for payment in paid.keys() | own.keys():
            if paid[payment] != own[payment]:
                self.differ(car, f"charge_items: payment {payment[0]} (pay_type {payment[1]}) is {paid[payment]} fen, was {own[payment]}",
                            paid[payment] - own[payment])
        due = sum(item["should_pay"] for item in there["charge_items"])
        if due != car.total and car.kind != "paid_twice":
            self.differ(car, f"charge_items: should_pay adds up to {due}, not {car.total}", due - car.total)

    # ----------------------------------------------------------------------- everything
    def strangers(self):
        """Nobody is in a book whom the street does not know."""
        known = {(c.lot, c.visit) for c in self.cars}
        named = {c.visit for c in self.cars}
        for kind in ("in.recorded", "out.recorded", "pay.captured"):
            for event in self.journal.by_kind[kind]:
                if (event["lot"], event.get("subject")) not in known:
                    self.differ(None, f"the journal has a {kind} of an unknown visit {event.get('subject')}", event["data"].get("amount", 0))
        for visit in self.visits.keys() - named:
            self.differ(None, f"the platform knows of a visit {visit} that never was")
        corrected = {c.visit for c in self.cars if c.read_as}
        for remark in self.sim.get("remarks", []):
            if remark["record"] not in corrected:
                self.differ(None, f"the platform wonders: {remark['record']}: {remark['sentence']}")

    def platform_payments(self):
        """What the platform took is captured once, by it, for that visit; and it knows that."""
        captured = defaultdict(list)
        for event in self.journal.by_kind["pay.captured"]:
            if event["source"] == "cmb":
                captured[event["data"]["payment"]].append(event)
        for order, payment in self.payments.items():
            events = captured.pop(order, [])
            amounts = [(e["subject"], e["data"]["amount"]) for e in events]
            if amounts != [(payment["record_id"], payment["amount"])]:
                self.differ(None, f"order {order}: the platform took {payment['amount']} fen of {payment['record_id']}, the journal has {amounts}",
                            payment["amount"] - sum(a for _, a in amounts))
            if payment["state"] != "acknowledged":
                self.differ(None, f"order {order}: the platform has not heard that it arrived ({payment['state']})")
        for order, events in captured.items():
            self.differ(None, f"order {order} is in the journal and not at the platform", sum(e["data"]["amount"] for e in events))

    def accepted_events(self):
        """What was answered OK is there, once."""
        for event in self.published:
            times = self.journal.ids[event["source"], event["id"]]
            if times != 1:
                self.differ(None, f"{event['type']} {event['id']} of the street is {times} times in the journal")
        for (source, event_id), times in self.journal.ids.items():
            if times > 1:
                self.differ(None, f"event {event_id} of {source} is {times} times in the journal")

    def all_bindings(self):
        for plate, limit in self.bound.items():
            event = self.journal.bindings.get(plate)
            known = event and event["type"] == "bind.added" and event["data"].get("limit")
            if (known or None) != limit:
                self.differ(None, f"binding of {plate}: the bank says {limit}, the journal {known}")
        for plate in self.journal.bindings.keys() - self.bound.keys():
            self.differ(None, f"binding of {plate}: the journal has one, the bank none")

    def spaces(self):
        newest = {}
        for event in self.journal.by_kind["space.changed"]:
            newest[event["lot"]] = event["data"]["free"]
        told = {CODES[code]: spaces["total_empty"] for code, spaces in self.sim.get("spaces", {}).items()}
        if newest != told:
            self.differ(None, f"free spaces: the journal says {newest}, the platform was told {told}")

    # -------------------------------------------------------------------------- summary
    def rows(self):
        """By platform: entries, exits, quotes, payments (count, fen), bindings, refunds."""
        journal = self.journal
        for lot in LOTS:
            yield say("lot", name=lot), (
                sum(1 for k in journal.entries if k[0] == lot), sum(1 for k in journal.exits if k[0] == lot),
                sum(1 for e in journal.by_kind["fee.quoted"] if e["lot"] == lot),
                *self.sum(e for e in journal.by_kind["pay.captured"] if e["lot"] == lot),
                sum(1 for k in ("bind.added", "bind.removed") for e in journal.by_kind[k] if e["lot"] == lot),
                sum(1 for e in journal.by_kind["refund.done"] if e["lot"] == lot))
        yield say("platform", name="cmb"), (
            len(self.visits), sum(1 for v in self.visits.values() if "out" in v), self.sim.get("sent", {}).get("calc", {}).get("answered", 0),
            len(self.payments), sum(p["amount"] for p in self.payments.values()),
            sum(1 for k in ("bind.added", "bind.removed") for e in journal.by_kind[k] if e["source"] == "cmb"),
            sum(1 for e in journal.by_kind["refund.done"] if e["source"] == "cmb"))
        yield say("desk"), (
            "", "", "", *self.sum(e for e in journal.by_kind["pay.captured"] if e["data"]["witness"] == "person"), "",
            sum(1 for e in journal.by_kind["refund.done"] if e["data"].get("witness") == "person"))

    @staticmethod
    def sum(events):
        amounts = [e["data"]["amount"] for e in events]
        return len(amounts), sum(amounts)

    def summary(self):
        headings = ["entries", "exits", "quotes", "payments", "bindings", "refunds"]
        widths = (8, 8, 8, 22, 10, 9)
        yield " " * 16 + "".join(pad(say(h), w) for h, w in zip(headings, widths))
        for name, (entries, exits, quotes, count, fen, bindings, refunds) in self.rows():
            cells = (entries, exits, quotes, f"{count} = {yuan(fen)}", bindings, refunds)
            yield pad(name, 16, left=True) + "".join(pad(str(c), w) for c, w in zip(cells, widths))
        escaped = [c for c in self.cars if c.settlement == "escaped"]
        twice = [c for c in self.cars if c.left and self.surplus(c)]
        inside = [c for c in self.cars if c.visit and not c.left and not c.voided]
        yield say("escapes", count=len(escaped), fen=yuan(sum(c.total for c in escaped)))
        yield say("surplus", count=len(twice), fen=yuan(sum(self.surplus(c) for c in twice)))
        yield say("left_inside", count=len(inside))
        for car, sentence, _ in self.differences:
            yield "! " + (say("difference", plate=car.plate, visit=car.visit, what=sentence) if car else sentence)
            for line in car.story if car else ():
                yield say("story", line=line)
        if self.differences:
            yield say("result_bad", count=len(self.differences))
        else:
            yield say("no_differences")
        yield say("unexplained", fen=self.unexplained)


def pad(text, width, left=False):
    """Chinese characters are two columns wide."""
    space = " " * (width - sum(2 if ord(c) > 0x2E7F else 1 for c in text))
    return text + space if left else space + text
