#!/usr/bin/python3
"""test_docs.py - the documents keep their word: links lead somewhere, examples run, lists are whole."""
import atexit
import re

from kit import *

DOCS = ROOT / "docs"


def pages():
    return [p for p in [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("plugins/*/README.md")]]


def anchor(heading):
    """What a heading is called in a link, as GitHub makes it."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", ""))
    return kept.replace(" ", "-")


def anchors(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    return {anchor(h) for h in re.findall(r"^#+ (.*)$", text, re.M)}


def test_links():
    """every link of every page leads to a file, every #anchor to a heading"""
    for page in pages():
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, part = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            need(file.exists(), f"{page.relative_to(ROOT)}: {target} leads nowhere")
            if part:
                need(part in anchors(file), f"{page.relative_to(ROOT)}: {target}: no such heading: {sorted(anchors(file))}")


def test_paths():
    """files that the pages name in code are there"""
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.glob("*.md")]:
        for path in re.findall(r"`((?:core|docs|etc|examples|include|plugins|sdk|tests|tools)/[\w./-]+)`", page.read_text()):
            need((ROOT / path).exists() or "NAME" in path, f"{page.relative_to(ROOT)} names {path}")


def test_functions():
    """functions that the walk names stand in the files that it names"""
    rows = [line for line in (DOCS / "architecture.md").read_text().splitlines() if re.match(r"\| \d", line)]
    need(len(rows) > 15, "no walk")
    for row in rows:
        where = row.split("|")[2]
        for file, names in re.findall(r"`([\w/]+\.c)`((?: ?(?:, )?`\w+`)+)", where):
            for name in re.findall(r"`(\w+)`", names):
                need(re.search(rf"\b{name} \(", (ROOT / file).read_text()), f"{file} has no {name}")


def test_alarms():
    """every alarm that the sources raise is explained"""
    source = "".join(p.read_text() for p in (ROOT / "core").rglob("*.c"))
    names = set(re.findall(r'bus_(?:alarm|notice) \([^;"]*"([a-z._]+)"', source)) | set(
        re.findall(r'snprintf \(alarm, sizeof alarm, "([a-z._]+)\.%s"', source))
    need(len(names) >= 5, f"only {names}")
    page = (DOCS / "operations.md").read_text()
    for name in names:
        need(f"`{name}`" in page or f"`{name}.<实例>`" in page, f"{name} is not in docs/operations.md")


def test_codes():
    """the table of error codes is that of the sources"""
    source = re.search(r"words\[\] = \{(.*?)\};", (ROOT / "core/base/error.c").read_text(), re.S)[1]
    spoken = set(re.findall(r'"(\w+)"', source)) - {"ok", "config", "damaged"}
    table = (DOCS / "protocol.md").read_text().split("| code | means | do |")[1].split("\n\n")[0]
    equal(set(re.findall(r"^\| `(\w+)` \|", table, re.M)), spoken, "codes")


# ------------------------------------------------------------------ the examples of protocol.md
def examples(to):
    found = {}
    for text in re.findall(r"```python\n(.*?)```", (DOCS / "protocol.md").read_text(), re.S):
        name = re.search(r'"""([a-z]+\.py) - ', text)[1]
        (to / name).write_text(text)
        found[name] = to / name
    return found


class Program:
    def __init__(self, path, *words):
        self.process = subprocess.Popen([sys.executable, "-u", path, *map(str, words)], stdout=subprocess.PIPE, text=True)
        atexit.register(self.end)  # Also when a test fails
        self.lines, self.came = [], threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            with self.came:
                self.lines.append(line.strip())
                self.came.notify_all()

    def wait(self, n, timeout=20):
        with self.came:
            need(self.came.wait_for(lambda: len(self.lines) >= n, timeout), f"{self.lines}, not {n} lines")
            return list(self.lines)

    def end(self):
        self.process.kill()
        self.process.wait()


def until(condition, what, timeout=20):
    end = time.monotonic() + timeout
    while not condition():
        need(time.monotonic() < end, what)
        SITE.bus.fetch(**{"from": 1 << 40, "wait_ms": 50})


