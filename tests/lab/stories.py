# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots that tests judge: each is told once, and leaves what was seen for many tests.

A boot takes the better part of a minute, so what can share one does.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from . import config, desk, golden, guest, l0
from .appliance import Appliance
from .console import LIMIT
from .machine import Machine, Trip
from .marks import mark
from .paths import HVINIT, LAB, run
from .progress import Progress
from .proof import Check, judge, judge_physical
from .refusal_cases import MEMORY_MIB, VMS, symbols
from .refusals import SCRIPT, files
from .story import Story
from .topology import EIGHT, FIRST_LIGHT, Topology

PASSTHROUGH = "iommu.passthrough=1"
# The messages of a trip, in order.
TRIP = (
    "init: started",
    "demo: starting",
    "demo: exec",
    "demo: running",
    "demo| proof: done",
    "demo: stopped",
    "host: power off",
)
GHOST = "0000:c1:00.0"  # no topology of the lab has such a bus
PCI_DEVICES = "/sys/bus/pci/devices"
GROUP = "/sys/fs/cgroup/hvinit/vm0"  # the control group of VM 0
UNMANAGED = EIGHT.places("beta")[-1]  # bound by a person, for hvinit leaves it alone
OPTIONAL = "alpha"  # the VM that can do without GHOST

# VMs that cannot start, each with the code that says why; the devices are the lab's own.
WRONG: dict[str, tuple[str, dict[str, str]]] = {
    "ghost": ("DEV-NONE", {"HOSTDEV0_BDF": GHOST}),
    "bridge": ("DEV-BRIDGE", {"HOSTDEV0_BDF": "0000:40:00.0"}),
    "bare": ("IOMMU-OFF", {"HOSTDEV0_BDF": "0000:00:08.0"}),
    "nodriver": ("DRV-NAME", {"HOSTDEV0_BDF": "0000:00:00.0", "HOSTDEV0_DRIVER": "vfio-none"}),
    "nofile": ("FILE-NONE", {"KERNEL": "/nowhere/Image"}),
    "nomachine": ("MACHINE-NONE", {"MACHINE": "virt-0.0"}),
    "refused": ("QEMU-REFUSED", {"QEMU_ARGS": "-action reboot=nonesuch"}),
}
# What the machine may lack, and the code that says so.
LACKING = {"/dev/iommu": "IOMMUFD-NONE", "/usr/bin/qemu-system-aarch64": "QEMU-NONE"}


@dataclass
class Seen(Story):
    """What these stories leave behind; each fills in what it meets."""

    checks: list[Check] = field(default_factory=list)
    again: list[Check] = field(default_factory=list)
    times: dict[str, float | None] = field(default_factory=dict)
    # Words of each VM's QEMU: by the kernel, by the appliance, and at a desk.
    running: dict[str, list[str]] = field(default_factory=dict)
    argv: dict[str, list[str]] = field(default_factory=dict)
    desk_argv: dict[str, list[str]] = field(default_factory=dict)


def first_light(tell: Progress) -> Seen:
    """The product as it is: proof, QEMU killed and started again, orderly power-off."""
    seen = Seen(Machine("first_light"))
    with Trip(seen.machine) as trip:
        appliance = Appliance(trip, tell)
        appliance.await_init()
        seen.checks = _proved(appliance)
        seen.checks.append(judge_physical(seen.machine.topology, _kernel_log(appliance, seen)))
        seen.answers["fds running"] = _pid1_descriptors(appliance)
        seen.answers["status json"] = appliance.shell("hvinit ctl status --json")
        seen.answers["charged"] = appliance.shell(
            f"cd {GROUP} && busybox head memory.peak memory.max pids.peak pids.max"
        )
        seen.answers["killed"] = _kill_qemu(appliance)
        seen.answers["fds killed"] = _pid1_descriptors(appliance)
        for file in LACKING:
            seen.answers[file] = _start_without(appliance, file)
        _renew(appliance)
        before = len(trip.console.text())
        trip.console.send("start demo")
        seen.again = _proved(appliance, before)
        seen.answers["status again"] = appliance.status()
        appliance.power_off()
        seen.console = trip.console.text()
    return seen


