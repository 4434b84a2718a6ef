# SPDX-License-Identifier: GPL-2.0-or-later
"""Says what is being done and how long it has taken so far, past whatever captures output."""

import sys
import time


class Progress:
    def __init__(self, what: str) -> None:
        self._what, self._start = what, time.monotonic()

    def __call__(self, step: str) -> None:
        assert sys.__stderr__
        elapsed = time.monotonic() - self._start
        print(f"[{elapsed:4.0f} s] {self._what}: {step}", file=sys.__stderr__, flush=True)
