#!/usr/bin/python3
"""test_parkbus.py - the command line `parkbus`, held to its promises by a fake broker."""
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

try:
    import zmq  # noqa: F401
except ImportError:
    print("python3-zmq is not there")
    sys.exit(77)

from fake_broker import Broker

PARKBUS = str(Path(os.environ.get("builddir", ".")).resolve() / "parkbus")
ENV = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PARKBUS"))}
ENV["LC_ALL"] = "C.UTF-8"
PROMISES = []


def promise(text):
    """Names a test: what it promises."""
    def keep(test):
        PROMISES.append((text, test))
        return test
    return keep


def parkbus(broker, *words, stdin="", events=True, cwd=None, timeout=30):
    args = [PARKBUS, *words]
    if broker:
        args += ["--url", broker.commands] + (["--events", broker.events] if events else [])
    return subprocess.run(args, input=stdin, capture_output=True, text=True, env=ENV, cwd=cwd,
                          timeout=timeout)


class Running:
    """A parkbus that goes on: its lines as they come."""

    def __init__(self, broker, *words, events=True):
        args = [PARKBUS, *words, "--url", broker.commands]
        args += ["--events", broker.events] if events else []
        self.process = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV)
        self.lines, self.said = [], []
        self.threads = [threading.Thread(target=self.read, args=pair, daemon=True)
                        for pair in ((self.process.stdout, self.lines), (self.process.stderr, self.said))]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def read(stream, to):
        for line in stream:
            to.append(line.rstrip("\n"))

    def seqs(self):
        return [int(line.split("\t")[0]) for line in self.lines]

    def end(self, number=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(15)
        for thread in self.threads:
            thread.join(5)
        return code


def need(ok, *what):
    if not ok:
        raise AssertionError(" ".join(str(w) for w in what))


# ---------------------------------------------------------------------- usage

@promise("wrong usage ends with 2 and a sentence that helps")
def _(broker):
    for words, sentence in (
        ((), "no command is given"),
        (("pubb",), "did you mean pub?"),
        (("journal", "verfy"), "did you mean journal verify?"),
        (("plugin",), "There is: list, show"),
        (("frobnicate",), "unknown command frobnicate"),
        (("pub",), "type is missing"),
        (("pub", "x.a", "{"), "the JSON is no good"),
        (("pub", "x.a", "[1]"), "the JSON is no good"),
        (("pub", "x.a", "{}", "{}"), "{} is a word too many"),
        (("pub", "--file", "/nowhere/at/all"), "/nowhere/at/all: cannot be read"),
        (("pub", "x.a", "--file", "-"), "leave TYPE and JSON out"),
        (("sub", "--form", "3"), "did you mean --from?"),
        (("sub", "--from", "soon"), "a position, first, or new"),
        (("sub", "a..b"), "is no filter"),
        (("sub", "--count", "0"), "a whole number from 1"),
        (("sub", "--name"), "--name wants a value"),
        (("sub", "--name", ""), "1 to 64 bytes"),
        (("sub", "--name", "x" * 65), "1 to 64 bytes"),
        (("sub", "--name", "a\tb"), "control characters"),
        (("sub", "--name", "x", "a..b"), "is no filter"),
        (("sub", "--name", "x", "--from", "soon"), "a position, first, or new"),
        (("sub", "--name", "x", "--url", "nonsense"), "is no endpoint"),
        (("sub", "--forget"), "--forget wants --name"),
        (("sub", "--forget", "--name", "x", "pay.>"), "nothing is subscribed to"),
        (("sub", "--forget", "--name", "x", "--count", "1"), "nothing is subscribed to"),
        (("journal", "verfy", "--help"), "did you mean journal verify?"),
        (("fetch", "--max"), "--max wants a value"),
        (("call", "x", "{}", "--timeout", "99"), "from 100 to 60000"),
        (("serve", "x"), "--exec COMMAND is missing"),
        (("fetch", "-x"), "two dashes"),
        (("fetch", "--config", "/nowhere.yaml"), "/nowhere.yaml"),
        (("fetch", "--url", "nonsense"), "is no endpoint"),
        (("config", "check"), "there is no configuration"),
    ):
        done = parkbus(None, *words)
        need(done.returncode == 2 and sentence in done.stderr and not done.stdout, words, done)


@promise("--help and --version go to stdout and end with 0")
def _(broker):
    for words, text in ((("--help",), "journal verify"), (("--version",), "parkbus "),
                        (("pub", "--help"), "--visit"), (("--help", "pub"), "--visit"), (("sub", "-h"), "--count"),
                        (("plugin", "--help"), "parkbus plugin show"), (("--help", "journal"), "parkbus journal info"),
                        (("config", "-h"), "parkbus config check"), (("sub", "--help"), "--forget")):
        done = parkbus(None, *words)
        need(done.returncode == 0 and text in done.stdout and not done.stderr, words, done)


@promise("where nobody answers, the sentence says where and asks whether it runs")
def _(broker):
    done = subprocess.run([PARKBUS, "call", "x", "{}", "--timeout", "100", "--url", "tcp://127.0.0.1:1"],
                          capture_output=True, text=True, env=ENV)
    need(done.returncode == 1, done)
    need("no answer from parkbusd at tcp://127.0.0.1:1 within" in done.stderr, done)
    need("is it running?" in done.stderr, done)


# ---------------------------------------------------------------------- pub

@promise("pub builds the event from its parts and prints its seq")
def _(broker):
    done = parkbus(broker, "pub", "in.recorded", "--lot", "north", "--visit", "V1", "--lane=in-1", "--time",
                   "2026-11-21T08:00:00+08:00", '{"plate":"京A12345"}')
    need(done.returncode == 0 and done.stdout == "1\n", done)
    event = json.loads(broker.journal[0][3])
    need(event["type"] == "in.recorded" and event["lot"] == "north" and event["lane"] == "in-1", event)
    need(event["subject"] == "V1" and event["data"] == {"plate": "京A12345"}, event)
    need(event["source"].startswith("cli/") and len(event["id"]) == 36, event)
    need(event["time"] == "2026-11-21T08:00:00+08:00", event)


@promise("pub reads its JSON from standard input for -, and options may stand anywhere")
def _(broker):
    done = parkbus(broker, "pub", "--source", "gate/1", "--id", "one", "x.note", "-", stdin='{"a":\n 1}\n')
    need(done.returncode == 0, done)
    event = json.loads(broker.journal[0][3])
    need(event["source"] == "gate/1" and event["id"] == "one" and event["data"] == {"a": 1}, event)
    need("lot" not in event and "time" not in event and "subject" not in event, event)


@promise("pub of an event that is there says duplicate, with the first seq")
def _(broker):
    broker.put("x.note")
    done = parkbus(broker, "pub", "x.note", "--id", "e1", "{}")
    need(done.returncode == 0 and done.stdout == "1 duplicate\n", done)


@promise("pub of a refused event ends with 1 and says code: message")
def _(broker):
    done = parkbus(broker, "pub", "pay.captured", "--lot", "north", "{}")
    need(done.returncode == 1 and not done.stdout, done)
    need(done.stderr == "denied: only parkbus says that (type)\n", done)


@promise("pub --file sends batches of at most 1000 and a result for each line")
def _(broker):
    lines = [json.dumps({"id": f"f{i}", "source": "t", "type": "x.note", "data": {"n": i}}) for i in range(2500)]
    lines.insert(3, "")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "events.jsonl").write_text("\r\n".join(lines) + "\n")
        done = parkbus(broker, "pub", "--file", "events.jsonl", cwd=folder)
    need(done.returncode == 0, done.stderr)
    need(done.stdout.split() == [str(i + 1) for i in range(2500)], done.stdout[:100])
    need([len(frames) for frames in broker.asked("PUBLISH")] == [1000, 1000, 500])