def control(tell: Progress) -> Seen:
    """What must not pass: a guest whose SMMUs are in bypass, with a foreign drive; and beside it
    VMs that cannot start. The demo has the seed's numbers, in libvirt's words."""
    command_line = f"{config.value('VM0_CMDLINE')} {PASSTHROUGH}"
    text = config.changed(VM0_CMDLINE=command_line, **golden.numbers("seed"), **_wrong_vms())
    seen = Seen(Machine("control", config=text))
    foreign = list(seen.machine.disks.values())[-1]
    foreign.erase_header()
    seen.answers["foreign before"] = foreign.path.read_bytes().hex()
    with Trip(seen.machine) as trip:
        appliance = Appliance(trip, tell)
        appliance.await_init()
        seen.checks = _proved(appliance)
        seen.answers["status"] = appliance.status()
        _compare(appliance, seen)
        trip.console.send("start ghost")
        trip.console.expect(r"hvinit: ghost: failed")
        appliance.power_off()
        seen.console = trip.console.text()
    seen.answers["foreign after"] = foreign.path.read_bytes().hex()
    return seen


def no_nesting(tell: Progress) -> Seen:
    """Firmware as QEMU's emulation has it, without the lab's IORT: the VM cannot start, and is
    started all the same, so that QEMU has its say."""
    text = config.changed(VM0_START_ANYWAY=True)
    seen = Seen(Machine("no_nesting", config=text, override=False))
    with Trip(seen.machine) as trip:
        appliance = Appliance(trip, tell)
        appliance.await_init()
        trip.console.expect(r"hvinit: demo: (failed|invalid|running)")
        seen.answers["status"] = appliance.status()
        seen.answers["log"] = appliance.ask("log demo", r"--- demo: QEMU")
        seen.answers["acceleration"] = appliance.ask("check", r"accelerated vSMMUv3 +")
        appliance.power_off()
        seen.console = trip.console.text()
    return seen


def unattended(tell: Progress) -> Seen:
    """A trip on the counted clock: the guest ends by itself and takes the appliance with it."""
    command_line = f"{config.value('VM0_CMDLINE')} demo.poweroff"
    text = config.changed(VM0_CMDLINE=command_line, HOST_ON_LAST_VM="poweroff")
    seen = Seen(Machine("unattended", accel=l0.UNATTENDED, config=text))
    with Trip(seen.machine) as trip:
        appliance = Appliance(trip, tell)
        appliance.await_init()
        seen.checks = _proved(appliance)
        trip.wait_off()
        seen.console = trip.console.text()
    seen.times = {message: mark(seen.console, message) for message in TRIP}
    tell("clock: " + ", ".join(f"{message} {seconds} s" for message, seconds in seen.times.items()))
    return seen


def eight(tell: Progress) -> Seen:
    """Four SMMUs, eight functions, two VMs at once whose cards are linked to each other's. One VM
    would take a device that is not there, the other one has a device that hvinit does not bind."""
    nonce = secrets.token_hex(16)
    seen = Seen(Machine("eight", EIGHT, config=_pair(EIGHT, nonce)))
    with Trip(seen.machine) as trip:
        appliance = Appliance(trip, tell)
        appliance.await_init()
        _await_vfs(appliance)
        seen.answers["record"] = appliance.record()
        seen.answers["record probed"] = appliance.ask("record --probe", r"# hvinit host record")
        seen.answers["record after probe"] = appliance.record()
        _bind_unmanaged(appliance)
        for vm in EIGHT.vms():
            trip.console.send(f"start {vm}")
        appliance.await_proof(*EIGHT.vms())
        seen.answers["record running"] = appliance.record()
        seen.checks = _judged(appliance, nonce=nonce)
        seen.checks.append(judge_physical(EIGHT, _kernel_log(appliance, seen)))
        seen.answers["status"] = appliance.status()
        _compare(appliance, seen)
        trip.console.send(f"stop {UNMANAGED.device.vm}")
        appliance.await_vm("stopped", UNMANAGED.device.vm)
        seen.answers["unmanaged"] = appliance.shell(
            f"cd {PCI_DEVICES}/{UNMANAGED.bdf}; busybox readlink driver; cat driver_override"
        )
        appliance.power_off()
        seen.console = trip.console.text()
    return seen


