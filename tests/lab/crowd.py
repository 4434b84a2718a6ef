# SPDX-License-Identifier: GPL-2.0-or-later
"""Eight small VMs at once, and what PID 1 needs for them."""

from dataclasses import dataclass

from . import config
from .appliance import Appliance
from .machine import Machine, Trip
from .progress import Progress
from .story import Story

VMS = 8
MEMORY_MIB = 128


@dataclass
class Crowd(Story):
    """What the story leaves behind."""


def crowd(tell: Progress) -> Crowd:
    symbols: dict[str, str | int | bool] = {}
    for slot in range(VMS):
        words = {last: config.value(f"VM0_{last}") for last in ("KERNEL", "INITRD", "CMDLINE")}
        symbols |= {f"VM{slot}_{last}": word for last, word in words.items()}
        symbols |= {f"VM{slot}_NAME": f"vm{slot}", f"VM{slot}_MEMORY_MIB": MEMORY_MIB}
        symbols |= {f"VM{slot}_START_ORDER": slot % 2, f"VM{slot}_STOP_TIMEOUT": 1}
    symbols |= {f"VM0_HOSTDEV{slot}_BDF": "" for slot in range(2)}
    seen = Crowd(Machine("crowd", config=config.changed(**symbols)))
    with Trip(seen.machine) as trip:
        appliance = Appliance(trip, tell)
        appliance.await_init()
        for _ in range(VMS):
            trip.console.expect(r"hvinit: (vm\d): (running|failed|invalid)")
        tell("crowd: all VMs run")
        seen.answers["status"] = appliance.status()
        seen.answers["memory"] = appliance.shell("busybox cat /proc/1/smaps_rollup")
        seen.answers["descriptors"] = appliance.shell("busybox ls /proc/1/fd | busybox wc -l")
        appliance.power_off()
        seen.console = trip.console.text()
    return seen
