"""kit.py - what the system tests share: a site with the real daemon, a bus client spoken by
hand, a platform that answers what the test tells it to.

Programs come from $PARKBUS_STAGE (build/stage). Nothing here sleeps: everything waits on a
socket, a process or a condition, with a limit.
"""
import hashlib
import http.client
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse
from pathlib import Path

import zmq

ROOT = Path(__file__).resolve().parents[2]
STAGE = Path(os.environ.get("PARKBUS_STAGE", ROOT / "build" / "stage")).resolve()
SECRET = "vqhqqr9vozoorivkc3lemrmbicphgzhx"  # the document's sample key, restored


def need(ok, text):
    if not ok:
        raise AssertionError(text)


def equal(got, wanted, what):
    need(got == wanted, f"{what}: {got!r}, not {wanted!r}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(tests):
    """Runs the functions given, one line each; exits 1 if one failed."""
    failed = 0
    only = sys.argv[1:]
    for test in tests:
        if only and test.__name__ not in only:
            continue
        try:
            test()
            print(f"ok - {test.__name__}: {(test.__doc__ or '').strip().splitlines()[0]}", flush=True)
        except Exception:
            failed += 1
            print(f"not ok - {test.__name__}", flush=True)
            traceback.print_exc()
    sys.exit(1 if failed else 0)


# ------------------------------------------------------------------ the bus, spoken by hand
class Bus:
    def __init__(self, commands, events=None):
        self.ctx = zmq.Context()
        self.s = self.ctx.socket(zmq.DEALER)
        self.s.linger = 0
        self.s.connect(commands)
        self.number = 0
        self.sub = None
        if events:
            self.sub = self.ctx.socket(zmq.SUB)
            self.sub.linger = 0
            self.sub.rcvhwm = 0
            self.sub.connect(events)
            self.sub.subscribe(b"")

    @staticmethod
    def frame(f):
        if isinstance(f, bytes):
            return f
        return (f if isinstance(f, str) else json.dumps(f, ensure_ascii=False)).encode()

    def send(self, verb, *frames):
        self.s.send_multipart([b"PB1", verb.encode(), *map(self.frame, frames)])

    def raw(self, *frames):
        self.s.send_multipart(list(frames))

    def recv(self, timeout=10):
        """[verb, rid, …] as bytes, or None."""
        if not self.s.poll(int(timeout * 1000)):
            return None
        frames = self.s.recv_multipart()
        equal(frames[0], b"PB1", "first frame")
        return frames[1:]

    def ask(self, verb, *frames, timeout=10):
        """(verb, [frames after the request id])"""
        self.number += 1
        rid = f"r{self.number}".encode()
        self.send(verb, rid, *frames)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            f = self.recv(max(0.01, end - time.monotonic()))
            if f and f[1] == rid:
                return f[0].decode(), f[2:]
        raise AssertionError(f"no answer to {verb} in {timeout} s")

    def publish(self, *events, timeout=10):
        verb, f = self.ask("PUBLISH", *events, timeout=timeout)
        need(verb == "OK", f"PUBLISH answered {verb} {f}")
        return json.loads(f[0])["results"]

    def error(self, verb, *frames, timeout=10):
        """The code of the ERROR that must come."""
        got, f = self.ask(verb, *frames, timeout=timeout)
        need(got == "ERROR", f"{verb} {frames} answered {got} {f}")
        body = json.loads(f[0])
        need(len(body["message"]) > 10, f"an error without a sentence: {body}")
        return body["code"]

    def fetch(self, **head):
        verb, f = self.ask("FETCH", head, timeout=40)
        need(verb == "EVENTS", f"FETCH answered {verb} {f}")
        return json.loads(f[0]), [(int(f[i]), json.loads(f[i + 1])) for i in range(1, len(f), 2)]

    def fetch_all(self, *patterns):
        out, at = [], 1
        while True:
            head, events = self.fetch(**{"from": at, "filter": list(patterns) or [">"]})
            out += events
            at = head["next"]
            if at > head["head"]:
                return out

    def wait_for(self, pattern, n=1, timeout=10):
        """The first n events of a pattern, waiting for them in the journal."""
        out, at, end = [], 1, time.monotonic() + timeout
        while len(out) < n:
            left = end - time.monotonic()
            need(left > 0, f"{len(out)} of {n} {pattern} in {timeout} s")
            head, events = self.fetch(**{"from": at, "filter": [pattern], "wait_ms": int(min(left, 30) * 1000)})
            out += events
            at = head["next"]
        return [event for _, event in out]

    def next_event(self, prefix="", timeout=10):
        """(topic, seq, prev, event) from the event socket."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.sub.poll(int(max(1, (end - time.monotonic()) * 1000))):
                f = self.sub.recv_multipart()
                equal(len(f), 4, "frames on the event socket")
                if f[0].decode().startswith(prefix) and f[0] != b"bus.head":
                    return f[0].decode(), int(f[1]), int(f[2]), json.loads(f[3])
        return None

    def next_head(self, timeout=5):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.sub.poll(int(max(1, (end - time.monotonic()) * 1000))):
                f = self.sub.recv_multipart()
                if f[0] == b"bus.head":
                    return int(f[1]), int(f[2]), json.loads(f[3])
        return None

    def close(self):
        self.ctx.destroy(linger=0)


class Provider(threading.Thread):
    """Serves services: answer(service, head, body) -> dict, ("error", code, text), or None."""

    def __init__(self, commands, services, answer, lots=("*",), lanes=("*",)):
        super().__init__(daemon=True)
        self.bus = Bus(commands)
        self.answer, self.ending = answer, False
        self.seen, self.came = [], threading.Condition()
        verb, f = self.bus.ask("SERVE", {"services": list(services), "lots": list(lots), "lanes": list(lanes)})
        equal(verb, "OK", "SERVE")
        self.start()

    def run(self):
        while not self.ending:
            f = self.bus.recv(0.05)
            if not f or f[0] != b"REQUEST":
                continue
            xid, head, body = f[1], json.loads(f[2]), json.loads(f[3])
            with self.came:
                self.seen.append((head, body))
                self.came.notify_all()
            reply = self.answer(head["service"], head, body)
            if isinstance(reply, tuple):
                self.bus.send("ERROR", xid, {"code": reply[1], "message": reply[2]})
            elif reply is not None:
                self.bus.send("REPLY", xid, {}, reply)
        self.bus.close()

    def wait_seen(self, n=1, timeout=10):
        with self.came:
            need(self.came.wait_for(lambda: len(self.seen) >= n, timeout), f"{len(self.seen)} of {n} requests came")

    def end(self):
        self.ending = True
        self.join()


# ------------------------------------------------------------------ a platform
class Platform:
    """An HTTP server; answer(path, parameters) -> (status, body), None (silence) or "close"."""

    def __init__(self, answer=None, port=0):
        self.calls, self.came = [], threading.Condition()
        self.answer = answer or (lambda path, p: (200, {"status": 0, "message": "success"}))
        self.released = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                params = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
                with outer.came:
                    outer.calls.append((self.path, params))
                    outer.came.notify_all()
                reply = outer.answer(self.path, params)
                if reply is None:
                    outer.released.wait(60)
                if reply is None or reply == "close":
                    self.close_connection = True
                    return
                status, out = reply
                out = out if isinstance(out, bytes) else json.dumps(out, ensure_ascii=False).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(out)))
                self.end_headers()
                self.wfile.write(out)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, path, n=1, timeout=15):
        """The parameters of the first n calls of a path."""
        def have():
            return [p for at, p in self.calls if at == path]
        with self.came:
            need(self.came.wait_for(lambda: len(have()) >= n, timeout), f"{len(have())} of {n} calls of {path} in {timeout} s")
            return have()

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


def cmb_sign(params, secret=SECRET):
    text = "&".join(f"{k}={params[k]}" for k in sorted(params) if k not in ("sign", "pic_con") and str(params[k]) != "")
    return hashlib.md5((text + secret).encode()).hexdigest()


def cmb_yaml(url, lots="north: {park_code: 5201030001, guaranteed: false, lanes: {in-1: 1, out-1: 2}}", extra=""):
    return f"""module: cmb
url: {url}
mount: /cmb/
keys:
  appsecret: plain:{SECRET}
options:
  appid: ik45nfuz
lots:
  {lots}
{extra}"""


def entry(visit, plate="京A12311", lane="in-1", lot="north", **data):
    return {"source": "gate/in-1", "id": f"e-{visit}", "type": "in.recorded", "subject": visit,
            "time": "2026-11-21T08:00:00+08:00", "lot": lot, "lane": lane, "data": dict(plate=plate, **data)}


def leaving(visit, plate="京A12311", lane="out-1", lot="north", **data):
    return {"source": "gate/out-1", "id": f"o-{visit}", "type": "out.recorded", "subject": visit,
            "time": "2026-11-21T10:00:00+08:00", "lot": lot, "lane": lane,
            "data": dict({"plate": plate, "total_due": 0}, **data)}


# ------------------------------------------------------------------ a site
class Site:
    LOTS = "north: {zone: Asia/Shanghai, spaces: 300, lanes: [in-1, out-1]}"

    def __init__(self, plugins=None, lots=LOTS, extra="", plugin_dir=None):
        self.dir = Path(tempfile.mkdtemp(prefix="parkbus-test-"))
        self.ports = {name: free_port() for name in ("events", "commands", "http")}
        self.commands = f"tcp://127.0.0.1:{self.ports['commands']}"
        self.events = f"tcp://127.0.0.1:{self.ports['events']}"
        self.config = self.dir / "parkbus.yaml"
        (self.dir / "plugins.d").mkdir()
        self.config.write_text(f"""node: site-1
data_dir: data
plugin_dir: {plugin_dir or STAGE / "lib/parkbus/plugins"}
plugins_d: plugins.d
lots:
  {lots}
bus:
  events: {self.events}
  commands: {self.commands}
http:
  listen: 127.0.0.1:{self.ports['http']}
{extra}""")
        for name, text in (plugins or {}).items():
            (self.dir / "plugins.d" / f"{name}.yaml").write_text(text)
        self.process = self.bus = None

    def start(self, timeout=30, live=True):
        """Starts the daemon and waits until it answers; live: and until the SUB is joined."""
        log = open(self.dir / "log", "ab")
        self.process = subprocess.Popen([STAGE / "bin/parkbusd", "--config", self.config], stdout=log, stderr=log,
                                        cwd=self.dir, env=dict(os.environ, LC_ALL="C"))
        log.close()
        self.bus = Bus(self.commands, self.events)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            need(self.process.poll() is None, f"parkbusd ended with {self.process.returncode}: {self.log()}")
            try:
                if self.bus.ask("PING", timeout=0.2)[0] == "PONG":
                    need(not live or self.bus.next_head(5), "no bus.head within 5 s")
                    return self
            except AssertionError:
                pass
        raise AssertionError(f"parkbusd did not answer in {timeout} s: {self.log()}")

    def log(self):
        try:
            return (self.dir / "log").read_text(errors="replace")
        except OSError:
            return ""

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.bus.close()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError("parkbusd did not end within 15 s of SIGTERM")
            need(self.process.returncode == 0, f"parkbusd ended with {self.process.returncode}: {self.log()[-3000:]}")
        if self.bus:
            self.bus.close()
            self.bus = None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *rest):
        try:
            if kind:
                print(self.log()[-3000:], file=sys.stderr)
                if self.process and self.process.poll() is None:
                    self.process.kill()
                    self.process.wait()
            else:
                self.stop()
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)

    def post(self, path, body, media="application/x-www-form-urlencoded", timeout=20):
        c = http.client.HTTPConnection("127.0.0.1", self.ports["http"], timeout=timeout)
        try:
            c.request("POST", path, body, {"Content-Type": media})
            r = c.getresponse()
            return r.status, r.read()
        finally:
            c.close()

    def cmb(self, name, secret=SECRET, mount="/cmb/", **params):
        params = dict({"appid": "ik45nfuz", "park_code": "5201030001"}, **params)
        params["sign"] = cmb_sign(params, secret)
        status, out = self.post(f"{mount}cmbParking/{name}", urllib.parse.urlencode(params))
        return status, json.loads(out) if out[:1] == b"{" else out

    def plugin(self, name):
        verb, f = self.bus.ask("CALL", {"service": "plugin.list"}, {})
        need(verb == "REPLY", f"plugin.list answered {verb} {f}")
        return next(i for i in json.loads(f[1])["items"] if i["name"] == name)

    def wait_plugin(self, name, ready, timeout=15):
        """What plugin.list says of an instance, once `ready` holds of it."""
        end = time.monotonic() + timeout
        while True:
            item = self.plugin(name)
            if ready(item):
                return item
            need(time.monotonic() < end, f"{name} stays {item}")
            self.bus.fetch(**{"from": 1 << 40, "wait_ms": 20})
