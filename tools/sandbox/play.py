#!/usr/bin/python3
"""play.py - the sandbox: simulated platforms, parkbusd, sample programs, and a day of traffic.

What it plays, and how to read what it prints: docs/sandbox.md.
"""
import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from datetime import date, timedelta
from pathlib import Path

import zmq

from books import Comparison
from bus import Bus, Follower, Trouble
from street import Street
from words import say
from world import World

SOURCES = Path(__file__).resolve().parents[2]
DELIVERED_S = 180  # Real seconds until the platform has to have heard everything


class Ended(Exception):
    """Ctrl-C, or a polite signal."""


def arguments():
    parser = argparse.ArgumentParser(prog="run.sh", description=say("help_description"))
    parser.add_argument("--once", action="store_true", help=say("help_once"))
    parser.add_argument("--quiet", action="store_true", help=say("help_quiet"))
    parser.add_argument("--python", action="store_true", help=say("help_python"))
    parser.add_argument("--kill", type=int, default=0, metavar="N", help=say("help_kill"))
    parser.add_argument("--cars", type=int, default=100, metavar="PERCENT", help=say("help_cars"))
    parser.add_argument("--seed", default="1", help=say("help_seed"))
    parser.add_argument("--keep", action="store_true", help=say("help_keep"))
    parser.add_argument("--build", default=os.environ.get("PARKBUS_BUILD", SOURCES / "build"), help=argparse.SUPPRESS)
    parser.add_argument("--stage", default=os.environ.get("PARKBUS_STAGE"), help=argparse.SUPPRESS)
    words = parser.parse_args()
    words.build = Path(words.build).resolve()
    words.stage = Path(words.stage or words.build / "stage").resolve()
    return words


class Play:
    def __init__(self, words):
        self.words, self.world, self.follower, self.bus = words, None, None, None
        self.cars, self.published, self.bound = [], [], {}
        shelf = words.build / "sandbox"
        shelf.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="day-", dir=shelf))
        self.good = True

    def tell(self, key, line=None, clock=None, lot="", **values):
        """A line for people; those of the street carry the virtual time and the car park."""
        if self.words.quiet and key not in ("died", "late", "kept"):
            return
        text = line or say(key, **values)
        print(f"{clock:%H:%M:%S}  {lot:6} {text}" if clock else f"--------  {text}", flush=True)

    def start(self):
        self.tell("folder", folder=self.folder)
        self.world = World(self.words.stage, self.words.build, SOURCES, self.folder, self.tell, self.words.python)
        self.world.start()
        self.bus = Bus(self.world.commands, self.world.check)
        self.follower = Follower(self.world.commands, self.world.check)

    def day(self, day):
        begun = time.monotonic()
        street = Street(self.world, self.bus, self.follower, day, self.tell, self.words.seed, self.words.cars / 100)
        leftovers = [c for c in self.cars if c.kind == "overnight" and c.visit and not c.left]
        street.plan(leftovers)
        self.tell("day", day=day, cars=len(street.cars))
        street.run(self.killer(street))
        self.cars += street.cars
        self.published += street.published
        self.bound.update(street.bound)
        self.deliver()
        compared = Comparison(self.cars, self.published, self.bound, [e for _, e in self.bus.everything()], self.world.sim.books())
        print(f"\n{say('summary', day=day)}")
        for line in compared.summary():
            print(line)
        print(say("took", visits=len(street.cars), seconds=time.monotonic() - begun), flush=True)
        self.good = self.good and not compared.differences

    def killer(self, street):
        """Kills parkbusd so many times, evenly over the day's steps, in the middle of something."""
        if not self.words.kill:
            return self.world.check
        steps, every, chance = [0], max(1, len(street.cars) * 6 // (self.words.kill + 1)), random.Random(self.words.seed)

        def between():
            steps[0] += 1
            if steps[0] % every == 0 and steps[0] // every <= self.words.kill:
                threading.Timer(chance.uniform(0, 0.03), self.world.kill_daemon).start()
        return between

    def missing(self):
        """What the platform has not heard yet, in words; "" is nothing."""
        sim = self.world.sim.books()
        visits, payments = sim.get("visits", {}), sim.get("payments", {})
        entries = sum(1 for c in self.cars if c.visit and c.visit not in visits)
        exits = sum(1 for c in self.cars if c.left and "out" not in visits.get(c.visit, {}))
        open_payments = sum(1 for p in payments.values() if p["state"] != "acknowledged")
        spaces = {e["lot"]: e["data"]["free"] for e in self.follower.events if e["type"] == "space.changed"}
        told = sorted(s["total_empty"] for s in sim.get("spaces", {}).values())
        late = {"Indata": entries, "Outdata": exits, "pay": open_payments, "SpaceInfo": int(sorted(spaces.values()) != told)}
        return ", ".join(f"{count} {name}" for name, count in late.items() if count)

    def deliver(self):
        end, said = time.monotonic() + DELIVERED_S, 0
        while missing := self.missing():
            if time.monotonic() > end:
                self.tell("late", seconds=DELIVERED_S)
                return
            if time.monotonic() - said > 5:
                self.tell("waiting", what=missing)
                said = time.monotonic()
            self.world.check()
            time.sleep(0.1)

    def run(self):
        first = date.today() - timedelta(days=364)  # So that no day lies in the future
        self.start()
        if self.words.once:
            self.day(date.today() - timedelta(days=1))
            return
        for number in range(100000):
            self.day(first + timedelta(days=number))

    def end(self):
        # A second Ctrl-C must not leave programs behind.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if self.follower:
            self.follower.stop = True
        if self.world:
            self.world.end()
        if self.follower:
            self.follower.join(5)
        if self.bus:
            self.bus.close()
        if self.good and not self.words.keep:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            self.tell("kept", folder=self.folder)


def main():
    words = arguments()

    def stop(*_):
        raise Ended

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    play = Play(words)
    try:
        play.run()
    except Ended:
        print()
        play.tell("ending")
    except (Trouble, OSError, zmq.ZMQError) as trouble:
        print(f"sandbox: {trouble}", file=sys.stderr)
        play.good = False
    except BaseException:
        play.good = False
        raise
    finally:
        play.end()
    return 0 if play.good else 1


if __name__ == "__main__":
    sys.exit(main())
