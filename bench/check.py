"""Checks that scored folders hold the numbers of a reference: an expected.json of the fixtures, or another folder.

python check.py REFERENCE FOLDER...

Every number to 1e-9 (relative above 1), names, labels and both lists exactly. Only the standard library, so that what
judges the peers is none of them. Exits 1 and names the first differences if there are any.
"""

import csv
import json
import sys
from pathlib import Path

TOLERANCE = 1e-9
SHOWN = 10
TEXT = {"quality_status"}


def folder(path: Path) -> dict:
    """What a run wrote: {"rows": {domain: {column: text}}, "allowlist": [...], "blocklist": [...]}."""
    with open(path / "results.csv", encoding="utf-8", newline="") as lines:
        rows = {row.pop("domain"): row for row in csv.DictReader(lines)}
    lists = {name: (path / f"{name}.txt").read_text("utf-8").split() for name in ("allowlist", "blocklist")}
    return {"rows": rows, **lists}


def expected(path: Path) -> dict:
    """The fixture's truth in the shape of `folder`; its contribution_* are Shapley values, another quantity."""
    truth = json.loads(path.read_text("utf-8"))
    rows = {}
    for row in truth["rows"]:
        kept = {k: v for k, v in row.items() if not k.startswith("contribution_") and "outlier" not in k}
        kept["percentile"] = kept.pop("percentile_rank")
        rows[kept.pop("entity")] = kept
    return {"rows": rows, "allowlist": truth["whitelist"], "blocklist": truth["blacklist"]}


def same(column: str, a: object, b: object) -> bool:
    """Equal text, both missing, or numbers within the tolerance."""
    if a in ("", None) or b in ("", None):
        return (a in ("", None)) == (b in ("", None))
    if column in TEXT:
        return a == b
    x, y = float(a), float(b)
    return abs(x - y) <= TOLERANCE * max(1.0, abs(x), abs(y))


def differences(reference: dict, run: dict) -> list[str]:
    """What does not agree, a line each."""
    found = []
    for name in ("allowlist", "blocklist"):
        if reference[name] != run[name]:
            found.append(f"{name}: {reference[name][:3]}... was expected, {run[name][:3]}... was written")
    only_reference, only_run = reference["rows"].keys() - run["rows"].keys(), run["rows"].keys() - reference["rows"].keys()
    found += [f"{name}: missing" for name in sorted(only_reference)] + [f"{name}: not expected" for name in sorted(only_run)]
    for name, row in reference["rows"].items():
        written = run["rows"].get(name, {})
        shared = row.keys() & written.keys() if written else set()
        if written and not {"score", "percentile", "cpm"} <= shared:
            found.append(f"{name}: columns are missing, only {sorted(shared)} can be compared")
        found += [
            f"{name}: {column} is {written[column]}, expected {row[column]}"
            for column in sorted(shared)
            if not same(column, row[column], written[column])
        ]
    return found


def main() -> int:
    """Compares each folder with the reference."""
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    path = Path(sys.argv[1])
    reference = folder(path) if path.is_dir() else expected(path)
    failed = 0
    for name in sys.argv[2:]:
        found = differences(reference, folder(Path(name)))
        failed += bool(found)
        print(f"{name}: {'agrees' if not found else f'{len(found)} differences'} ({len(reference['rows'])} domains)")
        for line in found[:SHOWN]:
            print(f"  {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
