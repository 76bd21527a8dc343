#!/usr/bin/python3
"""site.py - what a site's daemon takes: memory idle, memory with many ids, time to be ready.

    PARKBUS_STAGE=build/stage bench/site.py [EVENTS]     (1,000,000 unless told)

Prints VmRSS without plugins and with an empty journal, publishes EVENTS entries, and starts
the daemon again after SIGTERM and after kill -9, from a warm page cache.
"""
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "system"))
from kit import Site, entry  # noqa: E402


def rss_mib(site):
    for line in open(f"/proc/{site.process.pid}/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def ready_s(site):
    begun = time.monotonic()
    site.start(live=False)
    return time.monotonic() - begun


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with Site() as site:
        print(f"idle, empty journal: VmRSS {rss_mib(site):.1f} MiB")
        begun = time.monotonic()
        for start in range(0, count, 1000):
            site.bus.publish(*[entry(f"V{i}", plate_color="blue") for i in range(start, start + 1000)], timeout=60)
        took = time.monotonic() - begun
        print(f"{count} entries by one Python program, 1,000 a PUBLISH: {count / took:.0f} events/s, VmRSS {rss_mib(site):.1f} MiB")
        site.stop()
        print(f"ready again after SIGTERM: {ready_s(site):.2f} s, VmRSS {rss_mib(site):.1f} MiB")
        site.kill()
        print(f"ready again after kill -9: {ready_s(site):.2f} s, VmRSS {rss_mib(site):.1f} MiB")


if __name__ == "__main__":
    main()
