#!/usr/bin/python3
"""test_protocol.py - PB1 as a stranger speaks it: every verb, every refusal."""
import json
import time

from kit import *

SITE = None


def bus():
    return SITE.bus


QUOTE = {"outcome": "found", "visit": "V1", "plate": "京A12311", "entered_at": "2026-11-21T08:00:00+08:00",
         "as_of": "2026-11-21T10:00:00+08:00", "total": 1000, "due": 1000, "paid": 0, "leave_within": 600}


def test_malformed():
    """what is not a message is refused with a sentence and harms nothing"""
    rows = [  # what it is, frames, the request id that comes back
        ("no protocol", [b"HELLO"], b""),
        ("nothing after the protocol", [b"PB1"], b""),
        ("no request id", [b"PB1", b"PING"], b""),
        ("an empty request id", [b"PB1", b"PING", b""], b""),
        ("a request id of 65 bytes", [b"PB1", b"PING", b"r" * 65], b""),
        ("an unknown verb", [b"PB1", b"FROB", b"r"], b"r"),
        ("a verb that is not UTF-8", [b"PB1", b"\xff\xfe", b"r"], b"r"),
        ("PUBLISH of nothing", [b"PB1", b"PUBLISH", b"r"], b"r"),
        ("PUBLISH of 1001", [b"PB1", b"PUBLISH", b"r"] + [b"{}"] * 1001, b"r"),
        ("far too many frames", [b"PB1", b"PUBLISH", b"r"] + [b"{}"] * 3000, b"r"),
        ("FETCH without a head", [b"PB1", b"FETCH", b"r"], b"r"),
        ("FETCH with a head that is no JSON", [b"PB1", b"FETCH", b"r", b"{"], b"r"),
        ("FETCH with a list for a head", [b"PB1", b"FETCH", b"r", b"[]"], b"r"),
        ("FETCH with a head that is not UTF-8", [b"PB1", b"FETCH", b"r", b'{"a":"\xff"}'], b"r"),
        ("FETCH from before the beginning", [b"PB1", b"FETCH", b"r", b'{"from":-1}'], b"r"),
        ("FETCH with a text for a number", [b"PB1", b"FETCH", b"r", b'{"max":"9"}'], b"r"),
        ("FETCH with a filter that is none", [b"PB1", b"FETCH", b"r", b'{"filter":["pay..x"]}'], b"r"),
        ("FETCH that waits too long", [b"PB1", b"FETCH", b"r", b'{"wait_ms":30001}'], b"r"),
        ("CALL without a body", [b"PB1", b"CALL", b"r", b'{"service":"fee.quote"}'], b"r"),
        ("CALL of nothing", [b"PB1", b"CALL", b"r", b"{}", b"{}"], b"r"),
        ("CALL with a body that is no object", [b"PB1", b"CALL", b"r", b'{"service":"x.y"}', b"7"], b"r"),
        ("CALL with a float", [b"PB1", b"CALL", b"r", b'{"service":"x.y"}', b'{"a":1.5}'], b"r"),
        ("CALL for an unknown lot", [b"PB1", b"CALL", b"r", b'{"service":"x.y","lot":"mars"}', b"{}"], b"r"),
        ("CALL that is too short", [b"PB1", b"CALL", b"r", b'{"service":"x.y","timeout_ms":99}', b"{}"], b"r"),
        ("CALL that is too long", [b"PB1", b"CALL", b"r", b'{"service":"x.y","timeout_ms":60001}', b"{}"], b"r"),
        ("CALL with a body above 1 MiB",
         [b"PB1", b"CALL", b"r", b'{"service":"x.y"}', b'{"a":"' + b"x" * (1 << 20) + b'"}'], b"r"),
        ("SERVE for an unknown lot", [b"PB1", b"SERVE", b"r", b'{"services":["a.b"],"lots":["mars"]}'], b"r"),
        ("SERVE of no list", [b"PB1", b"SERVE", b"r", b'{"services":"a.b"}'], b"r"),
        ("SERVE of a name that is none", [b"PB1", b"SERVE", b"r", b'{"services":["A B"]}'], b"r"),
    ]
    for what, frames, rid in rows:
        bus().raw(*frames)
        f = bus().recv()
        need(f and f[0] == b"ERROR" and f[1] == rid, f"{what}: {f}")
        body = json.loads(f[2])
        need(body["code"] == "bad_request" and len(body["message"]) > 10, f"{what}: {body}")
    equal(bus().ask("PING")[0], "PONG", "afterwards")


