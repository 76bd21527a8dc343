#!/usr/bin/python3
"""test_sim.py - parkbus-sim is as strict as the document, keeps exact books, and misbehaves on request."""
import hashlib
import http.client
import http.server
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

PROGRAM = Path(os.environ.get("builddir", "build")).resolve() / "parkbus-sim"
APPID, SECRET = "jigb2abc", "TESTSECRETTESTSECRETTESTSECRET00"
LOT = "5201020001"
promises = broken = 0


def promise(kept, text, detail=""):
    global promises, broken
    promises += 1
    broken += not kept
    print(f"{'ok' if kept else 'not ok'} {promises} - {text}" + (f": {detail}" if not kept else ""))
    return kept


def sign(form):
    text = "&".join(f"{k}={form[k]}" for k in sorted(form) if k != "sign" and form[k] != "")
    return hashlib.md5((text + SECRET).encode()).hexdigest()


class Lot:
    """The car park's side: answers as `answers` says, by path; keeps what came."""

    def __init__(self):
        self.got, self.answers, self.lock = [], {}, threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                form = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
                name = self.path.rsplit("/", 1)[1]
                with outer.lock:
                    outer.got.append((self.path, form))
                    queue = outer.answers.get(name, [(200, {"status": 0, "message": "success"})])
                    status, answer = queue.pop(0) if len(queue) > 1 else queue[0]
                out = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(out)))
                self.end_headers()
                self.wfile.write(out)

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/cmb"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def pushed(self, name):
        with self.lock:
            return [form for path, form in self.got if path == f"/cmb/cmbParking/{name}"]


