#!/usr/bin/python3
"""test_cmb.py - CMB and a car park on the bus: reports out, pushes in, what goes wrong."""
import threading

from kit import *

OK = (200, {"status": 0, "message": "success"})
CASH = {"tender": "cash", "due": 1000, "paid": 1000, "ref": "c1", "paid_at": "2026-11-21T09:59:00+08:00",
        "cashier": "0003"}


def pay(order, amount=1000, visit="V9", plate="陕A12345", **more):
    return dict({"vpl_number": plate, "record_id": visit, "bill_id": "", "pay_time": "1795226000",
                 "pay_list": json.dumps([{"pay_type": 99, "amount": amount, "order": order}])}, **more)


def test_reports():
    """Indata, Outdata, SpaceInfo by the document; what the exit lacks is added"""
    platform = Platform(lambda path, p: (200, {"status": 0, "message": "", "data": {"uid": 1, "limit": 20000}})
                        if path == "/api/Indata" else OK)
    with Site({"cmb": cmb_yaml(platform.url)}) as site:
        site.bus.publish(entry("V1", plate_color="blue", vehicle_class="small"))
        p = platform.wait("/api/Indata")[0]
        equal(p["sign"], cmb_sign(p), "the sign")
        equal({k: p.get(k) for k in ("park_code", "in_code", "vpl_number", "record_id", "in_time", "plate_color", "appid")},
              {"park_code": "5201030001", "in_code": "1", "vpl_number": "京A12311", "record_id": "V1",
               "in_time": "1795219200", "plate_color": "0", "appid": "ik45nfuz"}, "Indata")
        bound = site.bus.wait_for("bind.added.north")[0]
        equal((bound["source"], bound["subject"], bound["data"]["limit"]), ("cmb", "V1", 20000), "bind.added")
        equal(site.cmb("pay", **pay("12343535", visit="V1", amount=300))[1]["status"], 0, "a payment")
        site.bus.publish(leaving("V1", total_due=1300, settlement="paid", payments=[CASH]),
                         {"source": "gate", "type": "space.changed", "lot": "north",
                          "data": {"free": 120, "total": 300, "free_contract": 20, "free_visitor": 100}},
                         {"source": "gate", "type": "space.changed", "lot": "north", "data": {"free": 5, "area": "b2"}})
        p = platform.wait("/api/Outdata")[0]
        equal((p["in_code"], p["out_code"], p["in_time"], p["out_time"]), ("1", "2", "1795219200", "1795226400"),
              "lane_in and entered_at, which the exit did not say")
        equal([(i["pay_type"], i["actual_pay"], i["seq_num"]) for i in json.loads(p["charge_items"])],
              [(1, 1000, "c1"), (99, 300, "12343535")], "charge_items")
        p = platform.wait("/api/SpaceInfo")[0]
        equal((p["total_empty"], p["vip_empty"], p["tmp_empty"]), ("120", "20", "100"), "SpaceInfo")
        site.bus.publish(entry("V2"))
        platform.wait("/api/Indata", 2)
        equal(len([1 for path, _ in platform.calls if path == "/api/SpaceInfo"]), 1, "an area's figure went out")
        equal(len(site.bus.fetch_all("bind.added.north")), 1, "the same binding said again is no change")
    platform.close()


def test_order_and_retry():
    """the exit waits for the entry of its visit; others do not; a failed report is sent again"""
    gate, fails = threading.Event(), []

    def answer(path, p):
        if path == "/api/Indata" and p["record_id"] == "V1":
            if len(fails) < 2:
                fails.append(p)
                return 503, b"<html>busy</html>"
            gate.wait(30)
        return OK

    platform = Platform(answer)
    with Site({"cmb": cmb_yaml(platform.url)}) as site:
        site.bus.publish(entry("V1"), leaving("V1"), entry("V2"), leaving("V2"))
        out = platform.wait("/api/Outdata")
        equal([p["record_id"] for p in out], ["V2"], "the visit that is not held up")
        platform.wait("/api/Indata", 4)
        gate.set()
        equal([p["record_id"] for p in platform.wait("/api/Outdata", 2)], ["V2", "V1"], "then the other")
    platform.close()


