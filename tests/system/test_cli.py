#!/usr/bin/python3
"""test_cli.py - the installed parkbus against the installed parkbusd, as a user has them."""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

STAGE = Path(os.environ.get("PARKBUS_STAGE", "build/stage")).resolve()
PARKBUS, PARKBUSD = str(STAGE / "bin" / "parkbus"), str(STAGE / "bin" / "parkbusd")
ENV = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PARKBUS"))}
ENV["LC_ALL"] = "C.UTF-8"
PROMISES = []


def promise(text):
    def keep(test):
        PROMISES.append((text, test))
        return test
    return keep


def need(ok, *what):
    if not ok:
        raise AssertionError(" ".join(str(w) for w in what))


def until(condition, seconds=20):
    """What the condition says, once it says something; None when time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        threading.Event().wait(0.02)
    return None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Site:
    """A parkbusd with its files in a folder of its own."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.top = Path(self.folder.name)
        (self.top / "plugins.d").mkdir()
        (self.top / "secret").write_text("0123456789abcdef\n")
        (self.top / "secret").chmod(0o600)
        self.file = str(self.top / "parkbus.yaml")
        Path(self.file).write_text(f"""\
data_dir: data
lots:
  north: {{zone: Asia/Shanghai, lanes: [in-1, out-1]}}
bus:
  events: tcp://127.0.0.1:{free_port()}
  commands: tcp://127.0.0.1:{free_port()}
http: {{listen: "127.0.0.1:{free_port()}"}}
admin: {{listen: "127.0.0.1:{free_port()}"}}
""")
        (self.top / "plugins.d" / "cmb.yaml").write_text(f"""\
module: cmb
url: http://127.0.0.1:{free_port()}
keys:
  appsecret: file:../secret
options:
  appid: ik45nfuz
lots:
  north: {{park_code: 5201020001, lanes: {{in-1: 1, out-1: 2}}}}
""")
        self.start()

    def start(self):
        with open(self.top / "log", "ab") as log:
            self.daemon = subprocess.Popen([PARKBUSD, "--config", self.file], stdout=log, stderr=log, env=ENV)
        need(self.run("fetch", "--max", "1").returncode == 0, (self.top / "log").read_text())

    def stop(self, number=signal.SIGTERM):
        self.daemon.send_signal(number)
        return self.daemon.wait(20)

    def close(self):
        if self.daemon.poll() is None:
            self.stop(signal.SIGKILL)
        self.folder.cleanup()

    def run(self, *words, stdin=""):
        return subprocess.run([PARKBUS, "--config", self.file, *words], input=stdin, capture_output=True, text=True,
                              env=ENV, timeout=60)


class Running:
    """A parkbus that goes on: its lines as they come."""

    def __init__(self, site, *words):
        self.process = subprocess.Popen([PARKBUS, "--config", site.file, *words], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=ENV)
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


@promise("what pub published, fetch prints, in order and once")
def _(site):
    done = site.run("pub", "in.recorded", "--lot", "north", "--lane", "in-1", "--visit", "V1", '{"plate":"京A12345"}')
    need(done.returncode == 0 and done.stdout == "1\n", done)
    done = site.run("pub", "--file", "-", stdin=events(2500))
    need(done.returncode == 0 and done.stdout.split() == [str(i) for i in range(2, 2502)], done.stderr)
    done = site.run("fetch", "--seq")
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    need([int(seq) for seq, _ in lines] == list(range(1, 2502)), done.stderr)
    first = json.loads(lines[0][1])
    need(first["subject"] == "V1" and first["data"]["plate"] == "京A12345" and first["time"].endswith("+08:00"), first)
    done = site.run("fetch", "--seq", "--last", "3", "x.>")
    need([line.split("\t")[0] for line in done.stdout.splitlines()] == ["2499", "2500", "2501"], done)


@promise("pub says duplicate, conflict, denied, and what is wrong with an event")
def _(site):
    args = ("pub", "x.note", "--lot", "north", "--source", "me", "--id", "one", "--time", "2026-11-21T08:00:00+08:00")
    need(site.run(*args, '{"a":1}').stdout == "1\n")
    need(site.run(*args, '{ "a" : 1 }').stdout == "1 duplicate\n")
    for words, code in (((*args, '{"a":2}'), "conflict: "),
                        (("pub", "fee.quoted", "--lot", "north", "{}"), "denied: "),
                        (("pub", "x.note", "--source", "cmb", "{}"), "denied: "),
                        (("pub", "in.recorded", "--lot", "north", "--visit", "V1", "{}"), "bad_event: "),
                        (("pub", "x.note", "--lot", "south", "{}"), "bad_event: ")):
        done = site.run(*words)
        need(done.returncode == 1 and done.stderr.startswith(code) and not done.stdout, words, done)


@promise("sub goes on without a gap or a double while events pour in and parkbusd is killed")
def _(site):
    site.run("pub", "--file", "-", stdin=events(500, "before"))
    running = Running(site, "sub", "--from", "first", "--seq", "--count", "6500")
    need(until(lambda: len(running.lines) >= 500), running.said)
    pub = threading.Thread(target=lambda: site.run("pub", "--file", "-", stdin=events(3000, "first")))
    pub.start()
    pub.join()
    site.stop(signal.SIGKILL)
    site.start()
    done = site.run("pub", "--file", "-", stdin=events(3000, "second"))
    need(done.returncode == 0, done.stderr)
    need(until(lambda: running.process.poll() is not None, 40) and running.end() == 0, len(running.lines), running.said)
    seqs = [int(line.split("\t")[0]) for line in running.lines]
    need(seqs == list(range(1, 6501)), "not every event once and in order")


