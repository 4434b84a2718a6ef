# SPDX-License-Identifier: GPL-2.0-or-later
"""Every way to die at every point of a start: how each of them is told."""

import functools
import re
from collections.abc import Callable

from .machine import Machine, Symbols, await_that

WAYS = {
    "well": "exit=0",
    "badly": "exit=1",
    "talking": "say=qemu-system-aarch64: it cannot be;exit=1",
    "abort": "signal=6",
    "fault": "signal=11",
    "killed": "signal=9",
    "asked": "signal=15",
    "stolen": "close;exit=0",
}
EARLY = {
    "well": ("stopped", "QEMU ended"),
    "badly": ("failed", "QEMU exited with status 1"),
    "talking": ("failed", "QEMU: it cannot be"),
    "abort": ("failed", r"QEMU was killed by signal 6 \(Aborted\)"),
    "fault": ("failed", r"QEMU was killed by signal 11 \(Segmentation fault\)"),
    "killed": ("failed", r"QEMU was killed by signal 9 \(Killed\)"),
    "asked": ("failed", r"QEMU was killed by signal 15 \(Terminated\)"),
    "stolen": ("stopped", "QEMU ended"),
}
LATE = EARLY | {"talking": ("failed", "QEMU exited with status 1: it cannot be")}
# Where QEMU is when it dies, and what comes of it.
POINTS = {
    "start": EARLY, "capabilities": EARLY, "status": EARLY, "prelaunch": EARLY, "cont": EARLY,
    "running": LATE,
}


def die(point: str, build: str) -> None:
    """Eight VMs at once, each dies in its own way."""
    symbols: Symbols = {}
    for slot, (name, orders) in enumerate(WAYS.items()):
        symbols |= {f"VM{slot}_NAME": name, f"VM{slot}_MEMORY_MIB": 64}
        symbols[f"VM{slot}_QEMU_ARGS"] = f"-on '{point}:{orders}'"
    with Machine(build, symbols, (*WAYS,)) as machine:
        await_that("all have ended", lambda: len(ended(machine)) == len(WAYS))
        for name, (state, why) in POINTS[point].items():
            found = ended(machine)[name]
            assert found[0] == state and re.search(why, found[1]), (name, found)
        assert not machine.children()


def ended(machine: Machine) -> dict[str, tuple[str, str]]:
    """The state of each VM that has ended, and why."""
    rows = re.findall(r"^(\w+) +(stopped|failed) .*\n  (.*)$", machine.console.ask("status"), re.MULTILINE)
    return {name: (state, why) for name, state, why in rows}


DEATHS: dict[str, Callable[[str], None]] = {point: functools.partial(die, point) for point in POINTS}
