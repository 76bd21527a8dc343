"""street.py - a virtual day: cars that come, pay in every way, and leave.

Each car is a generator that yields the (virtual) second at which it goes on; the street runs
them in order of time. At `north` the sandbox itself is the gate program; at `south` the sample
gate program is, and the sandbox drives cars before its cameras.
"""
import heapq
import itertools
import random
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from bus import Trouble, new_id
from words import say, yuan
from world import LOTS

ZONE = timezone(timedelta(hours=8))
HOUR, MINUTE = 3600, 60
BIND_LIMIT = 20000
MONEY_S = 60  # Real seconds until money or a price has to be there

# How many of which, at north; tests take a small day.
NORTH = {"scan": 50, "prepaid": 40, "overstay": 8, "cash": 25, "mixed": 6, "short": 30, "monthly": 25, "bound": 10,
         "bind_inside": 4, "unbind_inside": 3, "plateless": 4, "misread": 5, "voided": 2, "escaped": 3, "paid_twice": 2, "overnight": 5}
SOUTH = {"south_short": 12, "south_cash": 12, "south_scan": 14}

FAULTS = [  # From, to (share of the day), the rules, their key in WORDS
    (0.30, 0.36, [{"fault": "slow", "ms": 700, "at": ["Indata", "Outdata"], "percent": 50}], "faults_slow"),
    (0.36, 0.44, [{"fault": "fail", "status": 500, "percent": 30, "at": ["Indata", "Outdata", "SpaceInfo"]},
                  {"fault": "repeat", "at": ["pay"], "times": 2, "together": True, "percent": 50}], "faults_fail"),
    (0.44, 0.52, [{"fault": "close_without_byte", "at": ["Indata", "Outdata"], "percent": 30},
                  {"fault": "lose_answer", "at": ["pay"], "percent": 40}], "faults_close"),
    (0.52, 0.58, [{"fault": "lose_answer", "at": ["Outdata", "Indata"], "every": 4, "count": 3},
                  {"fault": "html", "at": ["Outdata"], "every": 5}, {"fault": "garbage", "at": ["Indata"], "every": 5}], "faults_lost"),
]


@dataclass
class Payment:
    payment: str        # The platform's order, or our receipt
    amount: int
    tender: str         # cmb, cash
    at: str
    operator: str = ""


@dataclass
class Car:
    kind: str
    lot: str
    plate: str
    visit: str = None
    lane_in: str = None
    lane_out: str = None
    entered: str = None      # RFC 3339
    left: str = None
    total: int = None
    settlement: str = None
    read_as: str = None      # What the camera made of the plate at the entry
    payments: list = field(default_factory=list)
    voided: bool = False
    listed: bool = False     # Does out.recorded list the payments itself?
    asked: list = field(default_factory=list)    # As of when its price was asked for
    story: list = field(default_factory=list)

    def paid(self):
        return sum(p.amount for p in self.payments)


