#!/usr/bin/python3
"""test_sandbox.py - ./run.sh --once, as a newcomer plays it: every fen explained, also over kill -9."""
import os
import subprocess
import sys
from pathlib import Path

SOURCES = Path(os.environ.get("srcdir", ".")).resolve()
BUILD = Path(os.environ.get("builddir", SOURCES / "build")).resolve()
PLAY = [sys.executable, str(SOURCES / "tools/sandbox/play.py"), "--once", "--quiet", "--build", str(BUILD)]

ROWS = [
    ("an ordinary day, within a minute", [], 60),
    ("parkbusd killed five times, sample programs in Python", ["--kill", "5", "--python", "--seed", "2"], 240),
]


def main():
    good = True
    for number, (words, options, seconds) in enumerate(ROWS, 1):
        try:
            run = subprocess.run(PLAY + options, capture_output=True, text=True, timeout=400, env=dict(os.environ, LC_ALL="C.UTF-8", PYTHONDONTWRITEBYTECODE="1"))
            lines = run.stdout.splitlines()
            took = next((int(line.split()[-2]) for line in lines if line.endswith(" s") and " visits in " in line), None)
            kept = run.returncode == 0 and "unexplained fen: 0" in lines and took is not None and took < seconds
            said = run.stdout + run.stderr
        except subprocess.TimeoutExpired as late:
            kept, said = False, f"{late}\n{late.stdout}"
        good = good and kept
        print(f"{'ok' if kept else 'not ok'} {number} - {words}", flush=True)
        if not kept:
            print(said)
    print(f"1..{len(ROWS)}")
    return 0 if good else 1


sys.exit(main())
