# SPDX-License-Identifier: GPL-2.0-or-later
"""What a running VM can lose of its machine: a drive is asked out while the guest reads from it and
put back, the link to a card is bad, memory fails. At last the VM cannot start, and it is critical."""

import base64
from dataclasses import dataclass

from . import case, config, drives
from .appliance import Appliance
from .machine import Machine, Trip
from .progress import Progress
from .story import Story
from .topology import LOSSES

PAGE = 4096
PRESENT, FRAME = 1 << 63, (1 << 55) - 1  # of an entry in pagemap: proc_pid_pagemap(5)
MEMORY_MIB = 256
DRIVE, SLOT, CARD = "LAB1", 2, "net0"


@dataclass
class Losses(Story):
    """What the story leaves behind."""


def losses(tell: Progress) -> Losses:
    command_line = f"{config.value('VM0_CMDLINE')} demo.shell"
    bdfs = {f"VM0_HOSTDEV{slot}_BDF": place.bdf for slot, place in enumerate(LOSSES.places())}
    machine = Machine(
        "losses",
        LOSSES,
        config=config.changed(
            VM0_CMDLINE=command_line, VM0_MEMORY_MIB=MEMORY_MIB, VM0_CRITICAL=True,
            HOST_ON_CRITICAL_FAILED="reboot", HOST_CRITICAL_REBOOTS=1, **bdfs,
        ),
        extra=["-machine", "ras=on"],
    )  # fmt: skip
    seen = Losses(machine)
    with Trip(machine) as trip:
        appliance = Appliance(trip, tell)
        appliance.await_init()
        appliance.await_proof("demo")
        for chapter in (_drive, _link, _memory, _critical):
            chapter(appliance, seen)
            tell(f"losses: {chapter.__name__.strip('_')} is over")
        appliance.power_off()
        seen.console = trip.console.text()
    return seen


def _drive(appliance: Appliance, seen: Losses) -> None:
    """The guest must let go first, then QEMU, then the appliance."""
    drives.begin_flow(appliance, DRIVE)
    case.ask_out(appliance, DRIVE)
    seen.answers["end of the flow"] = drives.end_of_flow(appliance)
    seen.answers["guest without"] = drives.serials(appliance)
    seen.answers["devices without"] = appliance.ask("devices", r"devices\r\n")
    case.put_back(appliance, DRIVE, "again")
    appliance.console.expect(rf"hvinit: demo: device {case.place(appliance, DRIVE).bdf} is free")
    appliance.console.send(f"attach demo {SLOT}")
    appliance.console.expect(r"hvinit: demo: device \S+ is attached")
    seen.answers["guest with"] = drives.sha256(appliance, DRIVE)


def _link(appliance: Appliance, seen: Losses) -> None:
    case.corrupt_link(appliance, CARD)
    appliance.console.expect("HW-ERROR")


def _memory(appliance: Appliance, seen: Losses) -> None:
    """A page of the guest's that it does not use, near the end of what it was given."""
    size = MEMORY_MIB << 20
    page = appliance.shell(
        "p=$(busybox pidof qemu-system-aarch64); while read -r range rest; do s=0x${range%-*}; "
        f"[ $((0x${{range#*-}} - s)) = {size} ] && a=$s; done </proc/$p/maps; "
        f"busybox dd if=/proc/$p/pagemap bs=8 skip=$(((a + {size * 3 // 4}) / {PAGE})) count=1 "
        "2>/dev/null | busybox base64"
    )
    entry = int.from_bytes(base64.b64decode(page), "little")
    assert entry & PRESENT, "a device may write to all of the guest's memory, so all of it is there"
    case.break_memory(appliance, (entry & FRAME) * PAGE)
    appliance.console.expect(r"trust memory of demo [^\n]*HW-ERROR")
    seen.answers["status after"] = appliance.status()
    seen.answers["guest after"] = appliance.guest("echo it lives")


def _critical(appliance: Appliance, seen: Losses) -> None:
    """It fails for want of its drive, and does so again after the reboot."""
    appliance.console.send("kill demo")
    appliance.await_lines("hvinit: demo: stopped")
    case.ask_out(appliance, DRIVE)
    appliance.console.send("start demo")
    appliance.await_init()
    appliance.console.expect("so the machine stays as it is")
    seen.answers["status of the second boot"] = appliance.status_of_machine()
