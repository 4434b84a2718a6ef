#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints the console's commands and its metrics, in Markdown, from their tables.

commands.py COMMANDS METRICS : docs/console.md is its head, and then this.
"""

import ast
import re
import sys
import textwrap
from pathlib import Path

WIDTH = 100
ENTRY = re.compile(r'^COMMAND\((.*?)\)$', re.MULTILINE | re.DOTALL)
STRING = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
FIELDS = re.compile(
    rf"{STRING},\s*\w+,\s*ARG_(\w+),\s*ARG_(\w+),\s*([\w |]+),\s*{STRING},\s*{STRING},\s*{STRING}$"
)
METRIC = re.compile(rf"^METRIC\({STRING},\s*(\w+),\s*\w+,\s*{STRING},\s*{STRING}\)$", re.MULTILINE)
WORDS = {"NONE": "", "VM_OR_HOST": "VM|host", "SETTING": "SYMBOL=VALUE"}


def text(strings: str) -> str:
    """C's string literals, put together."""
    return "".join(ast.literal_eval(one) for one in re.findall(r'"(?:[^"\\]|\\.)*"', strings))


def usage(name: str, kinds: list[str], flags: str, options: str) -> str:
    words = [word for kind in kinds if (word := WORDS.get(kind, kind))]
    if "COMMAND_OPTIONAL" in flags:
        words = [f"[{word}]" for word in words]
    if options and "COMMAND_MANY" in flags:
        words += [f"[{option.replace('=', ' ')}]" for option in options.split()]
    elif options:
        words.append(f"[{options.replace(' ', '|')}]")
    return " ".join([name, *words])


def metrics(table: str) -> str:
    """A row for each figure."""
    rows = ["| metric | type | labels | |", "|---|---|---|---|"]
    found = METRIC.findall(Path(table).read_text())
    for name, kind, labels, said in found:
        marks = ", ".join(f"`{label}`" for label in text(labels).split())
        rows.append(f"| `{text(name)}` | {kind} | {marks} | {text(said)} |")
    return "## Metrics\n\nWhat `metrics` prints, in Prometheus's text format.\n\n" + "\n".join(rows)


def main(table: str, figures: str) -> int:
    parts = []
    for entry in ENTRY.findall(Path(table).read_text()):
        found = FIELDS.match(entry)
        if not found:
            print(f"{table}: not understood: {entry}", file=sys.stderr)
            return 1
        name, first, second, flags, options, summary, detail = found.groups()
        said = text(summary)
        more = f"{said[0].upper()}{said[1:]}. {text(detail)}"
        if "COMMAND_WHOLE" in flags:
            more += " It must be typed in full."
        line = usage(text(name), [first, second], flags, text(options))
        parts.append(f"### `{line}`\n\n" + textwrap.fill(" ".join(more.split()), WIDTH))
    parts.append(metrics(figures))
    print("\n\n".join(parts))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