@promise("pub --file keeps a PUBLISH below 8 MiB")
def _(broker):
    text = "x" * 60000
    lines = [json.dumps({"id": f"f{i}", "source": "t", "type": "x.note", "data": {"n": text}}) for i in range(200)]
    done = parkbus(broker, "pub", "--file", "-", stdin="\n".join(lines))
    need(done.returncode == 0 and len(done.stdout.split()) == 200, done.stderr)
    for frames in broker.asked("PUBLISH"):
        need(sum(len(f) for f in frames) < 8 << 20)


@promise("pub --file names the line that was refused, and goes on")
def _(broker):
    kinds = ["x.a", "pay.captured", "x.b"]
    lines = [json.dumps({"id": k, "source": "t", "type": k, "data": {}}) for k in kinds]
    done = parkbus(broker, "pub", "--file", "-", stdin="\n".join(lines) + "\n")
    need(done.returncode == 1 and done.stdout == "1\n2\n", done)
    need(done.stderr == "standard input:2: denied: only parkbus says that (type)\n", done)


# ---------------------------------------------------------------------- fetch

@promise("fetch reads all pages, and no more than what was there when it came")
def _(broker):
    broker.page = 3
    for i in range(10):
        broker.put("x.note" if i % 2 else "x.other", n=i)
    done = parkbus(broker, "fetch")
    need([json.loads(line)["data"]["n"] for line in done.stdout.splitlines()] == list(range(10)), done)
    need(done.returncode == 0 and not done.stderr, done)