class Sim:
    def __init__(self, folder, lot_url):
        self.ready = Path(folder) / "ready.json"
        scenario = Path(folder) / "scenario.yaml"
        scenario.write_text(f"""# a platform and one car park
seed: 5
ready_file: ready.json
platforms:
  cmb:
    listen: 127.0.0.1:0
    lot_url: {lot_url}
    appid: {APPID}
    appsecret: {SECRET}
    push_retry_ms: 20
    push_retry_max_ms: 40
    push_timeout_ms: 2000
    bound: {{京A00001: 20000}}
    lots:
      {LOT}: {{entries: [1, 3], exits: [1, 2]}}
""")
        self.process = subprocess.Popen([str(PROGRAM), "--config", str(scenario)], stdout=subprocess.PIPE, text=True)
        self.said = self.process.stdout.readline()
        self.url = json.loads(self.ready.read_text())["cmb"]
        self.host = urllib.parse.urlsplit(self.url).netloc

    def ask(self, method, path, body=None, media="application/json", timeout=20):
        """(status, bytes); status None: the connection ended without a byte, or nothing came in time."""
        connection = http.client.HTTPConnection(self.host, timeout=timeout)
        try:
            connection.request(method, path, body, {"Content-Type": media})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (http.client.RemoteDisconnected, TimeoutError) as silence:
            return None, type(silence).__name__.encode()
        finally:
            connection.close()

    def form(self, name, form, signed=True, timeout=20):
        if signed:
            form = dict(form, sign=sign(form))
        status, body = self.ask("POST", f"/api/{name}", urllib.parse.urlencode(form), "application/x-www-form-urlencoded", timeout)
        return status, (json.loads(body) if body[:1] == b"{" else body)

    def push(self, kind, **what):
        status, body = self.ask("POST", f"/sim/push/{kind}", json.dumps(what))
        return status, json.loads(body)

    def faults(self, *rules):
        return self.ask("POST", "/sim/faults", json.dumps(rules))

    def books(self):
        return json.loads(self.ask("GET", "/sim/books")[1])

    def until(self, condition, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            books = self.books()
            if condition(books):
                return books
            threading.Event().wait(0.02)
        return self.books()


def indata(record, **changes):
    form = {"appid": APPID, "park_code": LOT, "in_code": "1", "vpl_number": "京A12311", "record_id": record, "in_time": "1537155122",
            "car_type": "1", "power_type": "1", "plate_color": "0", "auth_type": "0"}
    form.update(changes)
    return {k: v for k, v in form.items() if v is not None}


ITEM = {"should_pay": 500, "actual_pay": 500, "pay_type": 1, "toll_collector": "0003", "seq_num": "c1", "time": 1537158000}


def outdata(record, items=(ITEM,), **changes):
    form = {"appid": APPID, "park_code": LOT, "in_code": "1", "out_code": "2", "vpl_number": "京A12311", "record_id": record,
            "in_time": "1537155122", "out_time": "1537158722", "charge_items": items if isinstance(items, str) else json.dumps(list(items))}
    form.update(changes)
    return {k: v for k, v in form.items() if v is not None}


def spaces(**changes):
    form = {"appid": APPID, "park_code": LOT, "total_empty": "700", "vip_empty": "600", "tmp_empty": "100"}
    form.update(changes)
    return {k: v for k, v in form.items() if v is not None}


# What is wrong, the endpoint, its form, the field that the violation names.
STRICT = [
    *((f"Indata without {name} is refused", "Indata", indata("S1", **{name: None}), name)
      for name in ("park_code", "in_code", "vpl_number", "record_id", "in_time", "car_type", "power_type")),
    *((f"Outdata without {name} is refused", "Outdata", outdata("X1", **{name: None}), name)
      for name in ("park_code", "in_code", "out_code", "vpl_number", "record_id", "in_time", "out_time", "charge_items")),
    *((f"SpaceInfo without {name} is refused", "SpaceInfo", spaces(**{name: None}), name)
      for name in ("park_code", "total_empty", "vip_empty", "tmp_empty")),
    ("an empty required field is missing", "Indata", indata("S2", vpl_number=""), "vpl_number"),
    ("a request without appid is refused", "Indata", indata("S3", appid=None), "appid"),
    ("another's appid is refused", "Indata", indata("S3", appid="somebody"), "appid"),
    ("an unknown car park is refused", "Indata", indata("S4", park_code="5201020002"), "park_code"),
    ("a lane beyond 255 is refused", "Indata", indata("S5", in_code="256"), "in_code"),
    ("a lane that the console does not know is refused", "Indata", indata("S6", in_code="7"), "in_code"),
    ("an exit lane is no entry lane", "Indata", indata("S6", in_code="2"), "in_code"),
    ("a lane with a leading zero is no number", "Indata", indata("S7", in_code="01"), "in_code"),
    ("a lane's name is no number", "Indata", indata("S8", in_code="in-1"), "in_code"),
    ("a plate with a space is refused", "Indata", indata("S9", vpl_number="京 A12311"), "vpl_number"),
    ("a plate of 31 characters is refused", "Indata", indata("S10", vpl_number="V" * 31), "vpl_number"),
    ("milliseconds are no Unix seconds", "Indata", indata("S11", in_time="1537155122000"), "in_time"),
    ("nine digits are no Unix seconds", "Indata", indata("S12", in_time="153715512"), "in_time"),
    ("car_type 3 does not exist", "Indata", indata("S13", car_type="3"), "car_type"),
    ("power_type 0 does not exist", "Indata", indata("S14", power_type="0"), "power_type"),
    ("plate_color 5 does not exist", "Indata", indata("S15", plate_color="5"), "plate_color"),
    ("auth_type 1 does not exist", "Indata", indata("S16", auth_type="1"), "auth_type"),
    ("model 12 does not exist", "Indata", indata("S17", model="12"), "model"),
    ("a field that the document does not have is noted", "Indata", indata("S18", spaces="4"), "spaces"),
    ("Outdata has no auth_type", "Outdata", outdata("X1", auth_type="0"), "auth_type"),
    ("negative spaces are refused", "SpaceInfo", spaces(total_empty="-1"), "total_empty"),
    ("a fraction of a space is refused", "SpaceInfo", spaces(tmp_empty="1.5"), "tmp_empty"),
    ("Outdata without Indata is refused", "Outdata", outdata("X404"), "record_id"),
    ("leaving before coming is refused", "Outdata", outdata("X1", out_time="1537155121"), "out_time"),
    ("another entry lane than Indata's is refused", "Outdata", outdata("X1", in_code="3"), "in_code"),
    ("charge_items that are no array are refused", "Outdata", outdata("X1", "{}"), "charge_items"),
    ("charge_items that are no JSON are refused", "Outdata", outdata("X1", "[{]"), "charge_items"),
    *((f"a charge item without {name} is refused", "Outdata", outdata("X1", [{k: v for k, v in ITEM.items() if k != name}]), name)
      for name in ITEM),
    ("an amount as text is no integer", "Outdata", outdata("X1", [dict(ITEM, actual_pay="500")]), "actual_pay"),
    ("an amount with a fraction is no integer", "Outdata", outdata("X1", [dict(ITEM, should_pay=5.5)]), "should_pay"),
    ("a negative amount is refused", "Outdata", outdata("X1", [dict(ITEM, should_pay=-1)]), "should_pay"),
    ("pay_type 25 does not exist", "Outdata", outdata("X1", [dict(ITEM, pay_type=25)]), "pay_type"),
    ("a serial number as number is refused", "Outdata", outdata("X1", [dict(ITEM, seq_num=1)]), "seq_num"),
    ("one payment listed twice is refused", "Outdata", outdata("X1", [ITEM, ITEM]), "seq_num"),
    ("a CMB payment that CMB does not know is refused", "Outdata", outdata("X1", [dict(ITEM, pay_type=99)]), "seq_num"),
]


def test_strict(sim):
    answer = sim.form("Indata", indata("X1"))
    promise(answer == (200, {"status": 0, "message": "success", "data": {"uid": 0}}), "a good Indata is answered 0", answer)
    for text, name, form, field in STRICT:
        before = sim.books()["violations"]
        status, answer = sim.form(name, form)
        after = sim.books()["violations"][len(before):]
        promise(status == 200 and answer.get("status") not in (0, None) and [v["field"] for v in after] == [field] and after[0]["sentence"],
                text, f"{status} {answer} {after}")
    books = sim.books()
    promise(list(books["visits"]) == ["X1"] and books["visits"]["X1"]["inside"] and not books.get("spaces"), "what was refused is not in the books",
            list(books["visits"]))


def raw(sim, name, body, media="application/x-www-form-urlencoded"):
    before = len(sim.books()["violations"])
    status, answer = sim.ask("POST", f"/api/{name}", body, media)
    return status, answer, [v["field"] for v in sim.books()["violations"][before:]]


def test_signatures(sim):
    form = indata("G1")
    good = urllib.parse.urlencode(dict(form, sign=sign(form)))
    rows = [
        ("no signature", urllib.parse.urlencode(form), "sign"),
        ("the signature of another secret", urllib.parse.urlencode(dict(form, sign="0" * 32)), "sign"),
        ("the signature in upper case", urllib.parse.urlencode(dict(form, sign=sign(form).upper())), "sign"),
        ("a changed value under the old signature", good.replace("in_code=1", "in_code=3"), "sign"),
        ("a field twice", good + "&in_code=1", "in_code"),
        ("GBK instead of UTF-8", good.replace("%E4%BA%AC", "%BE%A9"), ""),
        ("a broken escape", good + "&x=%zz", ""),
    ]
    for text, body, field in rows:
        status, answer, fields = raw(sim, "Indata", body)
        promise(status == 200 and json.loads(answer)["status"] != 0 and fields == [field], f"refused: {text}", f"{answer} {fields}")
        if field == "sign":
            promise("签名" in json.loads(answer)["message"], f"in the platform's own words: {text}", answer)
    status, answer, fields = raw(sim, "Indata", json.dumps(form), "application/json")
    promise(json.loads(answer)["status"] != 0 and fields == [""], "refused: JSON instead of a form", answer)
    # Signed by the rule of the document's chapter 3.2: an empty value is sent and not signed.
    printed = ("logo=0&in_time=1537155122&model=0&body_color=0&vpl_number=%E4%BA%ACA12311&auth_type=0&in_code=1&record_id=20180917113202192"
               "&car_type=1&power_type=1&owner=&park_code=5201020001&plate_color=0&appid=jigb2abc&sign=9067eca25b0e8241fc2e92405ce128bc")
    status, answer, fields = raw(sim, "Indata", printed)
    promise(json.loads(answer)["status"] == 0 and fields == [], "the document's printed Indata is accepted", f"{answer} {fields}")
    status, answer, fields = raw(sim, "Nothing", good)
    promise(status == 404 and len(fields) == 1, "an endpoint that the document lacks is 404 and noted", f"{status} {fields}")


def test_books(sim):
    answer = sim.form("Indata", indata("B1", vpl_number="京A00001"))[1]
    promise(answer.get("data") == {"uid": 1, "limit": 20000}, "Indata of a car that pays by itself says so, with its limit", answer)
    promise(sim.form("Indata", indata("B1", vpl_number="京A00001"))[1]["status"] == 0, "the same Indata again is answered 0")
    before = len(sim.books()["violations"])
    promise(sim.form("Indata", indata("B1", vpl_number="京A00002"))[1]["status"] != 0, "another Indata of the same record is refused")
    promise(len(sim.books()["violations"]) == before + 1, "and noted")
    promise(sim.form("SpaceInfo", spaces())[1]["status"] == 0, "a good SpaceInfo is answered 0")
    promise(sim.form("Outdata", outdata("B1", vpl_number="京A00001"))[1]["status"] == 0, "a good Outdata is answered 0")
    promise(sim.form("Outdata", outdata("B1", vpl_number="京A00001"))[1]["status"] == 0, "the same Outdata again is answered 0")
    promise(sim.form("Outdata", outdata("B1", (), vpl_number="京A00001"))[1]["status"] != 0, "another Outdata of the same record is refused")
    promise(sim.form("Outdata", outdata("X1", (), vpl_number="京A99999", in_time="1537155100"))[1]["status"] == 0, "an empty list of charges is accepted")
    books = sim.books()
    visit = books["visits"]["B1"]
    promise(not visit["inside"] and visit["out"]["charge_items"] == [ITEM] and visit["repeats"] == 1 and visit["out"]["repeats"] == 1,
            "the books hold the exit once, with its charges", visit)
    promise([r["record"] for r in books["remarks"]] == ["X1", "X1"], "a corrected plate and time are remarks, not violations", books["remarks"])
    promise(books["spaces"][LOT] == {"total_empty": 700, "vip_empty": 600, "tmp_empty": 100}, "the books hold the spaces")


def calc_answer(**changes):
    data = {"vpl_number": "京A77777", "record_id": "P1", "bill_id": "Q1", "in_time": 1537155122, "out_time": 1537158722, "duration": 3600,
            "charge": {"total_price": 1500, "should_pay": 1000, "paid": 300}, "discount": [{"unit": 0, "name": "券", "value": 200}]}
    data.update(changes)
    return {"status": 0, "message": "success", "data": {k: v for k, v in data.items() if v is not None}}


CALC = [
    ("calc answered by the document", calc_answer(), []),
    ("calc without bill_id and discount", calc_answer(bill_id=None, discount=None), []),
    ("calc without record_id", calc_answer(record_id=None), ["record_id"]),
    ("calc with a price as text", calc_answer(charge={"total_price": "1500", "should_pay": 1000, "paid": 300}), ["total_price"]),
    ("calc without its charge", calc_answer(charge=None), ["charge"]),
    ("calc with the time in milliseconds", calc_answer(in_time=1537155122000), ["in_time"]),
    ("calc for another plate", calc_answer(vpl_number="京B1"), ["vpl_number"]),
    ("calc with status as text", dict(calc_answer(), status="0"), ["status"]),
    ("calc with status 6", {"status": 6, "message": "?"}, ["status"]),
    ("calc without an order still names the plate", {"status": 2, "message": "none"}, [""]),
    ("calc without an order", {"status": 2, "message": "none", "data": {"vpl_number": "京A77777"}}, []),
    ("calc answered with nonsense", b"<html>", [""]),
]


def test_calc(sim, lot):
    sim.form("Indata", indata("P1", vpl_number="京A77777"))
    for text, answer, fields in CALC:
        lot.answers["calc"] = [(200, answer)]
        before = len(sim.books()["violations"])
        sim.push("calc", plate="京A77777")
        noted = [v["field"] for v in sim.books()["violations"][before:]]
        promise(noted == fields, f"judged: {text}", f"{noted}, not {fields}")
    status, answer = sim.push("calc", plate="京A66666")
    promise(status == 409, "a car that was not reported in is not asked for", f"{status} {answer}")
    asked = lot.pushed("calc")[0]
    promise(asked == {"appid": APPID, "park_code": LOT, "vpl_number": "京A77777", "sign": sign({k: v for k, v in asked.items()})},
            "calc is signed by the document", asked)
    sim.push("calc", out_code=2)
    asked = lot.pushed("calc")[-1]
    promise(asked.get("out_code") == "2" and "vpl_number" not in asked, "an exit scan sends out_code and no plate", asked)


def test_pay(sim, lot):
    lot.answers["calc"] = [(200, calc_answer())]
    orders = []
    for _ in range(2):
        status, result = sim.push("pay", plate="京A77777", time=1537158000)
        promise(status == 200 and result.get("amount") == 1000 and result["push"]["state"] == "acknowledged", "a driver pays what calc quoted", result)
        orders.append(result.get("order"))
    forms = lot.pushed("pay")
    lists = [json.loads(f["pay_list"]) for f in forms]
    promise(all(f["sign"] == sign(f) and f["record_id"] == "P1" and f["bill_id"] == "Q1" and f["pay_time"] == "1537158000" for f in forms),
            "pay is signed and echoes the record and the bill", forms)
    promise([type(l[0]["order"]) for l in lists] == [int, str] and [str(l[0]["order"]) for l in lists] == orders and len(set(orders)) == 2,
            "orders come as number and as text, each once", lists)
    lot.answers["pay"] = [(503, b""), (200, b"<html>"), (200, {"status": 1, "message": "later"}), (200, {"status": 0, "message": "success"})]
    before = len(lot.pushed("pay"))
    result = sim.push("pay", record_id="P1", plate="京A77777", amount=7)[1]
    promise(result["push"]["state"] == "open", "a payment that was not heard stays open", result)
    books = sim.until(lambda b: b["payments"][result["order"]]["state"] == "acknowledged")
    promise(books["payments"][result["order"]]["state"] == "acknowledged" and len(lot.pushed("pay")) == before + 4,
            "and is pushed until it is answered 0", books["payments"][result["order"]])
    bodies = lot.pushed("pay")[before:]
    promise(all(b == bodies[0] for b in bodies), "each time the same, byte for byte", bodies)
    promise([v["endpoint"] for v in books["violations"]][-1] == "pay", "a 200 that is no JSON is noted", books["violations"][-1])
    sim.faults({"fault": "repeat", "at": ["pay"], "times": 3, "together": True, "count": 1},
               {"fault": "lose_answer", "at": ["pay"], "count": 1})
    before = len(lot.pushed("pay"))
    result = sim.push("pay", record_id="P1", plate="京A77777", amount=8)[1]
    sim.until(lambda b: len(lot.pushed("pay")) >= before + 4)
    promise(len(lot.pushed("pay")) == before + 4, "repeat sends the payment three times more", len(lot.pushed("pay")) - before)
    before = len(lot.pushed("pay"))
    result = sim.push("pay", record_id="P1", plate="京A77777", amount=9)[1]
    sim.until(lambda b: b["payments"][result["order"]]["state"] == "acknowledged")
    promise(len(lot.pushed("pay")) == before + 2, "an answer that the platform lost makes it push again", len(lot.pushed("pay")) - before)
    item = dict(ITEM, pay_type=99, seq_num=orders[0], actual_pay=1000)
    promise(sim.form("Outdata", outdata("P1", [dict(item, actual_pay=999)], vpl_number="京A77777"))[1]["status"] != 0,
            "Outdata with another amount than CMB took is refused")
    promise(sim.form("Outdata", outdata("P1", [item], vpl_number="京A77777"))[1]["status"] == 0, "Outdata with CMB's own payment is accepted")


def test_binding(sim, lot):
    sim.faults()
    sim.form("Indata", indata("N1", vpl_number="粤B12345D"))
    result = sim.push("bind", plate="粤B12345D", limit=5000)[1]
    form = lot.pushed("autoPayBind")[-1]
    promise(result["push"]["state"] == "acknowledged" and form["limiter"] == "5000" and form["auto_pay_type"] == "0" and form["sign"] == sign(form),
            "a binding is pushed for a car that is inside", result)
    result = sim.push("bind", plate="粤B54321D", limit=5000)[1]
    promise("push" not in result and len(lot.pushed("autoPayBind")) == 1, "a car that is not inside is not told of", result)
    answer = sim.form("Indata", indata("N2", vpl_number="粤B54321D"))[1]
    promise(answer["data"] == {"uid": 1, "limit": 5000}, "but its Indata is answered with it", answer)
    result = sim.push("unbind", plate="粤B12345D")[1]
    promise(result["push"]["state"] == "acknowledged" and len(lot.pushed("autoPayUnbind")) == 1, "an unbinding is pushed", result)
    lot.answers["autoPayBind"] = [(503, b"")]
    sim.push("bind", plate="粤B12345D", limit=1)
    sim.push("unbind", plate="粤B12345D")
    books = sim.until(lambda b: [p["state"] for p in b["pushes"].values()][-2] == "superseded", 3)
    states = [p["state"] for p in books["pushes"].values()][-2:]
    promise(states == ["superseded", "acknowledged"], "the newer state replaces an open push", states)


def test_faults(sim):
    def visits():
        return sim.books()["visits"]
    sim.faults({"fault": "close_without_byte", "at": ["Indata"]})
    promise(sim.form("Indata", indata("F1"))[0] is None and "F1" in visits(), "close_without_byte: done, not a byte")
    sim.faults({"fault": "lose_answer", "at": ["Indata"]})
    promise(sim.form("Indata", indata("F2"), timeout=0.5) == (None, b"TimeoutError") and "F2" in visits(), "lose_answer: done, silence")
    sim.faults({"fault": "fail", "status": 502, "at": ["Indata"]})
    promise(sim.form("Indata", indata("F3"))[0] == 502 and "F3" not in visits(), "fail: the status asked for, not done")
    sim.faults({"fault": "html"})
    status, answer = sim.form("Indata", indata("F4"))
    promise(status == 200 and answer.startswith(b"<html>") and "F4" not in visits(), "html: 200 with a page, not done")
    sim.faults({"fault": "garbage"})
    promise(sim.form("Indata", indata("F5"))[0] == 200 and "F5" not in visits(), "garbage: 200 with no JSON, not done")
    sim.faults({"fault": "refuse"})
    promise(sim.form("Indata", indata("F6"))[1]["status"] != 0 and "F6" not in visits(), "refuse: the platform's own no, not done")
    sim.faults({"fault": "slow", "ms": 300})
    start = time.monotonic()
    status, took = sim.form("Indata", indata("F7"))[1]["status"], time.monotonic() - start
    # A clock of whole milliseconds may be up to one early.
    promise(status == 0 and took >= 0.299, "slow: answered late", (status, took))
    sim.faults({"fault": "fail", "every": 3, "count": 2})
    got = [sim.form("SpaceInfo", spaces())[0] for _ in range(12)]
    promise(got == [200, 200, 500] * 2 + [200] * 6, "every third, twice", got)
    sim.faults({"fault": "fail", "percent": 50})
    got = [sim.form("SpaceInfo", spaces())[0] for _ in range(60)]
    promise(10 < got.count(500) < 50, "half of them by chance", got.count(500))
    promise(sim.faults({"fault": "explode"})[0] == 400 and sim.faults({"fault": "slow", "at": ["Nowhere"]})[0] == 400, "unknown faults are refused")
    sim.faults()


BAD = [
    ("a missing file", None, "No such file"),
    ("no YAML", "seed: [", ":"),
    ("an unknown key", "sed: 1\nplatforms: {}\n", "scenario.yaml:1:6"),
    ("a key twice", "seed: 1\nseed: 2\nplatforms: {}\n", "scenario.yaml:2:1"),
    ("an unknown platform", "platforms:\n  nobody: {listen: 127.0.0.1:0}\n", "scenario.yaml:2:11"),
    ("a platform without an address", "platforms:\n  cmb: {appid: a, appsecret: b, lots: {}}\n", "'listen'"),
    ("a wrong address", "platforms:\n  cmb: {listen: here, appid: a, appsecret: b, lots: {}}\n", "'here'"),
    ("a car park that is no number", "platforms:\n  cmb: {listen: 127.0.0.1:0, appid: a, appsecret: b, lots: {north: {}}}\n", "'north'"),
    ("a fault without a kind", "platforms:\n  cmb: {listen: 127.0.0.1:0, appid: a, appsecret: b, lots: {1: {}}, faults: [{ms: 5}]}\n", "'fault'"),
]


def test_scenarios(folder):
    file = Path(folder) / "scenario.yaml"
    for text, content, wanted in BAD:
        file.unlink(missing_ok=True)
        if content is not None:
            file.write_text(content)
        run = subprocess.run([str(PROGRAM), "--config", str(file)], capture_output=True, text=True, timeout=20, env=dict(os.environ, LC_ALL="C"))
        promise(run.returncode == 2 and wanted in run.stderr and run.stderr.count("\n") == 1, f"a scenario with {text} is refused with a sentence",
                f"{run.returncode} {run.stderr}")
    for words, code in ((["--help"], 0), (["--version"], 0), ([], 2), (["--nonsense"], 2)):
        run = subprocess.run([str(PROGRAM), *words], capture_output=True, text=True, timeout=20)
        promise(run.returncode == code, f"parkbus-sim {' '.join(words)} exits {code}", run.returncode)


def main():
    lot = Lot()
    with tempfile.TemporaryDirectory() as folder:
        sim = Sim(folder, lot.url)
        try:
            promise(sim.url in sim.said, "the chosen address is printed and in the ready file", sim.said)
            test_strict(sim)
            test_signatures(sim)
            test_books(sim)
            test_calc(sim, lot)
            test_pay(sim, lot)
            test_binding(sim, lot)
            test_faults(sim)
        finally:
            sim.process.send_signal(signal.SIGTERM)
            promise(sim.process.wait(20) == 0, "SIGTERM ends it")
            sim.process.stdout.close()
        test_scenarios(folder)
    print(f"1..{promises}")
    return 1 if broken or not promises else 0


sys.exit(main())
