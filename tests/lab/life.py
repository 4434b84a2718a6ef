# SPDX-License-Identifier: GPL-2.0-or-later
"""One VM's life: paused, its devices taken and given back, reset, panicked, stopped by a signal,
killed at several points, and at last a guest that does not obey its power button. Everything is
done as an operator would do it, at the appliance's console and at the guest's."""

from dataclasses import dataclass

from . import config, drives
from .appliance import LEAVE, PROMPT, Appliance
from .machine import Machine, Trip
from .progress import Progress
from .story import Story

HANG_TIMEOUT = 10
# Messages at which QEMU is killed.
KILLED_AT = ("starting", "exec", "prelaunch", "running", "proof")
SLOT, SERIAL, STAYS = 1, "LAB1", "LAB0"


@dataclass
class Life(Story):
    """What the story leaves behind."""


def life(tell: Progress) -> Life:
    command_line = f"{config.value('VM0_CMDLINE')} demo.shell"
    machine = Machine(
        "life",
        config=config.changed(
            VM0_CMDLINE=command_line, VM0_PVPANIC=True, VM0_RESTART="on-failure",
            VM0_RESTART_LIMIT=0, VM0_HANG_TIMEOUT=HANG_TIMEOUT, VM0_STOP_TIMEOUT=1,
        ),
    )  # fmt: skip
    seen = Life(machine)
    with Trip(machine) as trip:
        appliance = Appliance(trip, tell)
        appliance.await_init()
        appliance.await_proof("demo")
        for chapter in (_group, _pause, _plug, _reset, _panic, _freeze, _kill, _end):
            chapter(appliance, seen)
            tell(f"life: {chapter.__name__.strip('_')} is over")
        seen.console = trip.console.text()
    return seen


def _say_to_guest(appliance: Appliance, line: str) -> None:
    """Types LINE at the guest's console, and leaves before anything can come of it: what is said while
    a guest has the console is not shown."""
    appliance.enter()
    appliance.console.send_bytes(f"{line}\r{LEAVE}".encode())
    appliance.console.expect(PROMPT)


def _qemu(appliance: Appliance) -> str:
    return appliance.shell("busybox pidof qemu-system-aarch64").strip()


def _group(appliance: Appliance, seen: Life) -> None:
    seen.answers["group"] = appliance.shell(f"busybox cat /proc/{_qemu(appliance)}/cgroup")


def _pause(appliance: Appliance, seen: Life) -> None:
    appliance.console.send("pause demo")
    appliance.await_vm("paused")
    seen.answers["paused"] = appliance.status()
    appliance.console.send("resume demo")
    appliance.await_vm("running")


def _driver(appliance: Appliance) -> str:
    bdf = appliance.trip.machine.topology.places()[SLOT].bdf
    return appliance.shell(f"busybox readlink /sys/bus/pci/devices/{bdf}/driver || echo none")


def _plug(appliance: Appliance, seen: Life) -> None:
    """Data flows through the other drive all the time."""
    drives.begin_flow(appliance, STAYS)
    appliance.console.send(f"detach demo {SLOT}")
    appliance.console.expect(r"hvinit: demo: device \S+ is detached")
    seen.answers["guest without"] = drives.serials(appliance)
    seen.answers["driver without"] = _driver(appliance)
    appliance.console.send(f"attach demo {SLOT}")
    appliance.console.expect(r"hvinit: demo: device \S+ is attached")
    seen.answers["guest with"] = drives.sha256(appliance, SERIAL)
    seen.answers["driver with"] = _driver(appliance)
    seen.answers["flow"] = drives.look_at_flow(appliance, STAYS)
    seen.answers["attached twice"] = appliance.ask(f"attach demo {SLOT}", "hvinit: demo: ")


def _reset(appliance: Appliance, seen: Life) -> None:
    _say_to_guest(appliance, "reboot -f")
    appliance.console.expect("hvinit: demo: the guest has reset itself")
    appliance.await_proof("demo")


def _panic(appliance: Appliance, seen: Life) -> None:
    _say_to_guest(appliance, "echo c >/proc/sysrq-trigger")
    appliance.console.expect(r"hvinit: demo: failed: [^\r\n]*panicked")
    appliance.await_vm("running")


def _freeze(appliance: Appliance, seen: Life) -> None:
    appliance.shell(f"busybox kill -STOP {_qemu(appliance)}")
    appliance.await_log("QEMU was stopped by signal 19")
    appliance.console.expect("QEMU-HUNG")
    appliance.console.expect("hvinit: demo: failed")
    appliance.await_vm("running")


def _kill(appliance: Appliance, seen: Life) -> None:
    """At each of the points; the VM comes back by itself every time."""
    console = appliance.console
    for point in KILLED_AT:
        console.send("restart demo")
        said = "proof: done" if point == "proof" else rf"hvinit: demo: {point}"
        console.expect(said)
        appliance.shell("busybox kill -9 $(busybox pidof qemu-system-aarch64)")
        console.send("start demo")  # refused when it has come back already
        console.expect("hvinit: demo: running")
    seen.answers["status"] = appliance.status()


def _end(appliance: Appliance, seen: Life) -> None:
    """The guest's shell does not care for the power button."""
    seen.answers["history"] = appliance.ask("history demo", r"history demo\r\n")
    appliance.console.send("stop demo")
    appliance.await_vm("stopped")
    appliance.await_log("hvinit: demo: stopped")
    bdfs = " ".join(place.bdf for place in seen.machine.topology.places())
    released = "until [ ! -e /sys/bus/pci/devices/$d/driver ]; do busybox usleep 10000; done"
    appliance.shell(f"for d in {bdfs}; do {released}; done")
    seen.answers["devices at the end"] = appliance.ask("devices", r"devices\r\n")
    appliance.console.send("start demo")
    appliance.await_vm("running")
    appliance.console.expect(r"demo\| proof: done")
    appliance.power_off()