@promise("fetch obeys --from, --max, --last, --seq and filters")
def _(broker):
    broker.page = 3
    for i in range(10):
        broker.put("x.note" if i % 2 else "x.other", lot="north" if i < 8 else "north-2")
    for words, seqs in ((("--from", "8"), [8, 9, 10]), (("--max", "4"), [1, 2, 3, 4]), (("--last", "2"), [9, 10]),
                        (("x.note.*",), [2, 4, 6, 8, 10]), (("x.note.north",), [2, 4, 6, 8]), (("--from", "11"), []),
                        (("*.other.>", "x.*.north-2"), [1, 3, 5, 7, 9, 10]), (("--from", "0", "--max", "1"), [1])):
        done = parkbus(broker, "fetch", "--seq", *words)
        need([int(line.split("\t")[0]) for line in done.stdout.splitlines()] == seqs, words, done)


@promise("fetch of an empty journal prints nothing and ends with 0")
def _(broker):
    done = parkbus(broker, "fetch")
    need(done.returncode == 0 and not done.stdout and not done.stderr, done)


# ---------------------------------------------------------------------- sub

def listening(broker, running):
    """The sub has subscribed and asked where it begins."""
    need(Broker.wait(lambda: broker.subscribed and (broker.asked("PING") or broker.asked("FETCH"))), running.said)


@promise("sub prints what comes after it came, and --count ends it with 0")
def _(broker):
    broker.put("x.old")
    running = Running(broker, "sub", "--count", "2", "--seq")
    listening(broker, running)
    broker.put("x.new")
    broker.put("x.new")
    need(running.process.wait(15) == 0 and running.end() == 0 and running.seqs() == [2, 3], running.lines, running.said)


@promise("sub --from first prints what is there, then what comes, each once")
def _(broker):
    broker.page = 7
    for _ in range(50):
        broker.put("x.note")
    running = Running(broker, "sub", "--from", "first", "--count", "200", "--seq")
    for _ in range(150):
        broker.put("x.note")
        broker.beat()
    need(running.process.wait(20) == 0 and running.end() == 0)
    need(running.seqs() == list(range(1, 201)), running.seqs())


