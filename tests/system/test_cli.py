#!/usr/bin/python3
"""test_cli.py - the installed parkbus against the installed parkbusd, as a user has them."""
import json
import os
import signal
import subprocess
import threading
import time

import kit
from kit import STAGE, Site, cmb_yaml, run

ENV = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PARKBUS"))}
ENV["LC_ALL"] = "C.UTF-8"


def need(ok, *what):
    kit.need(ok, " ".join(map(str, what)))


def until(condition, seconds=20):
    """What the condition says, once it says something; None when time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        threading.Event().wait(0.02)
    return None


def parkbus(site, *words, stdin=""):
    return subprocess.run([STAGE / "bin/parkbus", "--config", site.config, *words], input=stdin, capture_output=True,
                          text=True, env=ENV, timeout=60)


class Running:
    """A parkbus that goes on: its lines as they come."""

    def __init__(self, site, *words):
        self.process = subprocess.Popen([STAGE / "bin/parkbus", "--config", site.config, *words],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV)
        self.lines, self.said = [], []
        self.threads = [threading.Thread(target=self.read, args=pair, daemon=True)
                        for pair in ((self.process.stdout, self.lines), (self.process.stderr, self.said))]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def read(stream, to):
        for line in stream:
            to.append(line.rstrip("\n"))

    def end(self, number=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(20)
        for thread in self.threads:
            thread.join(5)
        return code


def events(count, name="load"):
    return "".join(json.dumps({"source": name, "id": f"{name}-{i}", "type": "x.note", "lot": "north",
                               "data": {"n": i}}) + "\n" for i in range(count))


def test_order():
    """what pub published, fetch prints, in order and once"""
    with Site() as site:
        done = parkbus(site, "pub", "in.recorded", "--lot", "north", "--lane", "in-1", "--visit", "V1", '{"plate":"京A12345"}')
        need(done.returncode == 0 and done.stdout == "1\n", done)
        done = parkbus(site, "pub", "--file", "-", stdin=events(2500))
        need(done.returncode == 0 and done.stdout.split() == [str(i) for i in range(2, 2502)], done.stderr)
        done = parkbus(site, "fetch", "--seq")
        lines = [line.split("\t") for line in done.stdout.splitlines()]
        need([int(seq) for seq, _ in lines] == list(range(1, 2502)), done.stderr)
        first = json.loads(lines[0][1])
        need(first["subject"] == "V1" and first["data"]["plate"] == "京A12345" and first["time"].endswith("+08:00"), first)
        done = parkbus(site, "fetch", "--seq", "--last", "3", "x.>")
        need([line.split("\t")[0] for line in done.stdout.splitlines()] == ["2499", "2500", "2501"], done)


def test_refusals():
    """pub says duplicate, conflict, denied, and what is wrong with an event"""
    with Site() as site:
        args = ("pub", "x.note", "--lot", "north", "--source", "me", "--id", "one", "--time", "2026-11-21T08:00:00+08:00")
        need(parkbus(site, *args, '{"a":1}').stdout == "1\n")
        need(parkbus(site, *args, '{ "a" : 1 }').stdout == "1 duplicate\n")
        for words, code in (((*args, '{"a":2}'), "conflict: "),
                            (("pub", "fee.quoted", "--lot", "north", "{}"), "denied: "),
                            (("pub", "x.note", "--source", "parkbus", "{}"), "denied: "),
                            (("pub", "in.recorded", "--lot", "north", "--visit", "V1", "{}"), "bad_event: "),
                            (("pub", "x.note", "--lot", "south", "{}"), "bad_event: ")):
            done = parkbus(site, *words)
            need(done.returncode == 1 and done.stderr.startswith(code) and not done.stdout, words, done)


def test_sub_over_kill():
    """sub goes on without a gap or a double while events pour in and parkbusd is killed"""
    with Site() as site:
        parkbus(site, "pub", "--file", "-", stdin=events(500, "before"))
        running = Running(site, "sub", "--from", "first", "--seq", "--count", "6500", "x.note.>")
        need(until(lambda: len(running.lines) >= 500), running.said)
        pub = threading.Thread(target=lambda: parkbus(site, "pub", "--file", "-", stdin=events(3000, "first")))
        pub.start()
        pub.join()
        site.kill()
        site.start(live=False)
        done = parkbus(site, "pub", "--file", "-", stdin=events(3000, "second"))
        need(done.returncode == 0, done.stderr)
        need(until(lambda: running.process.poll() is not None, 40) and running.end() == 0, len(running.lines), running.said)
        seqs, texts = zip(*(line.split("\t") for line in running.lines))
        need([json.loads(text)["id"] for text in texts]
             == [f"{name}-{i}" for name, count in (("before", 500), ("first", 3000), ("second", 3000))
                 for i in range(count)], "not every event once and in order")
        need(sorted(map(int, seqs)) == list(map(int, seqs)), "seq does not ascend")


def test_sub_filter():
    """sub with a filter sees its topics, and --from new nothing older"""
    with Site() as site:
        parkbus(site, "pub", "x.note", "--lot", "north", "{}")
        running = Running(site, "sub", "--seq", "x.note.north", "--count", "1")
        for _ in range(100):  # Until sub is there: what comes after it came, it prints
            parkbus(site, "pub", "x.other", "--lot", "north", "{}")
            parkbus(site, "pub", "x.note", "--lot", "north", "{}")
            if running.process.poll() is not None:
                break
        need(running.end() == 0 and len(running.lines) == 1, running.lines, running.said)
        need(int(running.lines[0].split("\t")[0]) > 1, running.lines)


def test_serve_over_kill():
    """serve answers call, is found again after parkbusd was killed, and its errors come through"""
    with Site() as site:
        done = parkbus(site, "call", "entry.check", "--lot", "north", "{}")
        need(done.returncode == 1 and done.stderr.startswith("no_provider: "), done)
        running = Running(site, "serve", "entry.check", "access.change", "--exec",
                          'case $PARKBUS_SERVICE in entry.check) cat;; *) echo "not on $PARKBUS_LOT" >&2; exit 1;; esac')
        need(until(lambda: parkbus(site, "call", "entry.check", "--lot", "north", '{"n":1}').returncode == 0), running.said)
        done = parkbus(site, "call", "entry.check", "--lot", "north", '{"plate":"京A12345"}')
        need(done.stdout == '{"plate":"京A12345"}\n', done)
        done = parkbus(site, "call", "access.change", "--lot", "north", "{}")
        need(done.returncode == 1 and done.stderr == "rejected: not on north\n", done)
        site.kill()
        site.start(live=False)
        need(until(lambda: parkbus(site, "call", "entry.check", "--lot", "north", '{"n":1}').returncode == 0, 30), running.said)
        need(running.end() == 0, running.said)
        done = parkbus(site, "call", "entry.check", "--lot", "north", "{}")
        need(done.returncode == 1 and done.stderr.startswith("no_provider: "), done)


def test_too_late():
    """a command that takes too long is a time-out, by parkbusd's clock"""
    with Site() as site:
        running = Running(site, "serve", "entry.check", "--exec", "exec sleep 60")
        need(until(lambda: parkbus(site, "call", "entry.check", "--lot", "north", "--timeout", "300", "{}").stderr
                   .startswith("timeout: ")), running.said)
        need(running.end() == 0, running.said)


