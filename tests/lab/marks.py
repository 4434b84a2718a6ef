# SPDX-License-Identifier: GPL-2.0-or-later
"""Times from the appliance's own clock, as its messages carry them."""

import re

_MESSAGE = re.compile(r"^.*?\[ *(\d+\.\d+)\] (?:hvinit: )?(.*?)\s*$", re.MULTILINE)


def mark(text: str, beginning: str) -> float | None:
    """When the first "[ SECONDS] hvinit: MESSAGE" came whose message has that BEGINNING; a
    guest's line is a message, too: "demo| proof: done"."""
    for seconds, message in _MESSAGE.findall(text):
        if message.startswith(beginning):
            return float(seconds)
    return None