@promise("sub fills in what was lost before the next event of its topic")
def _(broker):
    running = Running(broker, "sub", "--from", "first", "--count", "6", "--seq")
    listening(broker, running)
    broker.put("x.note")
    need(Broker.wait(lambda: running.seqs() == [1]), running.said)
    for _ in range(4):
        broker.put("x.note", live=False)
    broker.put("x.note")
    need(running.process.wait(15) == 0 and running.end() == 0 and running.seqs() == [1, 2, 3, 4, 5, 6], running.seqs())


@promise("sub fills in what was lost last when bus.head says so")
def _(broker):
    running = Running(broker, "sub", "--seq", "x.note.north")
    listening(broker, running)
    broker.put("x.note")
    need(Broker.wait(lambda: running.seqs() == [1]), running.said)
    broker.put("x.other", live=False)
    broker.put("x.note", live=False)
    broker.beat()
    need(Broker.wait(lambda: running.seqs() == [1, 3]), running.seqs(), running.said)
    need(running.end() == 0)


@promise("sub fills in what was lost together with a bus.head")
def _(broker):
    running = Running(broker, "sub", "--seq")
    listening(broker, running)
    broker.put("x.a")
    need(Broker.wait(lambda: running.seqs() == [1]), running.said)
    broker.put("x.b", live=False)
    broker.beat(live=False)
    broker.put("x.c")
    broker.beat()
    need(Broker.wait(lambda: sorted(running.seqs()) == [1, 2, 3]), running.seqs(), running.said)
    broker.put("x.b")
    need(Broker.wait(lambda: sorted(running.seqs()) == [1, 2, 3, 4]), running.seqs(), running.said)
    need(running.end() == 0)


@promise("sub compares the whole topic, not its beginning")
def _(broker):
    running = Running(broker, "sub", "--seq", "--count", "1", "pay.captured.north")
    listening(broker, running)
    broker.put("pay.captured", lot="north-2")
    broker.put("pay.captured", lot="north")
    need(running.process.wait(15) == 0 and running.end() == 0 and running.seqs() == [2], running.seqs())


@promise("sub works with the command endpoint alone")
def _(broker):
    broker.put("x.old")
    running = Running(broker, "sub", "--seq", "--count", "3", "--from", "1", events=False)
    need(Broker.wait(lambda: running.seqs() == [1]), running.said)
    broker.put("x.new")
    broker.put("x.new")
    need(running.process.wait(15) == 0 and running.end() == 0 and running.seqs() == [1, 2, 3], running.seqs())


@promise("Ctrl-C and SIGTERM end sub with 0")
def _(broker):
    for number in (signal.SIGINT, signal.SIGTERM):
        broker.requests.clear()
        running = Running(broker, "sub")
        listening(broker, running)
        need(running.end(number) == 0, running.said)


# ---------------------------------------------------------------------- sub --name

def notes(broker, n):
    for _ in range(n):
        broker.put("x.note")


@promise("sub --name acknowledges what it printed; --count N acknowledges exactly N and leaves")
def _(broker):
    notes(broker, 120)
    for first, n in ((1, 3), (4, 70), (74, 47)):
        done = parkbus(broker, "sub", "--name", "billing", "--seq", "--count", str(n))
        need(done.returncode == 0 and not done.stderr, done)
        need([int(line.split("\t")[0]) for line in done.stdout.splitlines()] == list(range(first, first + n)), done)
        need(broker.names["billing"].cursor == first + n - 1 and broker.names["billing"].peer is None, n)


@promise("sub --name sends filters and --from; without --from it begins at the first")
def _(broker):
    for words, head in (((), {"name": "b", "filter": [">"], "from": 1}),
                        (("--from", "new", "pay.>", "in.*.north"),
                         {"name": "b", "filter": ["pay.>", "in.*.north"], "from": "new"}),
                        (("--from", "7"), {"name": "b", "filter": [">"], "from": 7})):
        broker.requests.clear()
        running = Running(broker, "sub", "--name", "b", *words)
        need(Broker.wait(lambda: broker.asked("PING")), running.said)
        need(json.loads(broker.asked("SUBSCRIBE")[0][0]) == head, broker.asked("SUBSCRIBE"))
        need(running.end() == 0 and Broker.wait(lambda: broker.asked("UNSUBSCRIBE")), "Ctrl-C gives the name back")


