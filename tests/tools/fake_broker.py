"""fake_broker.py - a broker for tests of clients: it does what the test tells it to.

Speaks enough of PB1 to be asked, and keeps every request for the test to look at. It may
lose live events and forget its providers on purpose.
"""
import json
import threading
import time

import zmq


def matches(pattern, topic):
    want, have = pattern.split("."), topic.split(".")
    for i, token in enumerate(want):
        if token == ">" and i == len(want) - 1:
            return len(have) > i
        if i >= len(have) or token not in ("*", have[i]):
            return False
    return len(want) == len(have)


class Name:
    """A durable subscriber: how far it has come, and who has it."""

    def __init__(self, cursor):
        self.cursor = self.sent = cursor
        self.peer, self.patterns = None, [">"]


class Broker:
    def __init__(self):
        self.ctx = zmq.Context()
        self.router = self.ctx.socket(zmq.ROUTER)
        self.pub = self.ctx.socket(zmq.XPUB)
        self.router.linger = self.pub.linger = 0
        self.commands = f"tcp://127.0.0.1:{self.router.bind_to_random_port('tcp://127.0.0.1')}"
        self.events = f"tcp://127.0.0.1:{self.pub.bind_to_random_port('tcp://127.0.0.1')}"
        self.lock = threading.RLock()
        self.journal = []        # (seq, topic, prev, bytes)
        self.ids = {}            # id -> seq
        self.last = {}           # topic -> seq
        self.beaten = 0          # head of the last bus.head
        self.page = 1000         # events of one EVENTS at most
        self.boot = "boot-1"
        self.providers = {}      # service -> identity
        self.replies = {}        # service -> what CALL is answered, a function of the body
        self.answers = {}        # xid -> frames that a provider sent
        self.requests = []       # (verb, frames) in order
        self.names = {}          # name of a durable subscriber -> Name
        self.subscribed = set()
        self.ended = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def close(self):
        self.ended = True
        self.thread.join()
        self.ctx.destroy(linger=0)

    # ------------------------------------------------------------------ for the test

    def put(self, kind, lot="north", live=True, **data):
        """An event into the journal; live=False: as if its message were lost."""
        with self.lock:
            seq = len(self.journal) + 1
            event = {"id": f"e{seq}", "source": "test", "type": kind, "lot": lot, "data": data}
            return self.append(f"{kind}.{lot}", json.dumps(event).encode(), live)

    def append(self, topic, text, live=True):
        with self.lock:
            seq = len(self.journal) + 1
            prev = self.last.get(topic, 0)
            self.journal.append((seq, topic, prev, text))
            self.last[topic] = seq
            self.ids[json.loads(text).get("id")] = seq
            self.deliver()
            if live:
                self.pub.send_multipart([topic.encode(), b"%d" % seq, b"%d" % prev, text])
            return seq

    def beat(self, live=True):
        """bus.head, as parkbusd sends it once a second."""
        with self.lock:
            head = len(self.journal)
            changed = {t: s for t, s in self.last.items() if s > self.beaten}
            if live:
                self.pub.send_multipart([b"bus.head", b"%d" % head, b"%d" % self.beaten,
                                         json.dumps({"topics": changed}).encode()])
            self.beaten = head

    def request(self, xid, service, body, **head):
        """A request to the provider of a service."""
        head = {"service": service, "deadline_ms": 5000, "caller": "test", **head}
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.to(self.providers[service], "REQUEST", xid, json.dumps(head), body)

    def asked(self, verb):
        with self.lock:
            return [frames for v, frames in self.requests if v == verb]

    @staticmethod
    def wait(condition, seconds=15):
        """What the condition says, once it says something; None when time is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            threading.Event().wait(0.005)
        return None

    # ------------------------------------------------------------------ the protocol

    def to(self, peer, verb, rid, *frames):
        frames = [f if isinstance(f, bytes) else f.encode() for f in (rid, *frames)]
        with self.lock:
            self.router.send_multipart([peer, b"PB1", verb.encode(), *frames])

    def run(self):
        poller = zmq.Poller()
        poller.register(self.router, zmq.POLLIN)
        while not self.ended:
            poller.poll(10)
            with self.lock:
                while self.pub.poll(0):
                    note = self.pub.recv()
                    (self.subscribed.add if note[0] else self.subscribed.discard)(note[1:])
                while self.router.poll(0):
                    peer, _, verb, rid, *rest = self.router.recv_multipart()
                    verb = verb.decode()
                    self.requests.append((verb, rest))
                    getattr(self, "on_" + verb.lower())(peer, rid, rest)

    def on_publish(self, peer, rid, events):
        results = []
        for text in events:
            event = json.loads(text)
            known = self.ids.get(event.get("id"))
            if event["type"].startswith("pay."):
                results.append({"error": {"code": "denied", "message": "only parkbus says that",
                                          "field": "type"}})
            elif known:
                results.append({"id": event["id"], "seq": known, "duplicate": True})
            else:
                seq = self.append(f"{event['type']}.{event.get('lot', '_')}", text)
                results.append({"id": event.get("id", ""), "seq": seq, "duplicate": False})
        self.to(peer, "OK", rid, json.dumps({"results": results}))

    def on_fetch(self, peer, rid, frames):
        head = json.loads(frames[0])
        top, start = len(self.journal), head.get("from", 1)
        most = min(head.get("max", 1000), self.page)
        found = [e for e in self.journal[max(start, 1) - 1:]
                 if any(matches(p, e[1]) for p in head.get("filter", [">"]))]
        found = found[-head["last"]:] if head.get("last") else found[:most]
        more = len(found) == most and not head.get("last")
        after = found[-1][0] + 1 if more else max(top + 1, start)
        frames = [f for seq, _, _, text in found for f in (b"%d" % seq, text)]
        self.to(peer, "EVENTS", rid, json.dumps({"next": after, "head": top, "first": 1}), *frames)

    def on_call(self, peer, rid, frames):
        reply = self.replies.get(json.loads(frames[0])["service"])
        if reply is None:
            self.to(peer, "ERROR", rid, json.dumps({"code": "no_provider", "message": "nobody serves it"}))
        else:
            self.to(peer, "REPLY", rid, "{}", json.dumps(reply(json.loads(frames[1]))))

    def on_serve(self, peer, rid, frames):
        self.providers = {s: p for s, p in self.providers.items() if p != peer}
        for service in json.loads(frames[0])["services"]:
            self.providers[service] = peer
        self.to(peer, "OK", rid, "{}")

    def on_ping(self, peer, rid, frames):
        mine = [s for s, p in self.providers.items() if p == peer]
        self.to(peer, "PONG", rid, json.dumps({"node": "fake", "head": len(self.journal), "boot": self.boot,
                                               "services": mine,
                                               "names": [n for n, s in self.names.items() if s.peer == peer]}))

    def on_subscribe(self, peer, rid, frames):
        head = json.loads(frames[0])
        start = {"first": 1, "new": len(self.journal) + 1}.get(head["from"], head["from"])
        name = self.names.setdefault(head["name"], Name(start - 1))
        if name.peer not in (None, peer):
            self.to(name.peer, "ERROR", head["name"], json.dumps({"code": "taken", "message": "another one has it"}))
        name.peer, name.patterns, name.sent = peer, head["filter"], name.cursor
        self.to(peer, "OK", rid, json.dumps({"cursor": name.cursor}))
        self.deliver()

    def deliver(self):
        """To each durable subscriber what it was not sent yet, in messages of `page` events."""
        for text, name in self.names.items():
            new = [e for e in self.journal[name.sent:] if any(matches(p, e[1]) for p in name.patterns)]
            for i in range(0, len(new) if name.peer else 0, self.page):
                self.to(name.peer, "EVENT", text, *[f for e in new[i:i + self.page] for f in (b"%d" % e[0], e[3])])
            if name.peer:
                name.sent = len(self.journal)

    def on_ack(self, peer, name, frames):
        known = self.names.get(name.decode())
        if known and known.peer == peer:
            known.cursor = max(known.cursor, int(frames[0]))

    def on_unsubscribe(self, peer, rid, frames):
        name = self.names.get(json.loads(frames[0])["name"])
        if name and name.peer == peer:
            name.peer = None
        self.to(peer, "OK", rid, "{}")

    def on_forget(self, peer, rid, frames):
        self.names.pop(json.loads(frames[0])["name"], None)
        self.to(peer, "OK", rid, "{}")

    def on_reply(self, peer, xid, frames):
        self.answers[xid.decode()] = ("REPLY", *frames)

    def on_error(self, peer, xid, frames):
        self.answers[xid.decode()] = ("ERROR", *frames)