def test_oversize():
    """8 MiB of events are refused, a frame above 16 MiB closes only its own connection"""
    other = Bus(SITE.commands)
    big = entry("BIG", remark="x" * 9000)
    other.send("PUBLISH", "r", *[big] * 1000)
    f = other.recv()
    equal((f[0], json.loads(f[2])["code"]), (b"ERROR", "bad_request"), "PUBLISH above 8 MiB")
    other.send("PUBLISH", "r", b"x" * (17 << 20))
    equal(other.recv(0.5), None, "an answer to a frame of 17 MiB")
    equal(bus().ask("PING")[0], "PONG", "the others")
    other.close()


def test_publish():
    """each event of a message has its own result, in order"""
    results = bus().publish(entry("P1"), entry("P2", lot="mars"), {"type": "no.such", "source": "g", "data": {}},
                            dict(entry("P3"), subject=None), "nonsense", entry("P4"))
    equal([("seq" in r, (r.get("error") or {}).get("code")) for r in results],
          [(True, None), (False, "bad_event"), (False, "bad_event"), (False, "bad_event"), (False, "bad_event"),
           (True, None)], "results")
    equal(results[1]["error"]["field"], "lot", "the member to blame")
    equal(results[5]["seq"], results[0]["seq"] + 1, "no hole in seq")
    equal(results[0]["id"], "e-P1", "the id")


def test_completion():
    """an absent id, time and specversion are made; what was sent stays as it was"""
    r = bus().publish({"source": "gate", "type": "space.changed", "lot": "north",
                       "data": {"free": 7, "mine": {"b": 1, "a": [1, 2]}}})[0]
    _, events = bus().fetch(**{"from": r["seq"], "max": 1})
    event = events[0][1]
    equal(event["id"], r["id"], "the id made")
    equal((event["specversion"], event["data"]), ("1.0", {"free": 7, "mine": {"b": 1, "a": [1, 2]}}), "the rest")
    need(event["time"].endswith("+08:00"), f"time {event['time']}")


def test_denied():
    """what only parkbus and its plugins say is denied to programs"""
    person = {"amount": 5, "payment": "c1", "tender": "cash", "witness": "person", "operator": "0003"}
    rows = [
        ({"type": "fee.quoted", "data": {"quote": "q", "total": 1, "due": 1, "paid": 0}}, "denied"),
        ({"type": "bind.added", "data": {"plate": "京A1"}}, "denied"),
        ({"type": "pay.captured", "data": dict(person, witness="push")}, "denied"),
        ({"type": "pay.captured", "data": {k: v for k, v in person.items() if k != "operator"}}, "denied"),
        ({"type": "pay.captured", "data": person}, None),
        ({"type": "alarm.raised", "data": {"name": "a", "sentence": "b"}}, "denied"),
        ({"type": "x.mine", "data": {"anything": True}}, None),
        ({"type": "x.mine", "source": "parkbus", "data": {}}, "denied"),
        ({"type": "x.mine", "source": "cmb", "data": {}}, "denied"),
    ]
    for event, code in rows:
        r = bus().publish(dict({"source": "desk", "lot": "north", "subject": "V9"}, **event))[0]
        equal((r.get("error") or {}).get("code"), code, f"{event}")


def test_dedupe():
    """the same event again is a duplicate whatever its order and space; another is a conflict"""
    first = bus().publish(entry("D1"))[0]
    again = json.dumps(dict(reversed(list(entry("D1").items()))), indent=3)
    equal(bus().publish(again)[0], {"id": "e-D1", "seq": first["seq"], "duplicate": True}, "the repeat")
    r = bus().publish(entry("D1", plate="沪B00001"))[0]
    equal(r["error"]["code"], "conflict", "another content")
    same = bus().publish(entry("D2"), entry("D2"), entry("D2", plate="沪B00001"))
    equal((same[0]["duplicate"], same[1]["duplicate"], same[2]["error"]["code"]), (False, True, "conflict"),
          "inside one message, before it is on disk")
    equal(bus().publish(dict(entry("D1"), source="other"))[0]["duplicate"], False, "another source")