@promise("sub --name of a broker that started anew subscribes again, and prints nothing twice")
def _(broker):
    notes(broker, 5)
    running = Running(broker, "sub", "--name", "billing", "--seq")
    need(Broker.wait(lambda: running.seqs() == [1, 2, 3, 4, 5] and broker.asked("PING")), running.said)
    with broker.lock:
        broker.boot = "boot-2"
        billing = broker.names["billing"]
        billing.peer, billing.cursor = None, 3  # The last acknowledgements were lost with it
    notes(broker, 2)
    need(Broker.wait(lambda: billing.cursor == 7, 20), running.said)
    need(running.seqs() == list(range(1, 8)) and running.end() == 0, running.seqs())


@promise("sub --name whose name was forgotten goes on behind what it printed")
def _(broker):
    notes(broker, 5)
    running = Running(broker, "sub", "--name", "billing", "--seq")
    need(Broker.wait(lambda: len(running.seqs()) == 5 and broker.asked("PING")), running.said)
    done = parkbus(broker, "sub", "--name", "billing", "--forget")
    need(done.returncode == 0 and not done.stdout and not done.stderr and "billing" not in broker.names, done)
    notes(broker, 1)
    need(Broker.wait(lambda: running.seqs() == [1, 2, 3, 4, 5, 6], 20), running.said)
    need(json.loads(broker.asked("SUBSCRIBE")[-1][0])["from"] == 6 and running.end() == 0)


@promise("sub --name that is taken over says so and ends with 1")
def _(broker):
    first = Running(broker, "sub", "--name", "billing")
    need(Broker.wait(lambda: broker.asked("PING")), first.said)
    second = Running(broker, "sub", "--name", "billing", "--seq")
    need(first.process.wait(15) == 1 and first.end() == 1, first.said)
    need(len(first.said) == 1 and "billing is taken" in first.said[0], first.said)
    notes(broker, 1)
    need(Broker.wait(lambda: second.seqs() == [1]) and second.end() == 0, second.said)


@promise("sub --name does not acknowledge what it could not write")
def _(broker):
    notes(broker, 3)
    with open("/dev/full", "w") as full:
        code = subprocess.run([PARKBUS, "sub", "--name", "b", "--count", "2", "--url", broker.commands], stdout=full,
                              stderr=subprocess.DEVNULL, env=ENV, timeout=30).returncode
    need(code == 1 and broker.names["b"].cursor == 0 and not broker.asked("ACK"), code, broker.asked("ACK"))


@promise("sub --name of a journal that began anew says so and ends with 1")
def _(broker):
    notes(broker, 5)
    running = Running(broker, "sub", "--name", "b", "--seq")
    need(Broker.wait(lambda: len(running.seqs()) == 5 and broker.asked("PING")), running.said)
    with broker.lock:
        broker.journal.clear()
        broker.names.clear()
        broker.boot = "boot-2"
    need(running.process.wait(20) == 1 and running.end() == 1 and "began anew" in running.said[-1], running.said)


# ---------------------------------------------------------------------- call

@promise("call sends what it was given and prints the answer")
def _(broker):
    broker.replies["fee.quote"] = lambda body: {"outcome": "found", "due": body["n"]}
    done = parkbus(broker, "call", "fee.quote", "--lot", "north", "--lane", "out-1", "--via", "cmb", '{"n":7}')
    need(done.returncode == 0 and json.loads(done.stdout) == {"outcome": "found", "due": 7}, done)
    head = json.loads(broker.asked("CALL")[0][0])
    need(head == {"service": "fee.quote", "lot": "north", "lane": "out-1", "via": "cmb", "timeout_ms": 5000}, head)