def own_firmware(tell: Progress) -> Seen:
    """A guest that the host gives no kernel boots from its own drive, as a server would; its QEMU
    is started with the seed's words and numbers."""
    drive = FIRST_LIGHT.drives()[0]
    own = {"KERNEL": "", "INITRD": "", "CMDLINE": "", "DIALECT": "seed", "HOSTDEV0_BOOTINDEX": "0"}
    symbols = {f"VM0_{last}": value for last, value in own.items()}
    text = config.changed(**symbols, **golden.numbers("seed"))
    seen = Seen(Machine("own_firmware", config=text, loader=(drive, guest.loader())))
    with Trip(seen.machine) as trip:
        appliance = Appliance(trip, tell)
        appliance.await_init()
        seen.checks = _proved(appliance)
        _compare(appliance, seen)
        appliance.power_off()
        seen.console = trip.console.text()
    return seen


def refusals(tell: Progress) -> Seen:
    """What QEMU refuses: VMs that are started although they cannot be, then QEMU by itself."""
    planned = LAB / "refusals.config"
    LAB.mkdir(parents=True, exist_ok=True)
    planned.write_text(config.changed(VM0_MEMORY_MIB=MEMORY_MIB))
    beside = files(run([HVINIT, "manifest", planned]))
    seen = Seen(Machine("refusals", config=config.changed(**symbols()), files=beside))
    with Trip(seen.machine) as trip:
        appliance = Appliance(trip, tell)
        appliance.await_init()
        for _ in VMS:
            trip.console.expect(r"hvinit: \w+: (?:failed|invalid|running)")
        seen.answers["status"] = appliance.status()
        tell("appliance: all VMs have been refused")
        seen.answers["cases"] = appliance.shell(f"busybox sh /{SCRIPT}", LIMIT * 5)
        appliance.power_off()
        seen.console = trip.console.text()
    return seen


# In the order in which they are begun: the longest first.
STORIES: dict[str, Callable[[Progress], Seen]] = {
    story.__name__: story for story in (
        refusals, first_light, own_firmware, eight, unattended, control, no_nesting,
    )
}


def _proved(appliance: Appliance, start: int = 0) -> list[Check]:
    """Waits for the demo guest's proof and judges what was printed from START on."""
    for state in ("exec", "running"):
        appliance.await_vm(state)
    appliance.await_proof("demo")
    return _judged(appliance, start)


def _judged(appliance: Appliance, start: int = 0, nonce: str = "") -> list[Check]:
    """Judges what the guests printed from START on; NONCE is that of their frames."""
    trip = appliance.trip
    told = trip.console.text()[start:]
    return judge(trip.machine.topology, trip.machine.disks, told, trip.tally.walks, nonce)


def _pair(topology: Topology, nonce: str) -> str:
    """A configuration in which each of TOPOLOGY's VMs gets its devices and the demo's guest."""
    symbols: dict[str, str | int | bool] = {"HOST_MODULES": "nvme igb"}
    for slot, vm in enumerate(topology.vms()):
        words = {"NAME": vm, "CMDLINE": f"{config.value('VM0_CMDLINE')} demo.frames={nonce}"}
        for last in ("KERNEL", "INITRD"):
            words[last] = config.value(f"VM0_{last}")
        for number, place in enumerate(topology.places(vm)):
            words[f"HOSTDEV{number}_BDF"] = place.pf or place.bdf
            if place.pf:
                words[f"HOSTDEV{number}_VF"] = str(place.vf)
            if place == UNMANAGED:
                symbols[f"VM{slot}_HOSTDEV{number}_MANAGED"] = False
        if vm == OPTIONAL:
            words[f"HOSTDEV{number + 1}_BDF"] = GHOST
            symbols[f"VM{slot}_HOSTDEV{number + 1}_OPTIONAL"] = True
        symbols |= {f"VM{slot}_{last}": word for last, word in words.items()}
        symbols |= {f"VM{slot}_MEMORY_MIB": 384, f"VM{slot}_CONSOLE_ECHO": True}
        symbols[f"VM{slot}_AUTOSTART"] = False
    return config.changed(**symbols)