def test_plugin_list():
    """plugin list says how the instances are"""
    with Site({"cmb": cmb_yaml("http://127.0.0.1:1")}) as site:
        done = parkbus(site, "plugin", "list")
        rows = [line.split() for line in done.stdout.splitlines()]
        need(done.returncode == 0 and rows[1][:4] == ["cmb", "cmb", "0.1.0", "up"], done)


def test_config_check():
    """config check and parkbusd --check agree"""
    with Site({"cmb": cmb_yaml("http://127.0.0.1:1")}) as site:
        for text, code in (("", 0), ("nonsense: 1\n", 2)):
            with open(site.config, "a") as file:
                file.write(text)
            done = parkbus(site, "config", "check")
            need(done.returncode == code, done)
            checked = subprocess.run([STAGE / "bin/parkbusd", "--config", site.config, "--check"], capture_output=True, text=True, env=ENV)
            need(checked.returncode == code, checked)


def test_journal():
    """journal info and verify read a journal in use and at rest, and find damage"""
    with Site() as site:
        need(parkbus(site, "pub", "--file", "-", stdin=events(3000)).returncode == 0)
        for _ in range(2):
            done = parkbus(site, "journal", "verify")
            need(done.returncode == 0 and done.stdout.startswith("OK: ") and "3000, 1 to 3000" in done.stdout, done)
            done = parkbus(site, "journal", "info")
            need(done.returncode == 0 and "3000, 1 to 3000" in done.stdout and "+08:00" in done.stdout, done)
            if site.process.poll() is None:
                site.stop()
        segment = max((p for p in (site.dir / "data" / "journal").iterdir() if p.is_file()), key=lambda p: p.stat().st_size)
        with open(segment, "r+b") as file:
            bytes_ = bytearray(file.read(1 << 20))
            at = bytes_.index(b"load-1500")
            file.seek(at)
            file.write(b"X")
        done = parkbus(site, "journal", "verify")
        need(done.returncode == 1 and segment.name in done.stderr, done)
        started = subprocess.run([STAGE / "bin/parkbusd", "--config", site.config], capture_output=True, text=True, env=ENV, timeout=30)
        need(started.returncode == 1 and segment.name in started.stderr, "starts on a damaged journal", started)


if __name__ == "__main__":
    run([test_order, test_refusals, test_sub_over_kill, test_sub_filter, test_serve_over_kill, test_too_late,
         test_plugin_list, test_config_check, test_journal])
