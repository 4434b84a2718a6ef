#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Draws docs/figures.svg on standard output, from the tables in docs/figures.md: no figure is typed twice."""

import re
import sys
from html import escape
from pathlib import Path

FIGURES = Path(__file__).with_name("figures.md")
# Headings of the tables, what is drawn above each, the column, its unit and how many of those one is.
CHARTS = (
    ("Size", "out/hvinit.efi, as it is carried", 1, "MB", 1e6),
    ("From power-on to a guest", "from power-on, clock of the lab", 1, "s", 1.0),
)
TEXT, BAR, WIDE, HIGH = 230, 330, 640, 20
STYLE = "text{font:13px sans-serif;fill:#808080}.h{font-weight:bold}rect{fill:#3f7fbf}"

Row = tuple[str, float]


def table(text: str, heading: str, column: int) -> list[Row]:
    """The rows of the first table below a heading; those in bold type are sums and are left out."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if not found:
        raise ValueError(f"docs/figures.md has no heading {heading!r}")
    rows: list[Row] = []
    lines = re.search(r"(?:^\|.*\n)+", found[1], re.MULTILINE)
    for line in (lines[0] if lines else "").splitlines()[2:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not cells[0].startswith("**"):
            rows.append((cells[0].replace("`", ""), float(cells[column].replace(",", ""))))
    if not rows:
        raise ValueError(f"docs/figures.md has no table below {heading!r}")
    return rows


def bars(rows: list[Row], unit: str, of: float, top: int) -> list[str]:
    most = max(value for _, value in rows)
    lines: list[str] = []
    for number, (name, value) in enumerate(rows):
        y = top + number * HIGH
        width = round(value / most * BAR, 1)
        lines.append(f'<text x="{TEXT - 8}" y="{y + 14}" text-anchor="end">{escape(name)}</text>')
        lines.append(f'<rect x="{TEXT}" y="{y + 3}" width="{max(width, 0.5)}" height="{HIGH - 6}"/>')
        lines.append(f'<text x="{TEXT + width + 6:.1f}" y="{y + 14}">{value / of:.2f} {unit}</text>')
    return lines


def draw(text: str) -> str:
    lines: list[str] = []
    y = 4
    for heading, title, column, unit, of in CHARTS:
        rows = table(text, heading, column)
        total = sum(value for _, value in rows) / of
        lines.append(f'<text class="h" x="{TEXT}" y="{y + 14}">{title}: {total:.1f} {unit}</text>')
        lines += bars(rows, unit, of, y + HIGH)
        y += (len(rows) + 2) * HIGH
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDE}" height="{y}" role="img">'
    return "\n".join([
        "<!-- SPDX-License-Identifier: GPL-2.0-or-later -->",
        "<!-- Made from docs/figures.md by docs/chart.py: do not edit, run 'make docs'. -->",
        head, "<title>Size of the image by part, boot time by phase</title>", f"<style>{STYLE}</style>",
        *lines, "</svg>", "",
    ])  # fmt: skip


if __name__ == "__main__":
    sys.stdout.write(draw(FIGURES.read_text()))
