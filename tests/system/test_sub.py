#!/usr/bin/python3
"""test_sub.py - `parkbus sub --name` against the real daemon: nothing missed, nothing out of
order, and nothing twice but what was not acknowledged when somebody was killed.
"""
import random

from kit import *

SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))


class Sub:
    """A running `parkbus sub`, its lines in a file that outlives it."""

    def __init__(self, site, *words):
        self.path = site.dir / f"sub-{random.getrandbits(64):x}"
        with open(self.path, "wb") as out, open(site.dir / "sub.log", "ab") as log:
            self.process = subprocess.Popen([STAGE / "bin/parkbus", "sub", "--url", site.commands, "--seq", *words],
                                            stdout=out, stderr=log, env=dict(os.environ, LC_ALL="C"))

    def seqs(self):
        """Of whole lines; a kill may leave half a one."""
        lines = self.path.read_bytes().split(b"\n")[:-1]
        need(all(json.loads(line.split(b"\t")[1])["source"] for line in lines), "no event")
        return [int(line.split(b"\t")[0]) for line in lines]

    def wait(self, n, timeout=60):
        """Until n lines are there."""
        end = time.monotonic() + timeout
        while len(self.seqs()) < n:
            need(self.process.poll() is None, f"parkbus sub ended with {self.process.returncode}")
            need(time.monotonic() < end, f"{len(self.seqs())} of {n} lines in {timeout} s")
            threading.Event().wait(0.01)
        return self.seqs()

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.process.wait(15)


def numbered(n, kind="x.n"):
    return [{"source": "g", "type": kind, "data": {"n": i, "pad": "x" * (i % 500)}} for i in range(n)]


def cli(site, *words):
    return subprocess.run([STAGE / "bin/parkbus", *words, "--url", site.commands], capture_output=True, text=True,
                          timeout=60, env=dict(os.environ, LC_ALL="C"))


def printed(done):
    need(done.returncode == 0, f"{done}")
    return [int(line.split("\t")[0]) for line in done.stdout.splitlines()]


def test_count():
    """--count N takes N, the next run goes on behind them; the filter holds; --forget begins anew"""
    with Site() as site:
        site.bus.publish(*numbered(30), *numbered(30, "x.other"))

        def sub(n, *words):
            return printed(cli(site, "sub", "--seq", "--name", "billing", "--count", str(n), "x.n.>", *words))

        equal(sub(7), list(range(1, 8)), "the first seven")
        equal(sub(20, "--from", "new"), list(range(8, 28)), "twenty more; --from counts only the first time")
        site.stop()
        site.start()
        equal(sub(3), [28, 29, 30], "the rest, over a restart")
        equal(printed(cli(site, "sub", "--name", "billing", "--forget")), [], "--forget")
        equal(sub(30), list(range(1, 31)), "anew")
        seq = printed(cli(site, "pub", "x.n", "{}"))[0]
        equal(sub(1), [seq], "what came meanwhile")


def test_daemon_killed():
    """parkbusd is killed under load: one sub prints every event once, in order"""
    with Site() as site:
        sub = Sub(site, "--name", "billing", "--from", "first")
        total = 0
        for _ in range(8):
            site.bus.publish(*numbered(1000))
            total += 1000
            sub.wait(total - random.randrange(1000))
            site.kill()
            site.start()
        total = site.bus.publish(*numbered(1))[0]["seq"]
        equal(sub.wait(total), list(range(1, total + 1)), "every event once, in order")
        equal(sub.end(), 0, "Ctrl-C")


def test_sub_killed():
    """the sub is killed while it prints: the next goes on, a few come again, none is missed"""
    with Site() as site:
        for _ in range(20):
            site.bus.publish(*numbered(1000))
        last = again = kills = 0
        while last < 20000:
            words = [STAGE / "bin/parkbus", "sub", "--url", site.commands, "--seq", "--name", "billing"]
            sub = subprocess.Popen(words, stdout=subprocess.PIPE, env=dict(os.environ, LC_ALL="C"))
            # It goes on while the pipe has room; somewhere in there it dies.
            lines = [sub.stdout.readline() for _ in range(min(random.randrange(1, 1500), 20000 - last))]
            sub.kill()
            lines += sub.stdout.readlines()
            sub.wait()
            sub.stdout.close()
            seqs = [int(line.split(b"\t")[0]) for line in lines if line.endswith(b"\n")]
            equal(seqs, list(range(seqs[0], seqs[-1] + 1)), "no hole within one run")
            need(seqs[0] <= last + 1, f"{last + 1} to {seqs[0] - 1} are missed")
            need(last + 1 - seqs[0] <= 1000, f"{last + 1 - seqs[0]} lines came again: more than a window")
            again += last + 1 - seqs[0]
            kills += 1
            last = max(last, seqs[-1])
        print(f"# {kills} kills, {again} lines came again", flush=True)


def test_taken():
    """a second sub of the name takes it over; the first says so and ends with 1"""
    with Site() as site:
        first = Sub(site, "--name", "billing")
        site.bus.publish(*numbered(10))
        first.wait(10)
        second = Sub(site, "--name", "billing")
        equal(first.process.wait(15), 1, "the first one's end")
        need("billing is taken" in (site.dir / "sub.log").read_text(), "no sentence")
        seq = site.bus.publish(*numbered(1))[0]["seq"]
        end = time.monotonic() + 10
        while seq not in second.seqs() and time.monotonic() < end:
            threading.Event().wait(0.01)
        need(seq in second.seqs(), "the second gets nothing")
        equal(second.end(), 0, "Ctrl-C")


if __name__ == "__main__":
    print(f"# SEED={SEED}", flush=True)
    random.seed(SEED)
    run([test_count, test_daemon_killed, test_sub_killed, test_taken])
