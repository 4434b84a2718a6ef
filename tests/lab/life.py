# SPDX-License-Identifier: GPL-2.0-or-later
"""One VM's life: paused, its devices taken and given back, reset, panicked, stopped by a signal,
killed at several points, and at last a guest that does not obey its power button. Everything is
done as an operator would do it, at the appliance's console and at the guest's."""

import itertools
from dataclasses import dataclass, field

from . import config
from .appliance import PROMPT, Appliance
from .machine import Machine, Trip
from .progress import Progress

GUEST_PROMPT = r"guest# "
LEAVE = "\x1d"
HANG_TIMEOUT = 10
# Messages at which QEMU is killed.
KILLED_AT = ("starting", "exec", "prelaunch", "running", "proof")
SLOT, SERIAL = 1, "LAB1"
MARKS = itertools.count(100)


@dataclass
class Life:
    """What the story leaves behind."""

    machine: Machine
    console: str = ""
    answers: dict[str, str] = field(default_factory=dict)


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


def _guest(appliance: Appliance, *lines: str) -> str:
    """What the guest prints for the shell LINES, typed at its console."""
    console = appliance.console
    console.send("console demo")
    console.expect("leave with Ctrl-]")
    console.send("")
    console.expect(GUEST_PROMPT)
    # The appliance shows what was on the guest's console before: no two marks may be alike.
    mark = next(MARKS)
    begin, end = (f"echo {word}-of-$((2 * {mark}))" for word in ("begin", "end"))
    console.send("; ".join([begin, *lines, end]))
    console.expect(rf"begin-of-{2 * mark}\r\n")
    printed = console.until(f"end-of-{2 * mark}")
    console.send(LEAVE)
    console.expect(PROMPT)
    return printed


def _say_to_guest(appliance: Appliance, line: str) -> None:
    """Types LINE at the guest's console, and leaves: the guest is not to come back to it."""
    console = appliance.console
    console.send("console demo")
    console.expect("leave with Ctrl-]")
    console.send("")
    console.expect(GUEST_PROMPT)
    console.send(line)
    console.send(LEAVE)
    console.expect(PROMPT)


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
    drive = "$(dirname $(grep -l LAB0 /sys/class/nvme/nvme*/serial))"
    flow = f"e=$(basename {drive})n1"
    loop = "while dd if=/dev/$e of=/dev/null bs=64k count=16 iflag=direct 2>/tmp/error; do :; done"
    _guest(appliance, flow, f"{{ ({loop}; echo the flow has stopped >/tmp/over) & }}")
    appliance.console.send(f"detach demo {SLOT}")
    appliance.console.expect(r"hvinit: demo: device \S+ is detached")
    seen.answers["guest without"] = _guest(appliance, "cat /sys/class/nvme/nvme*/serial")
    seen.answers["driver without"] = _driver(appliance)
    appliance.console.send(f"attach demo {SLOT}")
    appliance.console.expect(r"hvinit: demo: device \S+ is attached")
    find = f"until f=$(grep -l {SERIAL} /sys/class/nvme/nvme*/serial); do usleep 10000; done"
    name = "d=/dev/$(basename $(dirname $f))n1; until [ -b $d ]; do usleep 10000; done"
    read = "dd if=$d bs=4096 skip=1 count=256 iflag=direct 2>/dev/null | sha256sum"
    seen.answers["guest with"] = _guest(appliance, find, name, read)
    seen.answers["driver with"] = _driver(appliance)
    look = "a=$(cat /sys/block/$e/stat); until [ \"$a\" != \"$(cat /sys/block/$e/stat)\" ]; do :; done"
    seen.answers["flow"] = _guest(appliance, look, "echo it flows", "cat /tmp/over 2>/dev/null")
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