@promise("call of a service that nobody serves ends with 1 and says code: message")
def _(broker):
    done = parkbus(broker, "call", "x", "{}")
    need(done.returncode == 1 and done.stderr == "no_provider: nobody serves it\n" and not done.stdout, done)


# ---------------------------------------------------------------------- serve

def serving(broker, *words):
    broker.providers.clear()  # Of one that has ended, whose good-bye may not be here yet
    running = Running(broker, "serve", *words)
    need(Broker.wait(lambda: broker.providers), running.said)
    return running


def answered(broker, xid):
    answer = Broker.wait(lambda: broker.answers.get(xid))
    need(answer, "no answer to", xid)
    return answer[0], json.loads(answer[-1])


@promise("serve hands the body to the command and its output back")
def _(broker):
    running = serving(broker, "fee.quote", "entry.check", "--lot", "north", "--exec", "cat")
    need(json.loads(broker.asked("SERVE")[0][0])
         == {"services": ["fee.quote", "entry.check"], "lots": ["north"], "lanes": ["*"]})
    body = {"plate": "京A12345", "long": "x" * 300000}
    broker.request("r1", "fee.quote", body)
    need(answered(broker, "r1") == ("REPLY", body))
    broker.request("r2", "entry.check", {})
    need(answered(broker, "r2") == ("REPLY", {}))
    need(running.end() == 0, running.said)
    need(json.loads(broker.asked("SERVE")[-1][0])["services"] == [], "Ctrl-C takes the services back")


@promise("the command finds service, lot, lane, caller and deadline in its environment")
def _(broker):
    running = serving(broker, "gate.operate", "--exec",
                      'printf \'{"a":"%s %s %s %s"}\' $PARKBUS_SERVICE $PARKBUS_LOT ${PARKBUS_LANE-none} '
                      "$PARKBUS_DEADLINE_MS")
    broker.request("r1", "gate.operate", {}, lot="north", deadline_ms=1234)
    need(answered(broker, "r1") == ("REPLY", {"a": "gate.operate north none 1234"}))
    running.end()


@promise("what the command cannot answer is an ERROR with its reason")
def _(broker):
    for command, code, sentence in (
        ("echo first >&2; echo 'no such car' >&2; exit 3", "rejected", "no such car"),
        ("exit 3", "rejected", "ended with 3"),
        ("echo not json", "rejected", "no JSON object"),
        ("kill -9 $$", "rejected", "signal 9"),
        ("head -c 2000000 /dev/zero", "rejected", "longer than 1 MiB"),
        ("sleep 60", "timeout", "did not end in time"),
        ("true; sleep 60 & echo 'slow child' >&2; exit 1", "rejected", "slow child"),
    ):
        running = serving(broker, "x", "--exec", command)
        broker.answers.clear()
        began = time.monotonic()
        broker.request("r1", "x", {}, deadline_ms=700)
        verb, error = answered(broker, "r1")
        need(verb == "ERROR" and error["code"] == code and sentence in error["message"], command, error)
        need(time.monotonic() - began < 5, command, "took too long")
        running.end()


@promise("requests run at once, and one too many is told so")
def _(broker):
    with tempfile.TemporaryDirectory() as folder:
        running = serving(broker, "x", "--jobs", "2", "--exec", f'cat; read line < "{folder}/$PARKBUS_LANE"')
        for lane in ("one", "two"):
            os.mkfifo(f"{folder}/{lane}")
            broker.request(lane, "x", {"lane": lane}, lane=lane, deadline_ms=30000)
        broker.request("three", "x", {}, lane="three", deadline_ms=30000)
        need(answered(broker, "three")[1]["code"] == "busy")
        for lane in ("two", "one"):  # Both wait, so the second can be let go first
            Path(folder, lane).write_text("go\n")
            need(answered(broker, lane) == ("REPLY", {"lane": lane}))
        need(running.end() == 0)


