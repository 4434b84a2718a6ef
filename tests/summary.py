# SPDX-License-Identifier: GPL-2.0-or-later
"""Adds up the suites' results: summary.py FOLDER SUITE… reads FOLDER/SUITE.xml (JUnit).

A suite that left no file, or one that cannot be read, or one without a test counts as failed.
"""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

Counts = tuple[int, int, int]  # passed, failed, skipped


def count(results: Path) -> Counts:
    cases = list(ElementTree.parse(results).iter("testcase"))
    if not cases:
        raise ValueError("no test in it")
    outcomes = [{child.tag for child in case} for case in cases]
    failed = sum(1 for tags in outcomes if tags & {"failure", "error"})
    skipped = sum(1 for tags in outcomes if "skipped" in tags)
    return len(cases) - failed - skipped, failed, skipped


def main(folder: str, suites: list[str]) -> int:
    total = [0, 0, 0]
    for suite in suites:
        try:
            counts = count(Path(folder, f"{suite}.xml"))
            note = ""
        except (OSError, ValueError, ElementTree.ParseError) as error:
            counts, note = (0, 1, 0), f" (left no result: {error})"
        print(f"{suite:8} {counts[0]} passed, {counts[1]} failed, {counts[2]} skipped{note}")
        total = [a + b for a, b in zip(total, counts)]
    print(f"{total[0]} passed, {total[1]} failed")
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