def test_live():
    """the event socket: topic, seq, prev, the journaled bytes; bus.head names what changed"""
    a = bus().publish(entry("L1"), {"source": "s", "type": "x.live", "data": {}})
    topic, seq, prev, event = bus().next_event("x.live")
    equal((topic, seq, event["type"]), ("x.live._", a[1]["seq"], "x.live"), "without a lot")
    b = bus().publish({"source": "s", "type": "x.live", "data": {}})[0]
    _, seq2, prev2, _ = bus().next_event("x.live")
    equal((seq2, prev2), (b["seq"], seq), "prev")
    for _ in range(5):
        head, told, body = bus().next_head()
        if body["topics"].get("x.live._") == b["seq"]:
            break
    equal(body["topics"].get("x.live._"), b["seq"], "bus.head's topics")
    need(head >= b["seq"] and told <= head, f"bus.head {head} {told}")
    head2, told2, _ = bus().next_head()
    equal(told2, head, "bus.head names the one before it")


def test_fetch():
    """FETCH: from, last, max, filters, and waiting for what is to come"""
    base = bus().publish(*[{"source": "f", "id": f"f{i}", "type": "x.f1" if i % 2 else "x.f2", "data": {"i": i}}
                           for i in range(10)])
    start, end = base[0]["seq"], base[-1]["seq"]
    head, events = bus().fetch(**{"from": start, "max": 3})
    equal([s for s, _ in events], [start, start + 1, start + 2], "max")
    equal((head["next"], head["first"]), (start + 3, 1), "next and first")
    _, events = bus().fetch(**{"from": start, "filter": ["x.f1.>"]})
    equal([e["data"]["i"] for _, e in events], [1, 3, 5, 7, 9], "a filter")
    _, events = bus().fetch(last=3, filter=["*.f2._", "x.f1._"])
    equal([s for s, _ in events], [end - 2, end - 1, end], "the newest three, oldest first")
    _, events = bus().fetch(last=2, filter=["x.f2._"])
    equal([e["data"]["i"] for _, e in events], [6, 8], "the newest two of a topic")
    head, events = bus().fetch(**{"from": end + 100})
    equal((events, head["next"]), ([], end + 100), "beyond the head")
    waiting = Bus(SITE.commands)
    waiting.send("FETCH", "w", {"from": end + 1, "filter": ["x.later.>"], "wait_ms": 20000})
    bus().publish({"source": "f", "type": "x.noise", "data": {}})
    later = bus().publish({"source": "f", "type": "x.later", "data": {}})[0]
    f = waiting.recv(10)
    equal((f[0], int(f[3])), (b"EVENTS", later["seq"]), "the one it waited for")
    begun = time.monotonic()
    head, events = bus().fetch(**{"from": later["seq"] + 1, "filter": ["x.never.>"], "wait_ms": 200})
    need(events == [] and time.monotonic() - begun >= 0.15, "an empty answer after wait_ms")
    waiting.close()


def test_call():
    """CALL goes to the provider and its answer comes back"""
    p = Provider(SITE.commands, ["entry.check"], lambda s, h, b: {"outcome": "admit"})
    verb, f = bus().ask("CALL", {"service": "entry.check", "lane": "in-1", "timeout_ms": 3000}, {"plate": "京A1"})
    equal((verb, json.loads(f[0]), json.loads(f[1])), ("REPLY", {}, {"outcome": "admit"}), "the answer")
    head, body = p.seen[0]
    equal((head["service"], head["lot"], head["lane"], body), ("entry.check", "north", "in-1", {"plate": "京A1"}),
          "the request")
    need(0 < head["deadline_ms"] <= 3000 and head["caller"], f"{head}")
    p.end()
    equal(bus().error("CALL", {"service": "entry.check"}, {}), "no_provider", "after it has gone")


def test_call_refusals():
    """the provider's no is `rejected`; silence is `timeout` for a question, else unknown_outcome"""
    answers = {"entry.check": ("error", "rejected", "the plate is on the black list"), "picture.get": None, "gate.operate": None,
               "x.odd": ("error", "whatever", "a code that nobody knows")}
    p = Provider(SITE.commands, list(answers), lambda s, h, b: answers[s])
    equal(bus().error("CALL", {"service": "entry.check"}, {}), "rejected", "a no")
    equal(bus().error("CALL", {"service": "x.odd"}, {}), "rejected", "an unknown code")
    begun = time.monotonic()
    equal(bus().error("CALL", {"service": "picture.get", "timeout_ms": 300}, {}), "timeout", "a question")
    need(0.25 < time.monotonic() - begun < 3, "the deadline is kept")
    equal(bus().error("CALL", {"service": "gate.operate", "timeout_ms": 300}, {}), "unknown_outcome", "a command")
    p.end()