def test_set_aside():
    """what cannot succeed is set aside with what follows in its visit; nothing else stops"""
    platform = Platform(lambda path, p: (200, {"status": 5, "message": "车牌非法"}) if p["record_id"] == "BAD" else OK)
    with Site({"cmb": cmb_yaml(platform.url)}) as site:
        site.bus.publish(entry("NOLANE", lane="in-9"), leaving("NOLANE"), entry("BAD"), leaving("BAD"),
                         leaving("UNSEEN"), entry("GOOD"), leaving("GOOD"))
        equal([p["record_id"] for p in platform.wait("/api/Outdata")], ["GOOD"], "Outdata")
        equal({p["record_id"] for p in platform.wait("/api/Indata", 2)}, {"BAD", "GOOD"}, "Indata")
        site.wait_plugin("cmb", lambda item: item["aside"] == 5)
        sentences = site.log()
        for word in ("in-9", "车牌非法", "UNSEEN"):
            need(word in sentences, f"the log does not name {word}: {sentences}")
        site.bus.wait_for("alarm.raised._")
        site.stop()
        site.start()
        equal(site.plugin("cmb")["aside"], 5, "set aside, after a restart")
        site.bus.publish(dict(leaving("BAD"), id="again"), entry("MORE"))
        platform.wait("/api/Indata", 3)
        site.wait_plugin("cmb", lambda item: item["aside"] == 6)
    platform.close()


def test_progress():
    """what was delivered before a kill -9 is not delivered again, what was not is"""
    platform = Platform()
    with Site({"cmb": cmb_yaml(platform.url)}) as site:
        site.bus.publish(*[entry(f"A{i}") for i in range(50)])
        platform.wait("/api/Indata", 50)
        site.wait_plugin("cmb", lambda item: not item["owed"])
        # Progress is noted at most 100 ms later, as a record of the journal: one more event
        # after it proves that it lies before.
        site.bus.fetch(**{"from": 1 << 40, "wait_ms": 300})
        site.bus.publish({"source": "g", "type": "x.mark", "data": {}})
        platform.close()
        site.bus.publish(*[entry(f"B{i}") for i in range(20)])
        site.kill()
        second = Platform(port=platform.port)
        site.start()
        got = second.wait("/api/Indata", 20, timeout=30)
        equal({p["record_id"] for p in got}, {f"B{i}" for i in range(20)}, "sent after the restart")
    second.close()


def test_never_its_own():
    """an instance gets no event of its own, and two instances get each other's"""
    platform, other = Platform(), Platform()
    with Site({"cmb": cmb_yaml(platform.url),
               "cmb-two": cmb_yaml(other.url).replace("mount: /cmb/", "mount: /two/")}) as site:
        site.bus.publish(entry("V1"))
        platform.wait("/api/Indata")
        other.wait("/api/Indata")
        equal(site.cmb("pay", mount="/two/", **pay("77"))[1]["status"], 0, "a push to the second mount")
        equal(site.bus.wait_for("pay.captured.north")[0]["source"], "cmb-two", "its source")
    platform.close()
    other.close()


def test_pushes():
    """pay, bind, unbind: on disk before 0; repeats get the first answer and do nothing"""
    with Site({"cmb": cmb_yaml("http://127.0.0.1:1")}) as site:
        first = site.cmb("pay", zz_new="x y+&=", **pay(12343535))
        equal(first[1]["status"], 0, "pay")
        event = site.bus.fetch_all("pay.captured.north")[0][1]
        equal({k: event["data"].get(k) for k in ("amount", "payment", "witness", "tender", "platform", "plate")},
              {"amount": 1000, "payment": "12343535", "witness": "push", "tender": "cmb", "platform": "cmb",
               "plate": "陕A12345"}, "pay.captured")
        equal((event["subject"], event["source"]), ("V9", "cmb"), "its envelope")
        equal(site.cmb("pay", zz_new="x y+&=", **pay(12343535)), first, "the repeat")
        equal(site.cmb("pay", **pay(12343535, amount=2000)), first, "the same order with another amount")
        case = site.bus.wait_for("case.opened.north")[0]
        equal((case["data"]["reason"], case["data"]["amount"], case["data"]["payment"], case["subject"]),
              ("contradiction", 2000, "12343535", "V9"), "the case")
        site.bus.wait_for("alarm.raised._")
        equal(len(site.bus.fetch_all("pay.captured.north")), 1, "captures")
        bind = {"vpl_number": "粤B12345D", "auto_pay_type": "0", "limiter": "20000", "serial_no": "S1"}
        for name, n in (("autoPayBind", 1), ("autoPayBind", 1), ("autoPayUnbind", 1), ("autoPayUnbind", 1), ("autoPayBind", 2)):
            params = bind if name == "autoPayBind" else {"vpl_number": "粤B12345D"}
            equal(site.cmb(name, **params)[1]["status"], 0, name)
            equal(len(site.bus.fetch_all("bind.added.north")), n, f"bind.added after {name}")
        equal(len(site.bus.fetch_all("bind.removed.north")), 1, "bind.removed")
        site.kill()
        site.start()
        equal(site.cmb("pay", zz_new="x y+&=", **pay(12343535)), first, "the repeat after a kill -9")
        equal(site.cmb("autoPayBind", **bind)[1]["status"], 0, "the bind after a kill -9")
        equal((len(site.bus.fetch_all("pay.captured.north")), len(site.bus.fetch_all("bind.added.north"))), (1, 2), "effects")


