"""test_schemas.py - every sample, and thousands of variants of it, judged by the JSON
Schemas and by event_read () alike."""

import copy
import json
import os
import subprocess
import sys
import warnings

import jsonschema

warnings.simplefilter("ignore")
SRC, BUILD = os.environ["srcdir"], os.environ["builddir"]
SCHEMAS = os.path.join(SRC, "etc", "schema")

# What is tried in the place of each value.
VALUES = [0, -1, 9007199254740991, 9007199254740992, None, True, "", "a", "A b", "x" * 64,
          "x" * 65, "京" * 22, "京", [], [1], [{}], {}, {"a": None}, "person", "paid",
          "manual", "2026-11-21T08:00:00+08:00", "2026-11-21 08:00:00", "in-1"]


def validators():
    found = {}
    for name in sorted(os.listdir(SCHEMAS)):
        with open(os.path.join(SCHEMAS, name), encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.Draft202012Validator.check_schema(schema)
        found[name[: -len(".json")]] = jsonschema.Draft202012Validator(schema)
    return found


def samples():
    with open(os.path.join(SRC, "tests", "core", "schema", "samples.jsonl"),
              encoding="utf-8") as file:
        for line in file:
            if line[:2] in ("+ ", "- "):
                yield line[0] == "+", json.loads(line[2:])


def places(value, path=()):
    """Every path to a member or element."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield path + (key,)
        if isinstance(inner, (dict, list)):
            yield from places(inner, path + (key,))


def variants(event):
    yield event
    for path in list(places(event)):
        *inside, last = path
        for value in VALUES + ["remove"]:
            changed = copy.deepcopy(event)
            at = changed
            for key in inside:
                at = at[key]
            if value != "remove":
                at[last] = value
            elif isinstance(at, dict):
                del at[last]
            else:
                continue
            # Absent ids are for PUBLISH; the judge is asked as the broker asks.
            if "id" in changed:
                yield changed


def by_schema(found, event):
    kind = event.get("type")
    schema = found.get(kind) if isinstance(kind, str) else None
    if schema is None:
        # Types of third parties, and no types at all.
        if not isinstance(kind, str) or not kind.startswith("x."):
            return False
        schema = found["envelope"]
    return schema.is_valid(event)


def main():
    found = validators()
    events, wanted, bad = [], [], 0
    for good, event in samples():
        if by_schema(found, event) != good:
            print("not ok - the schema says otherwise:", json.dumps(event, ensure_ascii=False))
            bad += 1
        events.extend(variants(event))
    lines = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)
    judge = subprocess.run([os.path.join(BUILD, "test_samples"), "--judge"],
                           input=lines.encode(), capture_output=True, check=True)
    verdicts = judge.stdout.decode().split()
    assert len(verdicts) == len(events), (len(verdicts), len(events))
    accepted = 0
    for event, verdict in zip(events, verdicts):
        accepted += verdict == "+"
        # Lengths are counted in bytes here and in characters by JSON Schema.
        if by_schema(found, event) != (verdict == "+") and not in_bytes(event):
            bad += 1
            if bad < 20:
                print("not ok - event_read says", verdict,
                      json.dumps(event, ensure_ascii=False))
    types = {event["type"] for _, event in samples() if isinstance(event.get("type"), str)}
    for name in sorted(set(found) - types - {"envelope"}):
        print("not ok - no sample of", name)
        bad += 1
    print(f"{len(events)} events, {accepted} accepted, {bad} judged differently")
    return 1 if bad or not accepted else 0


def in_bytes(value):
    """Does a text of more than 64 bytes and at most 64 characters stand in it?"""
    if isinstance(value, str):
        return len(value) <= 64 < len(value.encode())
    if isinstance(value, (dict, list)):
        return any(map(in_bytes, value.values() if isinstance(value, dict) else value))
    return False


if __name__ == "__main__":
    sys.exit(main())