def test_late_reply():
    """a late reply is dropped and does no harm"""
    def late():
        return json.loads(bus().ask("CALL", {"service": "bus.stats"}, {})[1][1])["late_replies"]
    b, before = Bus(SITE.commands), late()
    b.ask("SERVE", {"services": ["picture.get"]})
    bus().send("CALL", "late", {"service": "picture.get", "timeout_ms": 100}, {})
    request = b.recv()
    f = bus().recv()
    equal((f[0], f[1]), (b"ERROR", b"late"), "the time-out")
    b.send("REPLY", request[1], {}, {"path": "x"})
    b.send("REPLY", "x999999", {}, {"path": "x"})
    equal(b.ask("PING")[0], "PONG", "the provider lives on")
    equal(bus().recv(0.2), None, "a second answer")
    equal(late() - before, 2, "late replies counted")
    b.close()


def test_provider_lost():
    """a question passes to another provider at once, a command gets unknown_outcome"""
    lost = Bus(SITE.commands)
    lost.ask("SERVE", {"services": ["visit.find", "gate.operate"], "lanes": ["in-1"]})
    other = Provider(SITE.commands, ["visit.find", "gate.operate"], lambda s, h, b: {"by": "other"})
    bus().send("CALL", "q", {"service": "visit.find", "lane": "in-1", "timeout_ms": 20000}, {})
    need(lost.recv()[0] == b"REQUEST", "the one that names the lane comes first")
    bus().send("CALL", "c", {"service": "gate.operate", "lane": "in-1", "timeout_ms": 20000}, {})
    need(lost.recv()[0] == b"REQUEST", "the command too")
    begun = time.monotonic()
    lost.close()
    got = {f[1]: f for f in (bus().recv(), bus().recv())}
    need(time.monotonic() - begun < 5, "noticed at once")
    equal((got[b"q"][0], json.loads(got[b"q"][3])), (b"REPLY", {"by": "other"}), "the question")
    equal((got[b"c"][0], json.loads(got[b"c"][2])["code"]), (b"ERROR", "unknown_outcome"), "the command")
    other.end()


def test_providers_by_lane():
    """lane and lot come before *, then the least busy"""
    any_ = Provider(SITE.commands, ["x.where"], lambda s, h, b: {"by": "any"})
    lane = Provider(SITE.commands, ["x.where"], lambda s, h, b: {"by": "lane"}, lanes=("out-1",))
    def by(**head):
        return json.loads(bus().ask("CALL", dict(head, service="x.where"), {})[1][1])["by"]
    equal([by(lane="out-1"), by(lane="in-1"), by()], ["lane", "any", "any"], "who answered")
    lane.end()
    second = Provider(SITE.commands, ["x.where"], lambda s, h, b: {"by": "second"})
    equal({by(), by()}, {"any", "second"}, "in turn when equally busy")
    any_.end()
    second.end()


def test_serve_replaced():
    """a new SERVE replaces the list, an empty one ends it, PONG tells"""
    b = Bus(SITE.commands)
    b.ask("SERVE", {"services": ["x.one"]})
    b.ask("SERVE", {"services": ["x.two"], "lots": ["north"]})
    equal(json.loads(b.ask("PING")[1][0])["services"], ["x.two"], "PONG's services")
    equal(bus().error("CALL", {"service": "x.one"}, {}), "no_provider", "the one given up")
    b.ask("SERVE", {"services": []})
    equal(bus().error("CALL", {"service": "x.two"}, {}), "no_provider", "after the empty list")
    equal(b.error("SERVE", {"services": ["plugin.list"]}), "denied", "a service of parkbus")
    b.close()


def test_ping():
    """PONG: node, version, head, boot, what this connection serves"""
    pong = json.loads(bus().ask("PING")[1][0])
    equal(sorted(pong), ["boot", "head", "names", "node", "services", "version"], "members")
    equal((pong["node"], pong["services"], pong["names"]), ("site-1", [], []), "values")


