#!/usr/bin/python3
"""test_kill.py - kill -9 at random moments under load: nothing that was accepted is lost.

Several publishers and a platform's pushes run while the daemon is killed and started again.
Afterwards every event answered OK is in the journal once, in the order of its publisher, with
the seq that was said; every push answered with status 0 too. The seed is printed; KILLS says
how often (200), SEED chooses another.
"""
import random
import threading

from kit import *

KILLS = int(os.environ.get("KILLS", "200"))
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
PUBLISHERS = 3


class Publisher(threading.Thread):
    """Publishes numbered events, each again with the same id until it is answered."""

    def __init__(self, site, name):
        super().__init__(daemon=True)
        self.site, self.name_, self.accepted, self.ending = site, name, {}, False
        self.wrong = None

    def run(self):
        bus, number, waiting = Bus(self.site.commands), 0, []
        while not self.ending or waiting:
            if not waiting:
                waiting = list(range(number, number + random.randint(1, 20)))
                number = waiting[-1] + 1
            events = [{"source": self.name_, "id": f"{n}", "type": "x.load", "data": {"n": n, "pad": "x" * (n % 300)}}
                      for n in waiting]
            try:
                for n, r in zip(waiting, bus.publish(*events, timeout=1)):
                    if n in self.accepted and self.accepted[n] != r["seq"]:
                        self.wrong = f"{self.name_}/{n} was {self.accepted[n]}, is {r['seq']}"
                    self.accepted[n] = r["seq"]
                waiting = []
            except AssertionError:  # no answer: the daemon was killed; the same again
                bus.close()
                bus = Bus(self.site.commands)
        bus.close()


class Pusher(threading.Thread):
    """CMB's payments, each again until it is answered with status 0."""

    def __init__(self, site):
        super().__init__(daemon=True)
        self.site, self.paid, self.ending = site, [], False

    def run(self):
        n = 0
        while not self.ending:
            n += 1
            push = dict(vpl_number="京A12311", record_id=f"V{n}", pay_time="1795226000",
                        pay_list=json.dumps([{"pay_type": 99, "amount": n, "order": f"order-{n}"}]))
            while True:
                try:
                    status, out = self.site.cmb("pay", **push)
                    if status == 200 and out["status"] == 0:
                        self.paid.append(n)
                        break
                except (OSError, http.client.HTTPException):
                    pass
                if self.ending:
                    return


def test_kill():
    """every event and every push that was accepted is there, once, in order"""
    random.seed(SEED)
    print(f"SEED={SEED} KILLS={KILLS}", flush=True)
    with Site({"cmb": cmb_yaml("http://127.0.0.1:1")}, extra="journal: {segment_mb: 16}") as site:
        publishers = [Publisher(site, f"load-{i}") for i in range(PUBLISHERS)]
        pusher = Pusher(site)
        for thread in [*publishers, pusher]:
            thread.start()
        cut = 0
        for _ in range(KILLS):
            # Dies while it works: after some answers, at no particular moment.
            goal = sum(len(p.accepted) for p in publishers) + random.randint(1, 400)
            end = time.monotonic() + 20
            while sum(len(p.accepted) for p in publishers) < goal and time.monotonic() < end:
                site.bus.fetch(**{"from": 1 << 40, "wait_ms": random.randint(0, 5)})
            site.kill()
            site.start(live=False)
        for thread in [*publishers, pusher]:
            thread.ending = True
        for thread in [*publishers, pusher]:
            thread.join(30)
            need(not thread.is_alive(), "a client hangs")
        events = site.bus.fetch_all()
        equal([seq for seq, _ in events], list(range(1, len(events) + 1)), "no hole, no double in seq")
        keys = [(e["source"], e["id"]) for _, e in events]
        equal(len(set(keys)), len(keys), "events that are there once")
        for p in publishers:
            need(not p.wrong, p.wrong)
            own = {int(e["id"]): seq for seq, e in events if e["source"] == p.name_}
            lost = [n for n, seq in p.accepted.items() if own.get(n) != seq]
            need(not lost, f"{p.name_}: accepted and lost or moved: {lost[:10]}")
            equal(sorted(own, key=own.get), sorted(own), f"the order of {p.name_}")
        captured = [e["data"]["payment"] for _, e in events if e["type"] == "pay.captured"]
        equal(len(set(captured)), len(captured), "payments that are there once")
        lost = [n for n in pusher.paid if f"order-{n}" not in captured]
        need(not lost, f"pushes answered with 0 and lost: {lost[:10]}")
        cut = len([e for _, e in events if e["type"] == "alarm.raised"])
        need(len(pusher.paid) > 10, "hardly any push got through")
        print(f"{len(events)} events, {len(captured)} payments, {cut} alarms after {KILLS} kills")


if __name__ == "__main__":
    run([test_kill])
