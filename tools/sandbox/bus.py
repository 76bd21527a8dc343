"""bus.py - the sandbox's side of the bus: PB1 by hand, as contract and no library has it."""
import json
import threading
import time
import uuid

import zmq

ASK_AGAIN_S = 2.0   # Without an answer for so long: is parkbusd there?
PATIENCE_S = 90.0


class Trouble(Exception):
    """The sandbox cannot go on; the sentence says why."""


class Bus:
    """One DEALER. `check` is called when nobody answers; it starts parkbusd again."""

    def __init__(self, endpoint, check):
        self.endpoint, self.check, self.rid = endpoint, check, 0
        self.context = zmq.Context.instance()
        self.socket = None
        self.open()

    def open(self):
        """A fresh socket: what an old one still queued is not sent any more."""
        self.close()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(self.endpoint)

    def close(self):
        if self.socket:
            self.socket.close()
            self.socket = None

    def once(self, verb, frames, seconds):
        """Ask; the answer's verb and frames, or None."""
        self.rid += 1
        rid = str(self.rid).encode()
        self.socket.send_multipart([b"PB1", verb.encode(), rid] + frames)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.socket.poll(max(1, int((end - time.monotonic()) * 1000))):
                answer = self.socket.recv_multipart()
                if answer[2:3] == [rid]:
                    return answer[1].decode(), answer[3:]
        return None

    def ask(self, verb, *frames, seconds=ASK_AGAIN_S):
        """Ask until there is an answer, over deaths of parkbusd."""
        frames = [f if isinstance(f, bytes) else json.dumps(f, ensure_ascii=False).encode() for f in frames]
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            answer = self.once(verb, frames, seconds)
            if answer:
                return answer
            self.check()
            self.open()
        raise Trouble(f"parkbusd does not answer {verb}")

    def publish(self, *events):
        """Until all are on disk. The same ids each time, so an event is there once."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            verb, frames = self.ask("PUBLISH", *events)
            if verb == "OK":
                results = json.loads(frames[0])["results"]
                wrong = [r["error"] for r in results if "error" in r]
                if not wrong:
                    return results
                if not all(e["code"] in ("storage", "busy") for e in wrong):
                    raise Trouble(f"parkbusd refuses an event: {wrong[0]['message']}")
            elif json.loads(frames[0])["code"] not in ("storage", "busy"):
                raise Trouble(f"parkbusd refuses to publish: {frames[0].decode()}")
            time.sleep(0.1)
        raise Trouble("parkbusd cannot write")

    def call(self, service, body, **head):
        """The reply, or {"error": code} when there is none."""
        verb, frames = self.ask("CALL", dict(head, service=service, timeout_ms=5000), body, seconds=6)
        if verb == "REPLY":
            return json.loads(frames[1])
        return {"error": json.loads(frames[0])["code"]}

    def ping(self, seconds):
        answer = self.once("PING", [], seconds)
        return bool(answer) and answer[0] == "PONG"

    def fetch(self, start, wait_ms=0, seconds=ASK_AGAIN_S, filter=(">",)):
        verb, frames = self.ask("FETCH", {"from": start, "max": 1000, "wait_ms": wait_ms, "filter": list(filter)}, seconds=seconds)
        if verb != "EVENTS":
            raise Trouble(f"FETCH: {frames[0].decode()}")
        head = json.loads(frames[0])
        return head, [(int(frames[i]), json.loads(frames[i + 1])) for i in range(1, len(frames), 2)]

    def everything(self):
        """The whole journal, from its first event to its head."""
        start, found = 1, []
        while True:
            head, events = self.fetch(start)
            found += events
            start = head["next"]
            if start > head["head"]:
                return found


class Follower(threading.Thread):
    """Reads the journal as it grows; others wait for what they expect in it."""

    def __init__(self, endpoint, check):
        super().__init__(daemon=True)
        self.bus, self.events, self.stop = Bus(endpoint, check), [], False
        self.changed = threading.Condition()
        self.trouble = None
        self.start()

    def run(self):
        start = 1
        try:
            while not self.stop:
                head, events = self.bus.fetch(start, wait_ms=500)
                start = head["next"]
                if events:
                    with self.changed:
                        self.events += [event for _, event in events]
                        self.changed.notify_all()
        except (Trouble, zmq.ZMQError) as trouble:
            self.trouble = trouble
        finally:
            self.bus.close()

    def until(self, found, seconds, start=0):
        """The first event from position `start` on that `found` accepts; None when time is over."""
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                for event in self.events[start:]:
                    if found(event):
                        return event
                start = len(self.events)
                left = end - time.monotonic()
                if left <= 0 or self.trouble or not self.changed.wait(left) and time.monotonic() >= end:
                    return None

    def mark(self):
        with self.changed:
            return len(self.events)


def new_id():
    return str(uuid.uuid4())