def test_examples():
    """the programs of docs/protocol.md do what the page says, over a restart of parkbusd too"""
    found = examples(SITE.dir)
    equal(sorted(found), ["durable.py", "entry.py", "fee.py", "follow.py", "watch.py"], "programs")
    out = subprocess.run([sys.executable, found["entry.py"], SITE.commands], capture_output=True, text=True, timeout=20)
    need(out.returncode == 0 and "'duplicate': False" in out.stdout, f"entry.py: {out}")
    fee = Program(found["fee.py"], SITE.commands)
    follow = Program(found["follow.py"], SITE.commands, SITE.dir / "follow.seq")
    durable = Program(found["durable.py"], SITE.commands)
    watch = Program(found["watch.py"], SITE.commands, SITE.events)

    def quote(**question):
        verb, f = SITE.bus.ask("CALL", {"service": "fee.quote"}, question)
        return json.loads(f[-1])

    def pay(n):
        SITE.bus.publish({"source": "desk", "type": "pay.captured", "lot": "north", "subject": "V0001",
                          "data": {"amount": n, "payment": f"c-{n}", "tender": "cash", "witness": "person", "operator": "7"}})

    def opened(n):
        for _ in range(n):
            SITE.bus.publish({"source": "gate", "type": "gate.opened", "lot": "north", "lane": "in-1", "data": {"reason": "entry"}})

    until(lambda: "outcome" in quote(mode="visit", visit="V0001"), "fee.py does not serve")
    equal(quote(mode="visit", visit="V0001")["due"], 500, "before paying")
    pay(200)
    equal(quote(mode="visit", visit="V0001")["due"], 300, "after paying")
    equal(quote(mode="lane", lane="out-1")["outcome"], "no_car", "by lane")
    equal(follow.wait(1), ["200 c-200"], "follow.py")
    equal(durable.wait(1), ["200 c-200"], "durable.py")
    # Live from the moment its SUB has joined, which nobody tells: until it shows something.
    until(lambda: opened(1) or watch.lines, "watch.py shows nothing")
    opened(2)
    SITE.kill()
    SITE.start()
    until(lambda: "outcome" in quote(mode="visit", visit="V0001"), "fee.py does not serve again")
    opened(2)
    pay(100)
    equal(follow.wait(2), ["200 c-200", "100 c-100"], "follow.py after the restart")
    equal(durable.wait(2), ["200 c-200", "100 c-100"], "durable.py after the restart")
    equal(SITE.bus.ask("SUBSCRIBE", {"name": "accounts"})[0], "OK", "taking durable.py's name")
    equal(durable.process.wait(20), 1, "durable.py's end when its name is taken")
    durable = Program(found["durable.py"], SITE.commands)
    pay(50)
    until(lambda: "50 c-50" in durable.lines, "durable.py begun again")
    first = int(watch.lines[0].split()[0])
    wanted = [seq for seq, _ in SITE.bus.fetch_all("gate.opened.*") if seq >= first]
    seqs = [int(line.split()[0]) for line in watch.wait(len(wanted))]
    equal(seqs, wanted, "watch.py: each once, in order, over the restart too")
    for program in (fee, follow, durable, watch):
        program.end()


def test_readme():
    """the gate of README.md publishes and serves"""
    text = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)[1]
    need("tcp://127.0.0.1:5571" in text, "no endpoint in it")
    path = SITE.dir / "readme.py"
    path.write_text(text.replace("tcp://127.0.0.1:5571", SITE.commands))
    gate = Program(path)
    need("OK" in gate.wait(1)[0], f"{gate.lines}")
    until(lambda: SITE.bus.ask("CALL", {"service": "gate.operate"}, {})[0] == "REPLY", "it does not serve")
    gate.end()


if __name__ == "__main__":
    with Site() as SITE:
        run([test_links, test_paths, test_functions, test_alarms, test_codes, test_examples, test_readme])