def test_quotes():
    """every quote found is an event before it is an answer; a missing quote id is made"""
    answers = {}
    p = Provider(SITE.commands, ["fee.quote"], lambda s, h, b: answers["now"])
    answers["now"] = dict(QUOTE)
    verb, f = bus().ask("CALL", {"service": "fee.quote"}, {"mode": "plate", "plate": "京A12311"})
    reply = json.loads(f[1])
    event = bus().fetch(last=1, filter=["fee.quoted.north"])[1][0][1]
    equal((event["subject"], event["data"]["quote"], event["data"]["due"], event["source"]),
          ("V1", reply["quote"], 1000, "parkbus"), "fee.quoted")
    need(len(reply["quote"]) > 8 and reply["stay"] == 7200 and event["data"]["asked_by"], f"{reply} {event}")
    answers["now"] = dict(QUOTE, quote="Q-7")
    equal(json.loads(bus().ask("CALL", {"service": "fee.quote"}, {"mode": "visit", "visit": "V1"})[1][1])["quote"],
          "Q-7", "billing's own id")
    count = len(bus().fetch_all("fee.quoted.>"))
    for bad in ({"outcome": "no_session", "plate": "京A12311"},):
        answers["now"] = bad
        equal(json.loads(bus().ask("CALL", {"service": "fee.quote"}, {"mode": "plate", "plate": "x"})[1][1]), bad, "passed on")
    for bad in ({}, {"outcome": "sure"}, {k: v for k, v in QUOTE.items() if k != "due"}, dict(QUOTE, total="1000"),
                dict(QUOTE, visit="no visit!"), dict(QUOTE, entered_at="yesterday")):
        answers["now"] = bad
        equal(bus().error("CALL", {"service": "fee.quote"}, {"mode": "plate", "plate": "x"}), "rejected", f"{bad}")
    for bad in ({}, {"mode": "nose"}, {"mode": "plate"}, {"mode": "visit"}, {"mode": "lane"}):
        equal(bus().error("CALL", {"service": "fee.quote"}, bad), "bad_request", f"{bad}")
    equal(len(bus().fetch_all("fee.quoted.>")), count, "quotes that were none")
    p.end()


def test_quote_knows():
    """billing is told what parkbus holds and who waits; what it has not booked is taken off"""
    p = Provider(SITE.commands, ["fee.quote"], lambda s, h, b: dict(QUOTE, visit="W1", paid=0, due=1000))
    bus().publish(entry("W1", plate="京W00001"),
                  {"source": "gate", "type": "lane.waiting", "lot": "north", "lane": "out-1", "subject": "W1",
                   "data": {"direction": "out", "plate": "京W00001"}},
                  {"source": "desk", "type": "pay.captured", "lot": "north", "subject": "W1",
                   "data": {"amount": 400, "payment": "c-9", "tender": "cash", "witness": "person", "operator": "7"}})
    reply = json.loads(bus().ask("CALL", {"service": "fee.quote"}, {"mode": "lane", "lane": "out-1"})[1][1])
    _, asked = p.seen[-1]
    equal((asked["visit"], asked["plate"], asked["captured"]), ("W1", "京W00001", 400), "what billing was told")
    equal((reply["paid"], reply["due"]), (400, 600), "the gap")
    alarm = bus().wait_for("alarm.raised.north")[-1]
    need("400" in alarm["data"]["sentence"], f"{alarm}")
    bus().publish({"source": "gate", "type": "lane.cleared", "lot": "north", "lane": "out-1", "data": {"direction": "out"}})
    bus().ask("CALL", {"service": "fee.quote"}, {"mode": "lane", "lane": "out-1"})
    need("visit" not in p.seen[-1][1], "a lane that was cleared")
    p.end()


def all_tests():
    global SITE
    with Site({"cmb": cmb_yaml("http://127.0.0.1:1") + "enabled: false\n"}) as SITE:
        tests = [f for name, f in globals().items() if name.startswith("test_")]
        failed = []
        for test in tests:
            if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
                continue
            try:
                test()
                print(f"ok - {test.__name__}: {test.__doc__}", flush=True)
            except Exception:
                failed.append(test.__name__)
                traceback.print_exc()
                print(f"not ok - {test.__name__}", flush=True)
        need(not failed, f"failed: {failed}")


if __name__ == "__main__":
    all_tests()
