# SPDX-License-Identifier: GPL-2.0-or-later
"""The README's transcripts, held against what the appliance has really said."""

import re

from .paths import ROOT

PROMPTS = r"(?:hvinit>|rescue#)\s+"


def transcript(first: str) -> list[str]:
    """The lines of the README's example that has FIRST in it, from there on, without those left out."""
    text = (ROOT / "README.md").read_text()
    block = text[text.index(f"    {first}"):]
    lines = re.match(r"(?:    .*\n|(?=\n)\n(?=    ))+", block)
    assert lines, first
    return [line[4:] for line in lines[0].splitlines() if line.strip() not in ("", "…")]


def alike(line: str) -> str:
    """LINE, whatever its numbers are and whatever stood on the screen's line before."""
    line = re.sub(rf"^(?:{PROMPTS})+(?=\[)", "", line)
    return " ".join(re.sub(r"\d+", "#", line).split())


def missing(first: str, console: str) -> list[str]:
    """Lines of that transcript that are not in CONSOLE, in their order."""
    said = iter([alike(line) for line in console.splitlines()])
    return [line for line in transcript(first) if alike(line) not in said]
