"""world.py - the sandbox's programs: started, watched, ended; and the simulator's controls."""
import ctypes
import http.client
import json
import queue
import signal
import socket
import subprocess
import threading
import time
import urllib.parse
from pathlib import Path

from bus import Bus, Trouble
from words import say

APPID, SECRET = "sandbox1", "sandboxsandboxsandboxsandbox0001"
LOTS = {
    "north": {"park_code": "5201020001", "spaces": 300, "lanes": {"in-1": 1, "out-1": 1, "in-2": 2, "out-2": 2, "in-3": 3, "out-3": 4}},
    "south": {"park_code": "5201020002", "spaces": 60, "lanes": {"in-1": 1, "out-1": 2}},
}
ENDS_WITH_US = 1  # PR_SET_PDEATHSIG


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def follow_parent():
    ctypes.CDLL(None).prctl(ENDS_WITH_US, signal.SIGTERM)


class Lines:
    """What a program says on standard output, line by line."""

    def __init__(self, stream):
        self.queue = queue.Queue()
        threading.Thread(target=self.read, args=(stream,), daemon=True).start()

    def read(self, stream):
        for line in stream:
            self.queue.put(line.strip())

    def get(self, seconds):
        try:
            return self.queue.get(timeout=seconds)
        except queue.Empty:
            return None