def test_same_millisecond():
    """the same push many times at once: one capture, one answer for all"""
    with Site({"cmb": cmb_yaml("http://127.0.0.1:1")}) as site:
        answers, start = [], threading.Barrier(8)

        def push():
            start.wait()
            answers.append(site.cmb("pay", **pay("once")))

        threads = [threading.Thread(target=push) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(20)
        equal([a[1]["status"] for a in answers], [0] * 8, "answers")
        equal(len(site.bus.fetch_all("pay.captured.north")), 1, "captures")


def test_refused():
    """bad pushes change nothing but a counter and the audit log"""
    with Site({"cmb": cmb_yaml("http://127.0.0.1:1")}) as site:
        rows = [
            ("a wrong secret", dict(secret="w" * 32, **pay("b1"))),
            ("another appid", dict(appid="other", **pay("b2"))),
            ("a broken pay_list", pay("b3", pay_list="[{")),
            ("a pay_list of nothing", pay("b4", pay_list="[]")),
            ("a float", pay("b5", pay_list='[{"pay_type":99,"amount":10.5,"order":"b5"}]')),
            ("no pay_time", {k: v for k, v in pay("b6").items() if k != "pay_time"}),
            ("another park_code", dict(park_code="9999999999", **pay("b7"))),
        ]
        for what, params in rows:
            status, out = site.cmb("pay", **params)
            need(isinstance(out, dict) and out["status"] != 0 and out["message"], f"{what}: {status} {out}")
        status, _ = site.post("/cmb/cmbParking/pay", "a=1&a=2")
        equal(status, 400, "a doubled parameter")
        equal(site.post("/cmb/cmbParking/none", "a=1")[0], 404, "an unknown path")
        equal(site.post("/cmb/cmbParking/pay", "{}", media="application/json")[0], 415, "another media type")
        equal(site.bus.fetch_all("pay.>"), [], "events")
        need("audit" in site.log(), "no audit line")


def test_calc():
    """calc in three modes; each outcome by the document's table; silence in time"""
    quote = {"outcome": "found", "visit": "V10", "plate": "陕A12345", "quote": "Q1",
             "entered_at": "2026-11-21T08:00:00+08:00", "as_of": "2026-11-21T10:00:00+08:00", "stay": 7200,
             "total": 1500, "due": 1000, "paid": 300, "leave_within": 900,
             "discounts": [{"unit": "money", "name": "券", "value": 200}, {"unit": "time", "name": "充电", "value": 3600}]}
    answers = {"now": quote}
    with Site({"cmb": cmb_yaml("http://127.0.0.1:1")}) as site:
        begun = time.monotonic()
        equal(site.cmb("calc", vpl_number="陕A12345")[1]["status"], 1, "no billing program")
        p = Provider(site.commands, ["fee.quote"], lambda s, h, b: answers["now"])
        out = site.cmb("calc", vpl_number="陕A12345")[1]
        equal(out["data"], {"vpl_number": "陕A12345", "record_id": "V10", "bill_id": "Q1", "in_time": 1795219200,
                            "out_time": 1795226400, "duration": 7200,
                            "charge": {"total_price": 1500, "should_pay": 1000, "paid": 300},
                            "discount": [{"unit": 0, "name": "券", "value": 200}, {"unit": 1, "name": "充电", "value": 3600}]},
              "data")
        for params, mode in (({"vpl_number": "陕A1"}, "plate"), ({"out_code": "2"}, "lane"),
                             ({"out_code": "2", "vpl_number": "无1"}, "plateless")):
            site.cmb("calc", **params)
            equal(p.seen[-1][1]["mode"], mode, f"{params}")
            equal(p.seen[-1][0]["caller"], "cmb", "the caller")
        equal(site.bus.fetch(last=1, filter=["fee.quoted.north"])[1][0][1]["data"]["asked_by"], "cmb", "asked_by")
        for outcome, status in (("no_session", 2), ("unknown_vehicle", 4), ("no_tariff", 5), ("busy", 1)):
            answers["now"] = {"outcome": outcome, "plate": "川X00000"}
            out = site.cmb("calc", vpl_number="川X00000")[1]
            equal(out["status"], status, outcome)
        answers["now"] = None
        begun = time.monotonic()
        equal(site.cmb("calc", vpl_number="陕A1")[1]["status"], 1, "a billing program that hangs")
        took = time.monotonic() - begun
        need(took < 3.5, f"the answer took {took:.1f} s, CMB waits 3.5 s")
        p.end()


def test_stale_answer():
    """an answer that was formed before a push does not undo what the push said"""
    asked, go = threading.Event(), threading.Event()

    def answer(path, p):
        if path != "/api/Indata":
            return OK
        asked.set()
        go.wait(30)
        return 200, {"status": 0, "message": "", "data": {"uid": 0}}

    platform = Platform(answer)
    with Site({"cmb": cmb_yaml(platform.url)}) as site:
        site.bus.publish(entry("V1", plate="粤B12345D"))
        need(asked.wait(10), "no Indata")
        equal(site.cmb("autoPayBind", vpl_number="粤B12345D", auto_pay_type="0", limiter="20000")[1]["status"], 0, "bind")
        go.set()
        platform.wait("/api/Indata")
        site.bus.publish(entry("V2", plate="京A12311"), leaving("V1"))
        platform.wait("/api/Outdata")
        equal([e["type"] for _, e in site.bus.fetch_all("bind.>")], ["bind.added"], "what was said of the binding")
    platform.close()


def test_alarms_stay():
    """an alarm that was raised before a restart is cleared after it"""
    platform = Platform()
    port = platform.port
    platform.close()
    with Site({"cmb": cmb_yaml(f"http://127.0.0.1:{port}")}) as site:
        site.bus.publish(*[entry(f"V{i}") for i in range(10)])
        equal(site.bus.wait_for("alarm.raised._")[0]["data"]["name"], "platform.cmb", "raised")
        site.kill()
        back = Platform(port=port)
        site.start()
        back.wait("/api/Indata", 10, timeout=60)
        equal(site.bus.wait_for("alarm.cleared._")[0]["data"]["name"], "platform.cmb", "cleared")
        equal(len(site.bus.fetch_all("alarm.raised._")), 1, "raised once")
        back.close()


def test_off():
    """an instance with a wrong file stays off with a sentence, the others run"""
    platform = Platform()
    rows = {"cmb": cmb_yaml(platform.url), "no-secret": cmb_yaml("http://127.0.0.1:1").replace("appsecret", "appsecrt"),
            "no-module": "module: nosuch\nurl: http://127.0.0.1:1\n",
            "disabled": cmb_yaml("http://127.0.0.1:1").replace("/cmb/", "/d/") + "enabled: false\n"}
    rows["no-secret"] = rows["no-secret"].replace("/cmb/", "/x/")
    with Site(rows) as site:
        equal(site.plugin("cmb")["state"], "up", "cmb")
        for name, word in (("no-secret", "appsecr"), ("no-module", "nosuch")):
            item = site.plugin(name)
            equal(item["state"], "off", name)
            need(word in item["sentence"], f"{name}: {item['sentence']}")
        site.bus.publish(entry("V1"))
        platform.wait("/api/Indata")
        changed = {e["data"]["name"]: e["data"]["state"] for _, e in site.bus.fetch_all("plugin.changed.>")}
        equal(changed, {"cmb": "up", "no-secret": "off", "no-module": "off"}, "plugin.changed")
        check = subprocess.run([STAGE / "bin/parkbusd", "--check", "--config", site.config], capture_output=True, text=True)
        equal(check.returncode, 2, "parkbusd --check")
        need("nosuch" in check.stderr and "appsecr" in check.stderr, check.stderr)
    platform.close()


def test_degraded():
    """a platform that is away: said once, reports are kept, then all arrive"""
    platform = Platform()
    port = platform.port
    platform.close()
    with Site({"cmb": cmb_yaml(f"http://127.0.0.1:{port}")}) as site:
        site.bus.publish(*[entry(f"V{i}") for i in range(10)])
        states = site.bus.wait_for("plugin.changed._", 2)
        equal([e["data"]["state"] for e in states], ["up", "degraded"], "plugin.changed")
        back = Platform(port=port)
        got = back.wait("/api/Indata", 10, timeout=60)
        equal({p["record_id"] for p in got}, {f"V{i}" for i in range(10)}, "what was kept")
        equal(site.bus.wait_for("plugin.changed._", 3)[2]["data"]["state"], "up", "plugin.changed")
        back.close()


if __name__ == "__main__":
    run([f for name, f in list(globals().items()) if name.startswith("test_")])