def fee(entered, until):
    """The sandbox's own opinion of the tariff: 5 yuan for each hour begun, 15 minutes free."""
    stay = int(until.timestamp()) - int(entered.timestamp())
    return 0 if stay <= 15 * MINUTE else -(-stay // HOUR) * 500


class Street:
    def __init__(self, world, bus, follower, day, tell, seed, share=1.0):
        self.world, self.bus, self.follower, self.tell = world, bus, follower, tell
        self.midnight = datetime(day.year, day.month, day.day, tzinfo=ZONE)
        self.random = random.Random(f"{seed} {day}")
        self.share, self.number = share, itertools.count(1)
        self.cars, self.now, self.queue, self.order = [], 0, [], itertools.count()
        self.busy = {}        # (lot, lane) -> the car that stands there
        self.inside = {}      # lot -> how many
        self.published = []   # Every event that the sandbox sent
        self.bound = {}       # plate -> limit, at the end

    # ----------------------------------------------------------------------- time and words
    def clock(self, second=None):
        return self.midnight + timedelta(seconds=self.now if second is None else second)

    def stamp(self, second=None):
        return self.clock(second).isoformat(timespec="milliseconds")

    def note(self, car, key, **values):
        line = say(key, plate=car.plate, **values)
        car.story.append(f"{self.clock():%H:%M:%S} {line}")
        self.tell(None, line=line, clock=self.clock(), lot=car.lot)

    # ------------------------------------------------------------------------------- events
    def event(self, kind, car, data, lane=None):
        event = {"specversion": "1.0", "id": new_id(), "source": f"sandbox/{lane or 'office'}", "type": kind, "time": self.stamp(),
                 "lot": car.lot, "data": data}
        if car.visit:
            event["subject"] = car.visit
        if lane:
            event["lane"] = lane
        return event

    def publish(self, *events):
        self.bus.publish(*events)
        self.published += events
        return events

    def space(self, car, change):
        self.inside[car.lot] = self.inside.get(car.lot, 0) + change
        total = LOTS[car.lot]["spaces"]
        contract = total // 10
        free = total - self.inside[car.lot]
        event = self.event("space.changed", car, {"free": free, "total": total, "free_contract": min(contract, free),
                                                  "free_visitor": max(0, free - contract)})
        event.pop("subject", None)
        return event

    # ---------------------------------------------------------------------------- at a lane
    def lane(self, car, direction):
        lanes = [lane for lane in LOTS[car.lot]["lanes"] if lane.startswith(direction)]
        return next((lane for lane in lanes if not self.busy.get((car.lot, lane))), None)

    def take_lane(self, car, direction):
        """Wait for a free lane. Yields the seconds of waiting."""
        while not (lane := self.lane(car, direction)):
            yield self.now + 20
        self.busy[car.lot, lane] = car
        return lane

    def enter(self, car, key="in", user_class="temporary", plate_color="blue", energy="ordinary"):
        car.lane_in = yield from self.take_lane(car, "in")
        car.visit = f"V{self.clock():%Y%m%d}_{next(self.number):04d}"
        seen = car.read_as or car.plate
        waiting = {"direction": "in", "plate_color": plate_color}
        if key != "in_plateless":
            waiting["plate"] = seen
        self.publish(self.event("lane.waiting", car, waiting, car.lane_in))
        yield self.now + 4
        car.entered = self.stamp()
        data = {"plate": seen, "vehicle_class": "small", "energy": energy, "user_class": user_class}
        if key != "in_plateless":
            data["plate_color"] = plate_color
        entry = self.event("in.recorded", car, data, car.lane_in)
        self.publish(entry, self.event("gate.opened", car, {"reason": "contract" if user_class == "monthly" else "entry", "because": entry["id"]}, car.lane_in))
        self.note(car, key, lane=car.lane_in)
        yield self.now + 6
        self.publish(self.event("lane.cleared", car, {"direction": "in"}, car.lane_in), self.space(car, 1))
        del self.busy[car.lot, car.lane_in]

    def quote(self, car):
        """What this visit owes, as the gate asks; billing may just be coming back."""
        end = time.monotonic() + MONEY_S
        while time.monotonic() < end:
            reply = self.bus.call("fee.quote", {"mode": "visit", "visit": car.visit, "lane": car.lane_out}, lot=car.lot)
            if reply.get("outcome") == "found":
                car.asked.append(reply["as_of"])
                car.story.append(f"{self.clock():%H:%M:%S} quote {reply['quote']}: total {reply['total']} paid {reply['paid']} due {reply['due']}")
                return reply
            self.note(car, "again", why=reply.get("outcome") or reply.get("error"))
            time.sleep(0.5)
        raise Trouble(f"no price for {car.plate}")

    def pay_by_phone(self, car, **where):
        """The driver looks at the price on a telephone and pays it. The amount, 0: nothing to pay."""
        end = time.monotonic() + MONEY_S
        why = ""
        while time.monotonic() < end:
            _, result = self.world.sim.push("pay", lot=LOTS[car.lot]["park_code"], time=int(self.clock().timestamp()), **where)
            if "order" in result:
                break
            answer = result.get("calc", {}).get("answer") or {}
            if answer.get("status") == 0:
                return 0
            why = answer.get("message") or result.get("error") or result.get("calc", {}).get("error", "")
            if time.monotonic() > end - MONEY_S + 2:
                self.note(car, "again", why=why)
            self.world.check()
            time.sleep(0.2)
        else:
            raise Trouble(f"{car.plate} cannot pay: {why}")
        car.asked.append(datetime.fromtimestamp(result["calc"]["answer"]["data"]["out_time"], ZONE).isoformat())
        car.payments.append(Payment(result["order"], result["amount"], "cmb", self.stamp()))
        if not self.follower.until(lambda e: e["type"] == "pay.captured" and e["data"]["payment"] == result["order"], MONEY_S):
            raise Trouble(f"payment {result['order']} of {car.plate} never reached the journal")
        return result["amount"]

    def pay_cash(self, car, amount):
        receipt = Payment(f"R{car.visit[1:]}_{len(car.payments)}", amount, "cash", self.stamp(), "0003")
        self.publish(self.event("pay.captured", car, {"amount": amount, "payment": receipt.payment, "tender": "cash", "witness": "person",
                                                      "operator": receipt.operator, "paid_at": receipt.at}, car.lane_out))
        car.payments.append(receipt)

    def arrive(self, car, plateless=False):
        """The car stands at an exit; what it owes then."""
        car.lane_out = yield from self.take_lane(car, "out")
        data = {"direction": "out"} if plateless else {"direction": "out", "plate": car.plate}
        self.publish(self.event("lane.waiting", car, data, car.lane_out))
        reply = self.quote(car)
        if reply["due"]:
            self.note(car, "at_exit", lane=car.lane_out, due=yuan(reply["due"]))
        return reply

    def leave(self, car, reply, settlement=None):
        """The barrier opens (or somebody squeezed through), and the exit is recorded."""
        if reply["due"] and settlement != "escaped":
            raise Trouble(f"{car.plate} paid and still owes {reply['due']} fen")
        car.total = reply["total"]
        car.settlement = settlement or ("paid" if car.total else "free")
        car.left = self.stamp()
        data = {"plate": car.plate, "total_due": car.total, "settlement": car.settlement}
        if car.settlement == "free":
            data["free_reason"] = "short_stay"
        car.listed = self.random.random() < 0.5  # Else parkbus adds what it knows
        if car.listed:
            data.update(entered_at=car.entered, lane_in=car.lane_in, payments=self.listed(car))
        events = []
        if car.settlement != "escaped":
            reason = {"paid": "paid", "free": "free", "contract": "contract"}[car.settlement]
            opened = {"reason": reason, "plate": car.plate}
            if reason == "paid":
                opened["because"] = self.because(car)
            events.append(self.event("gate.opened", car, opened, car.lane_out))
        self.publish(*events, self.event("out.recorded", car, data, car.lane_out))
        self.note(car, "out_" + car.settlement, lane=car.lane_out, total=yuan(car.total))
        yield self.now + 8
        self.publish(self.event("lane.cleared", car, {"direction": "out"}, car.lane_out), self.space(car, -1))
        del self.busy[car.lot, car.lane_out]

    def because(self, car):
        """The capture that settled the visit."""
        event = self.follower.until(lambda e: e["type"] == "pay.captured" and e["data"]["payment"] == car.payments[-1].payment, MONEY_S)
        if not event:
            raise Trouble(f"payment {car.payments[-1].payment} is not in the journal")
        return event["id"]

    @staticmethod
    def listed(car):
        return [dict({"tender": p.tender, "due": p.amount, "paid": p.amount, "ref": p.payment, "paid_at": p.at},
                     **({"cashier": p.operator} if p.operator else {})) for p in car.payments]

    # ------------------------------------------------------------------------ kinds of cars
    def settle(self, car, reply, pay):
        """Pay until nothing is due: an hour may begin between the price and the payment."""
        while reply["due"]:
            yield self.now + 15
            pay(car, reply["due"])
            reply = self.quote(car)
        yield self.now + 3
        return reply

    def by_scan(self, car, _, **where):
        amount = self.pay_by_phone(car, out_code=LOTS[car.lot]["lanes"][car.lane_out], **where)
        self.note(car, "paid_scan", lane=car.lane_out, amount=yuan(amount))

    def by_virtual_plate(self, car, due):
        self.by_scan(car, due, plate=car.plate)

    def by_cash(self, car, due):
        self.pay_cash(car, due)
        self.note(car, "paid_cash", lane=car.lane_out, amount=yuan(due))

    def scan_and_leave(self, car):
        reply = yield from self.arrive(car)
        reply = yield from self.settle(car, reply, self.by_scan)
        yield from self.leave(car, reply)

    def scan(self, car):
        yield from self.enter(car)
        yield self.now + self.stay()
        yield from self.scan_and_leave(car)

    def prepay(self, car):
        # Nothing else may have happened for a while: billing's clock is the newest event.
        self.publish({"specversion": "1.0", "id": new_id(), "source": "sandbox/office", "type": "x.clock", "time": self.stamp(), "data": {}})
        amount = self.pay_by_phone(car, plate=car.plate)
        self.note(car, "paid_phone", amount=yuan(amount))

    def prepaid(self, car):
        yield from self.enter(car)
        yield self.now + self.stay()
        self.prepay(car)
        yield self.now + self.random.randint(2, 13) * MINUTE
        yield from self.scan_and_leave(car)

    def overstay(self, car):
        yield from self.enter(car)
        yield self.now + self.stay(4)
        self.prepay(car)
        yield self.now + self.random.randint(70, 130) * MINUTE
        yield from self.scan_and_leave(car)

    def cash(self, car):
        yield from self.enter(car)
        yield self.now + self.stay()
        reply = yield from self.arrive(car)
        reply = yield from self.settle(car, reply, self.by_cash)
        yield from self.leave(car, reply)

    def mixed(self, car):
        yield from self.enter(car)
        yield self.now + HOUR + self.stay(3)
        reply = yield from self.arrive(car)
        yield self.now + 25
        self.by_cash(car, reply["due"] // 2)
        reply = yield from self.settle(car, self.quote(car), self.by_scan)
        yield from self.leave(car, reply)

    def short(self, car):
        yield from self.enter(car)
        yield self.now + self.random.randint(2, 13) * MINUTE
        yield from self.scan_and_leave(car)

    def monthly(self, car):
        yield from self.enter(car, "in_monthly", user_class="monthly")
        yield self.now + self.stay()
        reply = yield from self.arrive(car)
        yield from self.leave(car, reply, "contract")

    def sign_up(self, car):
        """At the bank. It tells the car park of cars that are inside; of others Indata's answer does."""
        self.world.sim.push("bind", lot=LOTS[car.lot]["park_code"], plate=car.plate, limit=BIND_LIMIT)
        self.bound[car.plate] = BIND_LIMIT

    def bound_car(self, car):
        """Bound before it came. Charging by itself is not part of this: it scans like others."""
        self.sign_up(car)
        yield from self.enter(car, "in_bound")
        yield self.now + self.stay()
        yield from self.scan_and_leave(car)

    def bind_inside(self, car):
        yield from self.enter(car)
        yield self.now + self.stay(3)
        self.sign_up(car)
        self.note(car, "bind", limit=yuan(BIND_LIMIT))
        yield self.now + 20 * MINUTE
        yield from self.scan_and_leave(car)

    def unbind_inside(self, car):
        self.sign_up(car)
        yield from self.enter(car, "in_bound")
        # A binding that Indata's answer still carries could overtake: CMB's messages have no time.
        self.follower.until(lambda e: e["type"] == "bind.added" and e["data"].get("plate") == car.plate, MONEY_S)
        yield self.now + self.stay(3)
        self.world.sim.push("unbind", lot=LOTS[car.lot]["park_code"], plate=car.plate)
        self.bound[car.plate] = None
        self.note(car, "unbind")
        yield self.now + 20 * MINUTE
        yield from self.scan_and_leave(car)

    def plateless(self, car):
        yield from self.enter(car, "in_plateless", user_class="plateless")
        yield self.now + self.stay()
        reply = yield from self.arrive(car, plateless=True)
        reply = yield from self.settle(car, reply, self.by_virtual_plate)
        yield from self.leave(car, reply)

    def misread(self, car):
        car.read_as = car.plate[:-1] + ("8" if car.plate[-1] != "8" else "3")
        yield from self.enter(car)
        yield self.now + 10 * MINUTE
        self.publish(self.event("in.corrected", car, {"what": "plate", "plate": car.plate, "operator": "0003", "reason": "misread"}))
        self.note(car, "corrected", wrong=car.read_as)
        yield self.now + self.stay()
        yield from self.scan_and_leave(car)

    def voided(self, car):
        yield from self.enter(car)
        yield self.now + 3 * MINUTE
        self.publish(self.event("in.corrected", car, {"what": "voided", "operator": "0003", "reason": "turned round"}), self.space(car, -1))
        car.voided = True
        self.note(car, "voided")

    def escaped(self, car):
        yield from self.enter(car)
        yield self.now + HOUR + self.stay()
        reply = yield from self.arrive(car)
        yield self.now + 10
        yield from self.leave(car, reply, "escaped")

    def paid_twice(self, car):
        """The cashier takes the money while the telephone already has paid it."""
        yield from self.enter(car)
        yield self.now + HOUR + self.stay(3)
        reply = yield from self.arrive(car)
        yield self.now + 10
        amount = self.pay_by_phone(car, out_code=LOTS[car.lot]["lanes"][car.lane_out])
        self.pay_cash(car, reply["due"])
        self.note(car, "paid_twice", amount=yuan(amount))
        reply = yield from self.settle(car, self.quote(car), self.by_scan)
        yield from self.leave(car, reply)

    def overnight(self, car):
        yield from self.enter(car)
        self.note(car, "stays")

    def next_morning(self, car):
        yield from self.scan_and_leave(car)

    # --------------------------------------------------------- south: the sample gate program
    def at_gate(self, car, word, lane, *more):
        return self.world.tell_gate(" ".join([word, lane, *(more or (car.plate,)), self.stamp()]))

    def south_in(self, car):
        car.lane_in = yield from self.take_lane(car, "in")
        mark = self.follower.mark()
        said = self.at_gate(car, "in", car.lane_in)
        if said[:1] != ["open"]:
            raise Trouble(f"the sample gate says {said} to a car that comes in")
        entry = self.follower.until(lambda e: e["type"] == "in.recorded" and e["lot"] == car.lot and e["data"]["plate"] == car.plate, MONEY_S, mark)
        if not entry:
            raise Trouble(f"the sample gate let {car.plate} in and told nobody")
        car.visit, car.entered = entry["subject"], entry["time"]
        self.note(car, "in", lane=car.lane_in)
        yield self.now + 10
        del self.busy[car.lot, car.lane_in]

    def south_out(self, car, pay=None):
        car.lane_out = yield from self.take_lane(car, "out")
        end, due = time.monotonic() + MONEY_S, 0
        car.asked.append(self.stamp())
        said = self.at_gate(car, "out", car.lane_out)
        while said[0] != "open" and time.monotonic() < end:
            if said[0] == "due" and pay:
                due += int(said[3])
                self.note(car, "at_exit", lane=car.lane_out, due=yuan(int(said[3])))
                yield self.now + 20
                said = pay(car, int(said[3]))
            else:  # unknown: billing is not there yet
                time.sleep(0.5)
                said = self.at_gate(car, "out", car.lane_out)
        if said[0] != "open":
            raise Trouble(f"the sample gate says {said} to {car.plate}")
        left = self.follower.until(lambda e: e["type"] == "out.recorded" and e.get("subject") == car.visit, MONEY_S)
        if not left:
            raise Trouble(f"the sample gate let {car.plate} out and told nobody")
        car.total, car.left, car.settlement = due, left["time"], "paid" if due else "free"
        self.note(car, "out_" + car.settlement, lane=car.lane_out, total=yuan(due))
        yield self.now + 10
        del self.busy[car.lot, car.lane_out]

    def south_pay_cash(self, car, due):
        mark = self.follower.mark()
        said = self.at_gate(car, "cash", car.lane_out, "0007")
        capture = self.follower.until(lambda e: e["type"] == "pay.captured" and e.get("subject") == car.visit, MONEY_S, mark)
        if not capture:
            raise Trouble(f"the sample gate took cash of {car.plate} and told nobody")
        car.payments.append(Payment(capture["data"]["payment"], due, "cash", self.stamp(), "0007"))
        self.note(car, "paid_cash", lane=car.lane_out, amount=yuan(due))
        return said

    def south_pay_scan(self, car, due):
        amount = self.pay_by_phone(car, out_code=LOTS[car.lot]["lanes"][car.lane_out])
        self.note(car, "paid_scan", lane=car.lane_out, amount=yuan(amount))
        return self.world.hear_gate()

    def south_short(self, car):
        yield from self.south_in(car)
        yield self.now + self.random.randint(2, 13) * MINUTE
        yield from self.south_out(car)

    def south_cash(self, car):
        yield from self.south_in(car)
        yield self.now + self.stay()
        yield from self.south_out(car, self.south_pay_cash)

    def south_scan(self, car):
        yield from self.south_in(car)
        yield self.now + self.stay()
        yield from self.south_out(car, self.south_pay_scan)

    # -------------------------------------------------------------------------------- a day
    def stay(self, hours=9):
        return self.random.randint(16 * MINUTE, hours * HOUR)

    def plate(self, kind):
        if kind == "plateless":
            return "".join(["W", *(self.random.choice("0123456789") for _ in range(19))])
        province = self.random.choice("京沪粤浙苏川陕鲁湘")
        letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
        tail = "".join(self.random.choice("0123456789") for _ in range(5))
        new_energy = self.random.random() < 0.2
        return f"{province}{self.random.choice(letters)}{'D' + tail if new_energy else tail}"

    def plan(self, leftovers=()):
        taken = {c.plate for c in leftovers}
        for lot, kinds in (("north", NORTH), ("south", SOUTH)):
            for kind, count in kinds.items():
                for _ in range(max(1, round(count * self.share))):
                    plate = self.plate(kind)
                    while plate in taken or plate[:-1] in {p[:-1] for p in taken}:
                        plate = self.plate(kind)
                    taken.add(plate)
                    self.cars.append(Car(kind, lot, plate))
        for car in self.cars:
            early = car.kind in ("unbind_inside",)
            come = self.random.randint(5 * HOUR, 7 * HOUR) if early else self.random.randint(5 * HOUR, 14 * HOUR)
            if car.kind == "overnight":
                come = self.random.randint(20 * HOUR, 22 * HOUR)
            self.add(come, getattr(self, {"bound": "bound_car"}.get(car.kind, car.kind))(car))
        for car in leftovers:
            self.inside[car.lot] = self.inside.get(car.lot, 0) + 1
            self.add(self.random.randint(6 * HOUR, 9 * HOUR), self.next_morning(car))

    def add(self, second, story):
        heapq.heappush(self.queue, (second, next(self.order), story))

    def weather(self):
        """The platform's misbehaviour, by the time of the day (5 to 24 h)."""
        for begin, end, rules, words in FAULTS:
            for share, these in ((begin, rules), (end, [])):
                self.add(int((5 + 19 * share) * HOUR), self.change_faults(these, words))

    def change_faults(self, rules, words):
        self.world.sim.faults(rules)
        self.tell("fault" if rules else "fault_over", what=say(words))
        return
        yield  # A story like the cars', with nothing to wait for

    def run(self, between=lambda: None):
        """Until the street is empty. `between` is called after each step."""
        self.weather()
        while self.queue:
            second, _, story = heapq.heappop(self.queue)
            self.now = max(self.now, second)
            try:
                self.add(next(story), story)
            except StopIteration:
                pass
            between()
        self.world.sim.faults([])