class World:
    def __init__(self, stage, build, sources, folder, tell, python=False):
        self.stage, self.build, self.sources, self.folder, self.tell = Path(stage), Path(build), Path(sources), Path(folder), tell
        self.python = python
        self.ports = {name: free_port() for name in ("events", "commands", "http", "admin")}
        self.commands = f"tcp://127.0.0.1:{self.ports['commands']}"
        self.events = f"tcp://127.0.0.1:{self.ports['events']}"
        self.programs, self.deaths = {}, 0
        self.lock = threading.RLock()
        self.ending = False

    # ------------------------------------------------------------------ configuration
    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def write_scenario(self):
        lots = "".join(f"      {lot['park_code']}: {{entries: {sorted({n for l, n in lot['lanes'].items() if l.startswith('in')})}, "
                       f"exits: {sorted({n for l, n in lot['lanes'].items() if l.startswith('out')})}}}\n" for lot in LOTS.values())
        return self.write("scenario.yaml", f"""seed: 20181225
ready_file: ready.json
platforms:
  cmb:
    listen: 127.0.0.1:0
    lot_url: http://127.0.0.1:{self.ports['http']}/cmb/
    appid: {APPID}
    appsecret: {SECRET}
    push_retry_ms: 300
    push_retry_max_ms: 3000
    lots:
{lots}""")

    def write_site(self, cmb_url):
        lots = "".join(f"  {name}: {{zone: Asia/Shanghai, spaces: {lot['spaces']}, lanes: [{', '.join(lot['lanes'])}]}}\n" for name, lot in LOTS.items())
        codes = "".join(f"  {name}: {{park_code: {lot['park_code']}, guaranteed: false, lanes: "
                        f"{{{', '.join(f'{lane}: {number}' for lane, number in lot['lanes'].items())}}}}}\n" for name, lot in LOTS.items())
        self.write("secrets/cmb", SECRET + "\n").chmod(0o600)
        self.write("plugins.d/cmb.yaml", f"""module: cmb
enabled: true
mount: /cmb/
url: {cmb_url}
keys:
  appsecret: file:../secrets/cmb
options:
  appid: {APPID}
lots:
{codes}""")
        self.write("parkbus.yaml", f"""node: sandbox
data_dir: data
plugin_dir: {self.stage / 'lib/parkbus/plugins'}
plugins_d: plugins.d
lots:
{lots}bus:
  events: {self.events}
  commands: {self.commands}
http:
  listen: 127.0.0.1:{self.ports['http']}
admin:
  listen: 127.0.0.1:{self.ports['admin']}
""")
        (self.folder / "data").mkdir(exist_ok=True)

    # ------------------------------------------------------------------ programs
    def run(self, name, *words, **pipes):
        log = open(self.folder / f"{name}.log", "ab")
        pipes.setdefault("stdout", log)
        process = subprocess.Popen([str(w) for w in words], stderr=log, cwd=self.folder, preexec_fn=follow_parent, start_new_session=True, **pipes)
        log.close()
        self.programs[name] = process
        self.tell("started", name=name, pid=process.pid)
        return process

    def example(self, name):
        return [self.sources / "examples/python" / f"{name}.py"] if self.python else [self.build / "examples" / name]

    def start(self):
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        self.run("parkbus-sim", self.stage / "bin/parkbus-sim", "--config", self.write_scenario())
        ready = self.folder / "ready.json"
        self.wait(ready.exists, "parkbus-sim")
        self.sim = Sim(json.loads(ready.read_text())["cmb"])
        self.write_site(self.sim.url)
        self.start_daemon()
        self.run("billing-north", Path(__file__).with_name("billing.py"), self.commands, "north")
        self.run("billing-south", *self.example("billing"), self.commands, "south")
        self.run("display", self.build / "examples/display", self.events)
        gate = self.run("gate-south", *self.example("gate"), self.commands, "south", LOTS["south"]["spaces"],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.gate_lines = Lines(gate.stdout)
        self.tell("try_kill", pid=self.programs["parkbusd"].pid)

    def wait(self, ready, name, seconds=30):
        end = time.monotonic() + seconds
        while not ready():
            if self.programs[name].poll() is not None:
                raise Trouble(f"{name} ended with {self.programs[name].returncode}: {self.last_words(name)}")
            if time.monotonic() > end:
                raise Trouble(f"{name} is not ready after {seconds} s: {self.last_words(name)}")
            time.sleep(0.02)

    def last_words(self, name):
        text = (self.folder / f"{name}.log").read_text(errors="replace").strip()
        return text.splitlines()[-1] if text else ""

    def start_daemon(self):
        self.run("parkbusd", self.stage / "bin/parkbusd", "--config", self.folder / "parkbus.yaml")
        bus = Bus(self.commands, lambda: None)
        try:
            self.wait(lambda: bus.ping(0.3), "parkbusd")
        finally:
            bus.close()

    def check(self):
        """Is parkbusd alive? If somebody killed it: again."""
        with self.lock:
            process = self.programs["parkbusd"]
            if process.poll() is None or self.ending:
                return
            self.deaths += 1
            self.tell("died", pid=process.pid)
            self.start_daemon()

    def kill_daemon(self):
        with self.lock:
            process = self.programs["parkbusd"]
            if not self.ending:
                self.tell("killed", pid=process.pid)
                process.kill()
                process.wait()

    def end(self):
        """What was started ends, last first, by its process id."""
        self.ending = True
        for process in reversed(list(self.programs.values())):
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    # ------------------------------------------------------------------ the south gate
    def tell_gate(self, line, seconds=60):
        """Give the sample gate program a line; what it answers."""
        gate = self.programs["gate-south"]
        try:
            gate.stdin.write(line + "\n")
            gate.stdin.flush()
        except BrokenPipeError:
            raise Trouble(f"the sample gate program has ended: {self.last_words('gate-south')}") from None
        return self.hear_gate(seconds)

    def hear_gate(self, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            said = self.gate_lines.get(1)
            if said:
                return said.split()
            self.check()
        raise Trouble("the sample gate program says nothing")


class Sim:
    """parkbus-sim's controls."""

    def __init__(self, url):
        self.url, self.host = url, urllib.parse.urlsplit(url).netloc

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        finally:
            connection.close()

    def push(self, kind, **what):
        return self.ask("POST", f"/sim/push/{kind}", what)

    def faults(self, rules):
        status, answer = self.ask("POST", "/sim/faults", rules)
        if status != 200:
            raise Trouble(f"parkbus-sim: {answer}")

    def books(self):
        return self.ask("GET", "/sim/books")[1]
