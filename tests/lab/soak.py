# SPDX-License-Identifier: GPL-2.0-or-later
"""Kills QEMU at many points of its guest's boot and run, and sees that the VM starts again each time
and PID 1 has nothing more than before: python3 -m lab.soak KILLS"""

import random
import re
import sys
from collections.abc import Iterator

from . import config
from .appliance import Appliance
from .machine import Machine, Trip
from .progress import Progress

# What is on the console when QEMU is killed; the guest's words come after "running".
POINTS = (
    "hvinit: demo: starting",
    "hvinit: demo: exec",
    "hvinit: demo: prelaunch",
    "hvinit: demo: running",
    r"demo\| proof: ",
    r"demo\| proof: done",
)
QEMU = "qemu-system-aarch64"
COUNT = "busybox ls /proc/1/fd | busybox wc -l; busybox ps -o stat | busybox grep -c Z"


def points(kills: int) -> Iterator[str]:
    """As often as each other, in an order that is the same each time."""
    order = random.Random(kills)
    left: list[str] = []
    for _ in range(kills):
        left = left or order.sample(POINTS, len(POINTS))
        yield left.pop()


def belongings(appliance: Appliance) -> list[int]:
    """PID 1's descriptors, and the machine's zombies, while the VM runs."""
    return [int(word) for word in appliance.shell(COUNT).split()]


def soak(kills: int, tell: Progress) -> bool:
    """Each start is asked for: what the VM does by itself would be said while a shell listens."""
    with Trip(Machine("soak", config=config.changed(VM0_RESTART="never"))) as trip:
        appliance, console = Appliance(trip, tell), trip.console
        appliance.await_init()
        appliance.await_proof("demo")
        before = belongings(appliance)
        point = POINTS[-1]
        for number, after in enumerate(points(kills), 1):
            appliance.shell(f"busybox kill -9 $(busybox pidof {QEMU})")
            while not re.search(r"demo +failed", appliance.status()):
                pass
            tell(f"soak: {number} of {kills}: killed at {point!r}")
            console.send("start demo")
            console.expect(after)
            point = after
        appliance.await_proof("demo")
        after_all = belongings(appliance)
        print(appliance.ask("history demo", r"history demo\r\n"))
        appliance.power_off()
    print(f"{kills} kills; descriptors and zombies before {before}, after {after_all}")
    return before == after_all


if __name__ == "__main__":
    sys.exit(0 if soak(int(sys.argv[1]), Progress("soak")) else "PID 1 has more than before")