@promise("sub with a filter sees its topics, and --from new nothing older")
def _(site):
    site.run("pub", "x.note", "--lot", "north", "{}")
    running = Running(site, "sub", "--seq", "x.note.north", "--count", "1")
    for _ in range(100):  # Until sub is there: what comes after it came, it prints
        site.run("pub", "x.other", "--lot", "north", "{}")
        site.run("pub", "x.note", "--lot", "north", "{}")
        if running.process.poll() is not None:
            break
    need(running.end() == 0 and len(running.lines) == 1, running.lines, running.said)
    need(int(running.lines[0].split("\t")[0]) > 1, running.lines)


@promise("serve answers call, is found again after parkbusd was killed, and its errors come through")
def _(site):
    done = site.run("call", "entry.check", "--lot", "north", "{}")
    need(done.returncode == 1 and done.stderr.startswith("no_provider: "), done)
    running = Running(site, "serve", "entry.check", "access.change", "--exec",
                      'case $PARKBUS_SERVICE in entry.check) cat;; *) echo "not on $PARKBUS_LOT" >&2; exit 1;; esac')
    need(until(lambda: site.run("call", "entry.check", "--lot", "north", '{"n":1}').returncode == 0), running.said)
    done = site.run("call", "entry.check", "--lot", "north", '{"plate":"京A12345"}')
    need(done.stdout == '{"plate":"京A12345"}\n', done)
    done = site.run("call", "access.change", "--lot", "north", "{}")
    need(done.returncode == 1 and done.stderr == "rejected: not on north\n", done)
    site.stop(signal.SIGKILL)
    site.start()
    need(until(lambda: site.run("call", "entry.check", "--lot", "north", '{"n":1}').returncode == 0, 30), running.said)
    need(running.end() == 0, running.said)
    done = site.run("call", "entry.check", "--lot", "north", "{}")
    need(done.returncode == 1 and done.stderr.startswith("no_provider: "), done)


@promise("a command that takes too long is a time-out, by parkbusd's clock")
def _(site):
    running = Running(site, "serve", "entry.check", "--exec", "exec sleep 60")
    need(until(lambda: site.run("call", "entry.check", "--lot", "north", "--timeout", "300", "{}").stderr
               .startswith("timeout: ")), running.said)
    need(running.end() == 0, running.said)


@promise("plugin list says how the instances are")
def _(site):
    done = site.run("plugin", "list")
    rows = [line.split() for line in done.stdout.splitlines()]
    need(done.returncode == 0 and rows[1][:4] == ["cmb", "cmb", "0.1.0", "up"], done)


@promise("config check and parkbusd --check agree")
def _(site):
    for text, code in (("", 0), ("nonsense: 1\n", 2)):
        with open(site.file, "a") as file:
            file.write(text)
        done = site.run("config", "check")
        need(done.returncode == code, done)
        checked = subprocess.run([PARKBUSD, "--config", site.file, "--check"], capture_output=True, text=True, env=ENV)
        need(checked.returncode == code, checked)


@promise("journal info and verify read a journal in use and at rest, and find damage")
def _(site):
    need(site.run("pub", "--file", "-", stdin=events(3000)).returncode == 0)
    for _ in range(2):
        done = site.run("journal", "verify")
        need(done.returncode == 0 and done.stdout.startswith("OK: ") and "3000, 1 to 3000" in done.stdout, done)
        done = site.run("journal", "info")
        need(done.returncode == 0 and "3000, 1 to 3000" in done.stdout and "+08:00" in done.stdout, done)
        if site.daemon.poll() is None:
            need(site.stop() == 0)
    segment = max((p for p in (site.top / "data" / "journal").iterdir() if p.is_file()), key=lambda p: p.stat().st_size)
    with open(segment, "r+b") as file:
        bytes_ = bytearray(file.read(1 << 20))
        at = bytes_.index(b"load-1500")
        file.seek(at)
        file.write(b"X")
    done = site.run("journal", "verify")
    need(done.returncode == 1 and segment.name in done.stderr, done)
    started = subprocess.run([PARKBUSD, "--config", site.file], capture_output=True, text=True, env=ENV, timeout=30)
    need(started.returncode == 1 and segment.name in started.stderr, "starts on a damaged journal", started)


def main():
    if not Path(PARKBUSD).exists():
        print("parkbusd is not installed in", STAGE)
        return 77
    broken = 0
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    for number, (text, test) in enumerate(PROMISES, 1):
        if only not in text:
            continue
        site = Site()
        try:
            test(site)
            print(f"ok {number} - {text}", flush=True)
        except (AssertionError, subprocess.TimeoutExpired, ValueError) as reason:
            broken += 1
            log = (site.top / "log").read_text()[-2000:]
            print(f"not ok {number} - {text}\n# {reason}\n# parkbusd said:\n{log}", flush=True)
        finally:
            site.close()
    print(f"1..{len(PROMISES)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