def _await_vfs(appliance: Appliance) -> None:
    """Waits until the appliance has turned on, and reserved, the virtual functions of its VMs."""
    vfs = [place.bdf for place in EIGHT.places() if place.pf]
    overrides = " ".join(f"/sys/bus/pci/devices/{bdf}/driver_override" for bdf in vfs)
    done = f"$(cat {overrides} 2>/dev/null | grep -c vfio) = {len(vfs)}"
    appliance.shell(f"until [ {done} ]; do usleep 10000; done")


def _bind_unmanaged(appliance: Appliance) -> None:
    """Binds the device as a person would, and takes the override back: nobody but hvinit could
    set it again."""
    override = f"{PCI_DEVICES}/{UNMANAGED.bdf}/driver_override"
    appliance.shell(
        f"echo vfio-pci >{override}; echo {UNMANAGED.bdf} >/sys/bus/pci/drivers_probe; "
        f"echo >{override}"
    )


def _wrong_vms() -> dict[str, str | int | bool]:
    symbols: dict[str, str | int | bool] = {}
    for slot, (name, (_, changes)) in enumerate(WRONG.items(), 1):
        all_of_it = {"NAME": name, "MEMORY_MIB": 64, "AUTOSTART": True, **changes}
        symbols |= {f"VM{slot}_{last}": value for last, value in all_of_it.items()}
    return symbols


def _start_without(appliance: Appliance, file: str) -> str:
    """Takes FILE away for one start of the demo, and returns how that went."""
    appliance.shell(f"busybox mv {file} {file}.away")
    appliance.trip.console.send("start demo")
    said = appliance.await_log(rf"hvinit: demo: failed: .*{file}.*")
    appliance.shell(f"busybox mv {file}.away {file}")
    return said


def _renew(appliance: Appliance) -> None:
    """Makes everything that was proved so far worthless for the next proof."""
    for disk in appliance.trip.machine.disks.values():
        disk.refill()
    appliance.trip.tally.reset()


def _kernel_log(appliance: Appliance, seen: Seen) -> str:
    seen.answers["kernel log"] = appliance.kernel_log()
    return seen.answers["kernel log"]


def _pid1_descriptors(appliance: Appliance) -> str:
    return appliance.shell("busybox ls -l /proc/1/fd")


def _compare(appliance: Appliance, seen: Seen) -> None:
    """Asks with which words each VM's QEMU runs, with which the appliance would start it, and what
    is wrong; and asks the same at a desk that has the appliance's record of its machine."""
    machine = seen.machine
    host = machine.folder / "host"
    host.write_text(appliance.record())
    for vm in machine.topology.vms():
        seen.running[vm] = appliance.running_argv(vm)
        seen.argv[vm] = appliance.argv(vm)
        seen.desk_argv[vm] = desk.argv(host, machine.manifest, vm)
    seen.answers["check"] = appliance.check()
    seen.answers["check at the desk"] = desk.check(host, machine.manifest)


def _kill_qemu(appliance: Appliance) -> str:
    """Kills QEMU and returns the line in which PID 1 reports it."""
    appliance.shell("busybox kill -9 $(busybox pidof qemu-system-aarch64)")
    return appliance.await_log(r"hvinit: demo: (?:stopped|failed).*")