@promise("a broker that started anew is served again")
def _(broker):
    running = serving(broker, "x", "--exec", "cat")
    need(Broker.wait(lambda: broker.asked("PING")))
    with broker.lock:
        broker.boot = "boot-2"
        broker.providers.clear()
    need(Broker.wait(lambda: broker.providers, 20), running.said)
    broker.request("r1", "x", {"a": 1})
    need(answered(broker, "r1") == ("REPLY", {"a": 1}))
    running.end()


# ---------------------------------------------------------------------- plugins

@promise("plugin list prints what the daemon says of each instance")
def _(broker):
    broker.replies["plugin.list"] = lambda body: {"items": [
        {"name": "cmb", "module": "cmb", "version": "1.0", "state": "up", "sentence": "", "mount": "/cmb/",
         "owed": 3, "aside": 0},
        {"name": "cmb-2", "module": "cmb", "version": "1.0", "state": "off", "sentence": "no appid",
         "mount": "/cmb-2/", "owed": 0, "aside": 12}]}
    done = parkbus(broker, "plugin", "list")
    need(done.returncode == 0, done)
    lines = [line.split() for line in done.stdout.splitlines()]
    need(lines[0][:4] == ["NAME", "MODULE", "VERSION", "STATE"], lines)
    need(lines[1] == ["cmb", "cmb", "1.0", "up", "3", "0", "/cmb/"], lines)
    need(lines[2] == ["cmb-2", "cmb", "1.0", "off", "0", "12", "/cmb-2/", "no", "appid"], lines)


# ---------------------------------------------------------------------- the site's files

class Site:
    """A configuration in a folder of its own, with the plugins as they were built."""

    def __init__(self, broker, **replace):
        self.folder = tempfile.TemporaryDirectory()
        top = Path(self.folder.name)
        (top / "plugins.d").mkdir()
        (top / "secret").write_text("0123456789abcdef\n")
        (top / "secret").chmod(0o600)
        main = f"""\
data_dir: data
plugin_dir: {Path(PARKBUS).parent / ".libs"}
lots:
  north: {{zone: Asia/Shanghai, lanes: [in-1, out-1]}}
bus:
  events: {broker.events}
  commands: {broker.commands}
"""
        cmb = """\
module: cmb
url: https://example.invalid
keys:
  appsecret: file:../secret
options:
  appid: ik45nfuz
lots:
  north: {park_code: 5201020001, lanes: {in-1: 1, out-1: 2}}
"""
        for old, new in replace.items():
            main, cmb = main.replace(old, new), cmb.replace(old, new)
        self.file = str(top / "parkbus.yaml")
        Path(self.file).write_text(main)
        (top / "plugins.d" / "cmb.yaml").write_text(cmb)

    def run(self, *words):
        return subprocess.run([PARKBUS, "--config", self.file, *words], capture_output=True, text=True, env=ENV,
                              timeout=30)


@promise("config check says OK, or file:line:column and what is wrong, and ends with 2")
def _(broker):
    done = Site(broker).run("config", "check")
    need(done.returncode == 0 and "OK: " in done.stdout and "1 lots, 1 plugin instances" in done.stdout, done)
    for replace, where, sentence in (
        ({"data_dir": "data_dri"}, "parkbus.yaml:1:1:", "data_dir"),
        ({"appid: ": "appidd: "}, "plugins.d/cmb.yaml:6:", "appid"),
        ({"appid: ik45nfuz": "{}"}, "plugins.d/cmb.yaml", "appid"),
        ({"in-1: 1": "in-1: 256"}, "plugins.d/cmb.yaml:8:", "255"),
        ({"module: cmb": "module: cnb"}, "plugins.d/cmb.yaml:1:", "cnb"),
        ({"../secret": "../nowhere"}, "plugins.d/cmb.yaml:4:", "nowhere"),
    ):
        done = Site(broker, **replace).run("config", "check")
        said = done.stdout + done.stderr
        need(done.returncode == 2 and where in said and sentence in said, replace, done)


