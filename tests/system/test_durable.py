#!/usr/bin/python3
"""test_durable.py - durable subscribers: nothing missed, over kills, takeovers and years."""
from kit import *


def take(bus, n, timeout=10):
    """n events that EVENT brings: [(seq, event)]; fewer when the time is over."""
    out, end = [], time.monotonic() + timeout
    while len(out) < n and time.monotonic() < end:
        f = bus.recv(max(0.01, end - time.monotonic()))
        if f and f[0] == b"EVENT":
            out += [(int(f[i]), json.loads(f[i + 1])) for i in range(2, len(f), 2)]
    return out


def subscribe(bus, name, **head):
    verb, f = bus.ask("SUBSCRIBE", dict(head, name=name))
    equal(verb, "OK", f"SUBSCRIBE {head}")
    return json.loads(f[0])["cursor"]


def numbered(n, start=0, kind="x.n"):
    return [{"source": "g", "id": f"{kind}-{i}", "type": kind, "data": {"i": i}} for i in range(start, start + n)]


def test_window_and_ack():
    """at most `window` unacknowledged; ACK is cumulative; the filter holds"""
    with Site() as site:
        site.bus.publish(*numbered(100), *numbered(100, kind="x.other"))
        b = Bus(site.commands)
        equal(subscribe(b, "billing", filter=["x.n.>"], window=10), 0, "the first cursor")
        got = take(b, 11, timeout=1)
        equal([e["data"]["i"] for _, e in got], list(range(10)), "a window of 10")
        b.send("ACK", "billing", str(got[4][0]))
        equal([e["data"]["i"] for _, e in take(b, 5)], list(range(10, 15)), "five more")
        b.send("ACK", "billing", "9007199254740991")
        equal([e["data"]["i"] for _, e in take(b, 10)], list(range(15, 25)), "after an ACK of everything")
        equal(json.loads(b.ask("PING")[1][0])["names"], ["billing"], "PONG's names")
        b.close()


def test_kill():
    """the cursor survives kill -9: a few may come again, none is missed"""
    with Site() as site:
        site.bus.publish(*numbered(500))
        b = Bus(site.commands)
        subscribe(b, "billing", window=100)
        got = take(b, 100)
        b.send("ACK", "billing", str(got[-1][0]))
        take(b, 100)
        site.bus.fetch(**{"from": 1 << 40, "wait_ms": 300})
        site.bus.publish(*numbered(1, 500))
        site.kill()
        b.close()
        site.start()
        b = Bus(site.commands)
        cursor = subscribe(b, "billing", window=100000, **{"from": "new"})
        need(0 < cursor <= 100, f"the cursor {cursor}; `from` counts only the first time")
        rest = take(b, 501 - cursor)
        equal([s for s, _ in rest], list(range(cursor + 1, 502)), "what follows the cursor")
        live = site.bus.publish(*numbered(1, 600))[0]["seq"]
        equal([s for s, _ in take(b, 1)], [live], "then live")
        b.close()


def test_from():
    """first, new, a seq; a bad one is refused"""
    with Site() as site:
        site.bus.publish(*numbered(20))
        b = Bus(site.commands)
        equal(subscribe(b, "all", **{"from": "first"}), 0, "first")
        equal(len(take(b, 20)), 20, "all of them")
        equal(subscribe(b, "new", **{"from": "new"}), 20, "new")
        equal(subscribe(b, "seq", **{"from": 15}), 14, "a seq")
        equal([s for s, _ in take(b, 6)], list(range(15, 21)), "from it on")
        for bad in ({"name": ""}, {"name": "x", "from": "yesterday"}, {"name": "x", "from": -1}, {"name": "x" * 65},
                    {"name": "x", "window": 0}, {"name": "x", "window": 100001}, {"name": "x", "filter": "all"}, {}):
            equal(b.error("SUBSCRIBE", bad), "bad_request", f"{bad}")
        b.close()


def test_takeover():
    """a second subscriber of a name takes it over; the first is told, its ACKs count no more"""
    with Site() as site:
        site.bus.publish(*numbered(10))
        a, b = Bus(site.commands), Bus(site.commands)
        subscribe(a, "billing", window=5)
        got = take(a, 5)
        equal(subscribe(b, "billing", window=5), 0, "nothing was acknowledged")
        f = a.recv()
        equal((f[0], f[1], json.loads(f[2])["code"]), (b"ERROR", b"billing", "taken"), "what the first is told")
        equal(take(b, 5), got, "sent again to the second")
        a.send("ACK", "billing", "5")
        equal(take(b, 1, timeout=0.5), [], "after the first one's ACK")
        a.close()
        b.close()


def test_end():
    """UNSUBSCRIBE keeps the cursor, FORGET does not, over a restart too"""
    with Site() as site:
        site.bus.publish(*numbered(10))
        b = Bus(site.commands)
        subscribe(b, "billing")
        b.send("ACK", "billing", str(take(b, 10)[-1][0]))
        equal(b.ask("UNSUBSCRIBE", {"name": "billing"})[0], "OK", "UNSUBSCRIBE")
        site.bus.publish(*numbered(1, 10))
        equal(take(b, 1, timeout=0.3), [], "after UNSUBSCRIBE")
        equal(subscribe(b, "billing"), 10, "the cursor")
        equal(b.ask("FORGET", {"name": "billing"})[0], "OK", "FORGET")
        equal(subscribe(b, "billing"), 0, "the cursor after FORGET")
        b.ask("FORGET", {"name": "billing"})
        site.stop()
        site.start()
        c = Bus(site.commands)
        equal(subscribe(c, "billing", **{"from": "new"}), 11, "forgotten over a restart")
        b.close()
        c.close()


def test_slow():
    """a subscriber that reads nothing holds nobody up and then misses nothing"""
    with Site() as site:
        b = Bus(site.commands)
        subscribe(b, "slow", window=100000)
        for k in range(50):
            site.bus.publish(*numbered(1000, k * 1000))
        equal([e["data"]["i"] for _, e in take(b, 50000, timeout=60)], list(range(50000)), "all, in order")
        b.close()


if __name__ == "__main__":
    run([f for name, f in list(globals().items()) if name.startswith("test_")])
