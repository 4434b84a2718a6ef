# SPDX-License-Identifier: GPL-2.0-or-later
"""Restarts a VM many times and sees that PID 1 is no more than before: python3 -m pid1.soak RESTARTS

The whole way is exercised: QEMU's end, the decision to start it again at once, launcher, exec and
the handshake. "At once" needs a guest that had been running for a second; so hvinit's clock is a
hundred times as fast, and the stand-in lives for twelve milliseconds.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from .machine import Machine, Symbols

FAST, LIVES_MS = 10000, 12
ROUNDS = 10
SLACK_KIB = 32  # resident memory may differ by this: the stack's depth, pages of the C library
LOOK = 0.05  # seconds between two looks at how far it is
SYMBOLS: Symbols = {
    "VM0_NAME": "vm", "VM0_MEMORY_MIB": 64, "VM0_RESTART": "always", "VM0_RESTART_LIMIT": 0, "VM0_CONSOLE_KIB": 4,
    "VM0_QEMU_ARGS": f"-on 'running:print=the guest is up again, and says so at some length;wait={LIVES_MS};exit=0'",
}


@dataclass(frozen=True)
class Sample:
    """PID 1 while no VM runs."""

    restarts: int
    seconds: float
    descriptors: int
    resident_kib: int
    zombies: int
    children: int


def starts(machine: Machine) -> int:
    return (machine.root / "ctl/vm.log").read_text().splitlines().count("start")


def samples(build: str, restarts: int, rounds: int) -> Iterator[Sample]:
    """One at the end of each round."""
    begin = time.monotonic()
    with Machine(build, SYMBOLS, clock=FAST) as machine:
        for number in range(1, rounds + 1):
            while starts(machine) < restarts * number // rounds:
                machine.console.drain()
                time.sleep(LOOK)
            machine.console.drain()
            while machine.state() != "stopped":  # it may just be starting again
                machine.console.ask("kill vm")
            states = machine.children()
            yield Sample(
                starts(machine), time.monotonic() - begin, len(machine.descriptors()),
                int(machine.field("VmRSS").split()[0]), list(states.values()).count("Z"), len(states),
            )
            machine.console.send("start vm")


def faults(seen: list[Sample]) -> list[str]:
    """What has grown. The first round fills the rings of the logs; it is what others are held to."""
    first, found = seen[0], []
    for sample in seen:
        if sample.descriptors != first.descriptors:
            found.append(f"descriptors: {first.descriptors}, then {sample.descriptors}")
        if sample.children:
            found.append(f"children: {sample.children}, {sample.zombies} of them zombies")
        if sample.resident_kib > first.resident_kib + SLACK_KIB:
            found.append(f"resident memory: {first.resident_kib} KiB, then {sample.resident_kib}")
    return found


def main(restarts: int) -> int:
    print("restarts   seconds   descriptors   resident KiB   zombies")
    seen = []
    for sample in samples("native", restarts, ROUNDS):
        seen.append(sample)
        print(
            f"{sample.restarts:8} {sample.seconds:9.1f} {sample.descriptors:13} {sample.resident_kib:14} "
            f"{sample.zombies:9}", flush=True,
        )
    found = faults(seen)
    print("soak: " + ("; ".join(found) if found else "nothing has grown"))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