@promise("verify and sign take the secret of the site's instance, and never print it")
def _(broker):
    secret, text = "0123456789abcdef", "appid=ik45nfuz&park_code=5201020001"
    body = f"{text}&sign={hashlib.md5((text + secret).encode()).hexdigest()}"
    site = Site(broker)
    other = Path(site.file).parent / "plugins.d" / "cmb-2.yaml"
    sample = other.with_name("cmb.yaml").read_text()

    def check(words, code, sentence):
        done = site.run(*words)
        need(done.returncode == code and sentence in done.stdout + done.stderr, words, done)
        need(secret not in done.stdout + done.stderr, "the secret is printed", done)

    check(("verify", "cmb", body), 0, text + "***")
    check(("sign", "cmb", text), 0, body)
    check(("verify", "cmb", "--secret", "other", body), 1, "got")
    check(("verify", "cmb", "--via", "cmb", "--secret", "other", body), 2, "leave --secret")
    check(("verify", "cmb", "--via", "nope", body), 2, "has no instance nope of cmb")
    other.write_text(sample.replace("file:../secret", "[plain:new, file:../secret]").replace("in-1: 1", "in-1: 3"))
    check(("verify", "cmb", body), 2, "choose one with --via")
    check(("verify", "cmb", "--via", "cmb-2", body), 0, text + "***")
    other.write_text(sample.replace("appsecret", "appsecrett"))
    check(("verify", "cmb", "--via", "cmb-2", body), 2, "there is no appsecret")
    other.write_text(sample.replace("../secret", "../nowhere"))
    check(("verify", "cmb", "--via", "cmb-2", body), 1, "nowhere")


@promise("--config names the endpoints")
def _(broker):
    broker.put("x.note")
    done = Site(broker).run("fetch", "--seq")
    need(done.returncode == 0 and done.stdout.startswith("1\t"), done)


@promise("plugin show prints what the plugin declares, of a module and of an instance")
def _(broker):
    site = Site(broker)
    done = site.run("plugin", "show", "cmb")
    need(done.returncode == 0, done)
    for text in ("cmb 0.1.0", "appsecret", "appid", "park_code", "POST cmbParking/calc", "in.recorded",
                 "Instance cmb", "configured well"):
        need(text in done.stdout, text, "is not in", done.stdout)
    need("0123456789abcdef" not in done.stdout, "a secret is printed")
    done = site.run("plugin", "show", "nope")
    need(done.returncode == 1 and "nope" in done.stderr and "cmb" in done.stderr, done)


@promise("plugin list without a daemon says what the configuration says")
def _(broker):
    broker.close()
    site = Site(broker)
    done = site.run("plugin", "list")
    need(done.returncode == 0 and "is it running?" in done.stderr, done)
    need(done.stdout.splitlines()[1].split()[:4] == ["cmb", "cmb", "-", "enabled"], done)


@promise("journal info and verify of what is no journal end with 1 and say so")
def _(broker):
    with tempfile.TemporaryDirectory() as folder:
        for command in ("info", "verify"):
            for path in (folder, folder + "/nowhere"):
                done = parkbus(None, "journal", command, path)
                need(done.returncode == 1 and path in done.stderr and not done.stdout, done)


def main():
    broken = 0
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    for number, (text, test) in enumerate(PROMISES, 1):
        if only not in text:
            continue
        broker = Broker()
        try:
            test(broker)
            print(f"ok {number} - {text}", flush=True)
        except (AssertionError, subprocess.TimeoutExpired) as reason:
            broken += 1
            print(f"not ok {number} - {text}\n# {reason}", flush=True)
        finally:
            if not broker.ended:
                broker.close()
    print(f"1..{len(PROMISES)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
