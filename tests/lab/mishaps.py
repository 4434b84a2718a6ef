# SPDX-License-Identifier: GPL-2.0-or-later
"""What can happen to the machine itself: a drive is pulled out and put back, PID 1 stands still and
the watchdog bites, PID 1 faults, the kernel panics, and somebody presses the power button.

One L0 lives through all of it. The boots that fail are three of one image in a row, in which no VM
comes to run, for a drive of its is out.
"""

from dataclasses import dataclass

from . import case, config
from .appliance import SHELL_PROMPT, Appliance
from .machine import Machine, Trip
from .progress import Progress
from .story import Story

WATCHDOG_S = 20
SERIAL = "LAB1"
FAILED_BOOTS = "/sys/firmware/efi/efivars/HvinitFailedBoots-*"


@dataclass
class Mishaps(Story):
    """What the story leaves behind: of every boot its console and its status."""


def mishaps(tell: Progress) -> Mishaps:
    machine = Machine(
        "mishaps",
        config=config.changed(
            HOST_MODULES="nvme i6300esb", HOST_WATCHDOG_S=str(WATCHDOG_S), HOST_LOG_LEVEL=3,
        ),
        extra=["-device", "i6300esb,bus=pcie.0,addr=0x9", "-action", "watchdog=reset"],
    )  # fmt: skip
    seen = Mishaps(machine)
    with Trip(machine) as trip:
        appliance = Appliance(trip, tell)
        for chapter in (_pull, _freeze, _fault, _panic):
            appliance.await_init()
            chapter(appliance, seen)
            tell(f"mishaps: {chapter.__name__.strip('_')} is over")
        trip.wait_off()
        seen.console = trip.console.text()
    return seen


def _last_words(appliance: Appliance, line: str) -> None:
    """Types LINE in the rescue shell, and does not wait for the shell to come back."""
    appliance.console.send("shell")
    appliance.console.expect(SHELL_PROMPT)
    appliance.console.send(line)


def _pull(appliance: Appliance, seen: Mishaps) -> None:
    """While no VM has the drive, which is not there at the next boots either."""
    console = appliance.console
    appliance.await_vm("starting")
    console.send("kill demo")
    appliance.await_lines("hvinit: demo: stopped", "watchdog armed")
    case.ask_out(appliance, SERIAL)
    case.put_back(appliance, SERIAL, "again")
    console.expect(rf"hvinit: demo: device {case.place(appliance, SERIAL).bdf} is free")
    override = f"/sys/bus/pci/devices/{case.place(appliance, SERIAL).bdf}/driver_override"
    reserved = f"until busybox grep vfio {override}; do busybox usleep 10000; done"
    seen.answers["override"] = appliance.shell(reserved)
    case.ask_out(appliance, SERIAL)
    seen.answers["status at first"] = appliance.status_of_machine()
    ice = "/sys/fs/cgroup/ice"
    _last_words(appliance, f"busybox mkdir {ice}; echo 1 >{ice}/cgroup.procs")
    appliance.console.send(f"echo 1 >{ice}/cgroup.freeze")


def _freeze(appliance: Appliance, seen: Mishaps) -> None:
    """The boot after PID 1 stood still."""
    appliance.await_lines("hvinit: demo: failed", "the boot before this one has failed")
    seen.answers["status after the watchdog"] = appliance.status_of_machine()
    _last_words(appliance, "busybox kill -SEGV 1")


def _fault(appliance: Appliance, seen: Mishaps) -> None:
    """The boot after PID 1's fault."""
    appliance.await_lines("hvinit: demo: failed", "watchdog armed")
    seen.answers["status after the fault"] = appliance.status_of_machine()
    _last_words(appliance, "echo c >/proc/sysrq-trigger")


def _panic(appliance: Appliance, seen: Mishaps) -> None:
    """The boot after the kernel's panic, the third one that failed."""
    seen.answers["told of the panic"] = appliance.await_lines(
        "safe mode: no VM is started",
        "watchdog armed",
        r"panic before this boot: [^\r\n]*Kernel panic[^\r\n]*[\r\n]",
    )
    seen.answers["status after the panic"] = appliance.status_of_machine()
    seen.answers["log after the panic"] = appliance.ask("log host", r"log host\r\n")
    case.put_back(appliance, SERIAL, "last")
    appliance.console.expect(rf"hvinit: demo: device {case.place(appliance, SERIAL).bdf} has come")
    appliance.console.send("start demo")
    appliance.console.expect("all VMs that start at boot run")
    appliance.await_proof("demo")
    forgotten = f"until [ ! -e {FAILED_BOOTS} ]; do busybox usleep 10000; done"
    appliance.shell(forgotten)
    seen.answers["status of the good boot"] = appliance.status_of_machine()
    appliance.trip.qmp.ask("system_powerdown")
