#!/usr/bin/python3
"""test_sign.py - `parkbus sign` and `parkbus verify`: one row per way a signer goes wrong."""
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import urllib.parse
from pathlib import Path

PARKBUS = str(Path(os.environ.get("builddir", ".")).resolve() / "parkbus")
SOURCE = Path(os.environ.get("srcdir", ".")).resolve()
ENV = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PARKBUS"))}
ENV["LC_ALL"] = "C.UTF-8"
SECRET = "TESTSECRETTESTSECRETTESTSECRET00"
BASE = {"appid": "ik45nfuz", "Zone": "a b", "park_code": "5201030001", "vpl_number": "陕A12345", "serial_no": ""}
made = broken = 0


def promise(kept, text, got=""):
    global made, broken
    made += 1
    broken += not kept
    print(("ok" if kept else "not ok"), made, "-", text)
    if not kept:
        print("#", str(got).replace("\n", "\n# "))


def run(*words, stdin=b""):
    return subprocess.run([PARKBUS, *words], input=stdin, capture_output=True, env=ENV, timeout=60)


def out(done):
    return done.stdout.decode(errors="replace")


def body(params, sign, encoding="utf-8"):
    pairs = [(k, v.encode(encoding)) for k, v in params.items()] + [("sign", sign.encode())]
    return urllib.parse.urlencode(pairs).encode()


def digest(params, tail=SECRET, head="", encoding="utf-8", keep_empty=False, order=sorted, value=lambda k, v: v):
    text = "&".join(f"{k}={value(k, params[k])}" for k in order(params) if params[k] or keep_empty)
    return hashlib.md5(head.encode() + text.encode(encoding) + tail.encode()).hexdigest()


def lower(k, v):
    quoted = urllib.parse.quote(v, safe="")
    return "".join(c.lower() if quoted[max(0, i - 2):i].find("%") >= 0 else c for i, c in enumerate(quoted))


# What the signer did, the digest that came of it, and what verify has to say.
WRONG = [
    ("another secret", digest(BASE, tail="other"), "another secret: the 2. of"),
    ("values in GBK", digest(BASE, encoding="gbk"), "signed in GBK"),
    ("values percent-encoded", digest(BASE, value=lambda k, v: urllib.parse.quote(v, safe="")), "(%E4…)"),
    ("values percent-encoded in lower case", digest(BASE, value=lower), "(%e4…)"),
    ("blanks as plus signs", digest(BASE, value=lambda k, v: v.replace(" ", "+")), "signed as '+'"),
    ("'&' before the secret", digest(BASE, tail="&" + SECRET), "'&' stands before"),
    ("'&key=' before the secret", digest(BASE, tail="&key=" + SECRET), "'&key=' stands before"),
    ("'key=' before the secret", digest(BASE, tail="key=" + SECRET), "'key=' stands before"),
    ("'&appsecret=' before the secret", digest(BASE, tail="&appsecret=" + SECRET), "'&appsecret=' stands"),
    ("the secret first", digest(BASE, tail="", head=SECRET), "the secret stands before"),
    ("a secret with its line end", digest(BASE, tail=SECRET + "\n"), "a line feed is part"),
    ("an empty value", digest(BASE, keep_empty=True), "an empty value was signed"),
    ("the order sent", digest(BASE, order=list), "in the order sent"),
    ("sorted without regard to case", digest(BASE, order=lambda p: sorted(p, key=str.lower)), "without regard to case"),
    ("a plate with a blank", digest(BASE, value=lambda k, v: "陕 A12345" if k == "vpl_number" else v), "blank after its first"),
    ("values without blanks", digest(BASE, value=lambda k, v: v.replace(" ", "")), "without their blanks"),
    ("a parameter left out", digest({k: v for k, v in BASE.items() if k != "Zone"}), "Zone did not take part"),
    ("two things at once", digest(BASE, tail="&" + SECRET, encoding="gbk"), "signed in GBK"),
]

for row in json.loads((SOURCE / "tests/plugins/cmb/sign-vectors.json").read_text()):
    done = run("verify", "cmb", "--secret", row["secret"], row["form_body"])
    promise(done.returncode == 0 and row["string_a"] + "***" in out(done) and row["sign"] in out(done)
            and row["secret"] not in out(done), f"verify {row['id']}: it fits, the secret is not shown", out(done))
    done = run("sign", "cmb", "--secret", row["secret"], "-", stdin=row["form_body"].encode() + b"\n")
    promise(done.returncode == 0 and row["string_a"] + "***" in out(done)
            and out(done).rstrip().endswith("sign=" + row["sign"]), f"sign {row['id']}", out(done))

for what, sign, says in WRONG:
    done = run("verify", "cmb", "--secret", SECRET, "--guess-secret", "nothing", "--guess-secret", "other", "-",
               stdin=body(BASE, sign))
    promise(done.returncode == 1 and says in out(done) and "wanted       " + digest(BASE) in out(done)
            and "got          " + sign in out(done), f"verify finds: {what}", out(done))

done = run("verify", "cmb", "--secret", SECRET, "-", stdin=body(BASE, digest(BASE), "gbk"))
promise(done.returncode == 1 and "sent in GBK and signed in UTF-8" in out(done), "verify finds: sent in GBK, signed in UTF-8", out(done))
done = run("verify", "cmb", "--secret", SECRET, "-", stdin=body(BASE, "0" * 32))
promise(done.returncode == 1 and "nothing that was tried" in out(done), "verify owns up when nothing explains it", out(done))
done = run("verify", "cmb", "--secret", SECRET, "-", stdin=body(BASE, digest(BASE).upper()))
promise(done.returncode == 0 and "upper case" in out(done), "an upper-case digest fits, and is said", out(done))
done = run("verify", "cmb", "--secret", "new", "--secret", SECRET, "-", stdin=body(BASE, digest(BASE)))
promise(done.returncode == 0, "the older secret of a rotation fits", out(done))
done = run("verify", "cmb", "--secret", SECRET, "appid=1")
promise(done.returncode == 1 and "there is no sign" in out(done), "a body without sign", out(done))
with tempfile.NamedTemporaryFile("w", suffix=".secret") as file:
    file.write(SECRET + "\r\n")
    file.flush()
    done = run("verify", "cmb", "--secret-file", file.name, "-", stdin=body(BASE, digest(BASE)))
    promise(done.returncode == 0, "the secret from a file ends with its line", out(done))

for text, words, code, says in [
    ("no secret", ("verify", "cmb", "a=1"), 2, "--secret"),
    ("an unknown platform", ("verify", "nobody", "--secret", "x", "a=1"), 2, "there is: cmb"),
    ("no body", ("sign", "cmb", "--secret", "x"), 2, "missing"),
    ("a file that is not there", ("sign", "cmb", "--secret-file", "/nowhere/x", "a=1"), 1, "/nowhere/x"),
    ("a broken escape", ("sign", "cmb", "--secret", "x", "a=%5"), 1, "hexadecimal"),
    ("a parameter twice", ("sign", "cmb", "--secret", "x", "a=1&a=2"), 1, "twice"),
]:
    done = run(*words)
    promise(done.returncode == code and says in done.stderr.decode() and not done.stdout, f"{text}: exit {code}, one sentence",
            (done.returncode, done.stderr))

print(f"1..{made}")
sys.exit(1 if broken else 0)
