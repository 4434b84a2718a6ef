# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that has its own stage of translation in bypass aims a device of its at what is not its
own: the appliance's kernel, another VM's memory, nothing at all, and the doorbell of interrupts.

What is in memory is told by L0, for whom it is just the machine's. The other VM has a drive behind
the same SMMU, and reads from it all the time.
"""

import base64
import re
import time
from dataclasses import dataclass, field

from . import case, config, cpio, drives
from .appliance import Appliance
from .console import LIMIT, LabError
from .machine import Machine, Trip
from .paths import BUILD
from .progress import Progress
from .story import Story
from .topology import NEIGHBOURS
from .trace import DOORBELL

PAGE = 4096
PRESENT, FRAME = 1 << 63, (1 << 55) - 1  # of an entry in pagemap: proc_pid_pagemap(5)
MEMORY_MIB = 256
ATTACKER, VICTIM, DRIVE = "attacker", "demo", "LAB1"
GUEST = "/usr/lib/hvinit/lab/dma"
RAM = 0x40000000  # where the machine "virt" has it, L0's as the guests'
OWN = range(RAM, RAM + (MEMORY_MIB << 20))  # what is the attacker's own at these addresses
# What L0 has. Linux gives its programs memory above the first 4 GiB while there is some: so the other
# guest's is nowhere near the addresses that are the attacker's own.
MACHINE_GIB = 5
MACHINE = range(RAM, RAM + (MACHINE_GIB << 30))
NOBODY = 0x40_0000_0000  # the machine has nothing there
BEYOND = 0xFFFF_FFFF_F000  # 48 bits, where the SMMU takes 44
# Where the appliance's kernel puts the doorbell for devices of guests (MSI_IOVA_BASE): one page.
WINDOW = 0x08000000 + DOORBELL % PAGE
MARKER, FLOOD = "/tmp/marker", "/tmp/flood"
WORD = 4  # bytes: one access, one fault
CALM_S = 5  # the kernel tells of ten faults in that time (DEFAULT_RATELIMIT_INTERVAL)
PATTERN = 0x77_61_73_48
DOORBELL_EVENT = "gicv3_its_translation_write"
# What L0 says of a write that is nobody's, and of what comes of it.
OF_NOBODY = rf"{DOORBELL_EVENT} .*requester_id 0x0\b(?s:.*)invalid dte for 0"


@dataclass
class Target:
    """What the attacker aims at, and what was there before and after it. READ and WRITTEN are what
    its guest has said."""

    address: int
    before: bytes = b""
    after: bytes = b""
    read: str = ""
    written: str = ""

    def came(self) -> bytes:
        """What the device got."""
        found = re.search(r"\bcame=([0-9a-f]+)", self.read)
        assert found, self.read
        return bytes.fromhex(found[1])


@dataclass
class Dma(Story):
    """What the story leaves behind. TARGETS are hit by a word each, FLOODED by a page. DOORBELL is
    what L0 saw come to it, SHOWN the console before anybody asked for a log."""

    targets: dict[str, Target] = field(default_factory=dict)
    flooded: dict[str, Target] = field(default_factory=dict)
    marker: bytes = b""
    doorbell: str = ""
    shown: str = ""


def dma(tell: Progress) -> Dma:
    # The kernel lies where it likes, but then that may be at an address of the attacker's own.
    machine = Machine(
        "dma", NEIGHBOURS, config=_config(), files={GUEST.removeprefix("/"): _guest()},
        extra=["-m", f"{MACHINE_GIB}G"], words="nokaslr",
    )  # fmt: skip
    seen = Dma(machine)
    with Trip(machine) as trip:
        appliance = Appliance(trip, tell)
        appliance.await_init()
        appliance.await_proof(ATTACKER, VICTIM)
        for chapter in (_plant, _own, _flood, _words, _doorbell, _stage_1, _after):
            chapter(appliance, seen)
            tell(f"dma: {chapter.__name__.strip('_')} is over")
        appliance.power_off()
        seen.console = trip.console.text()
    return seen


def _config() -> str:
    symbols: dict[str, str | int | bool] = {}
    line = f"{config.value('VM0_CMDLINE')} demo.shell"
    for slot, (vm, words) in enumerate({VICTIM: "", ATTACKER: " iommu.passthrough=1"}.items()):
        of_vm: dict[str, str | int | bool] = {
            "NAME": vm, "KERNEL": config.value("VM0_KERNEL"), "INITRD": GUEST,
            "CMDLINE": line + words, "MEMORY_MIB": MEMORY_MIB, "CONSOLE_ECHO": True,
            "STOP_TIMEOUT": 1, "HOSTDEV1_BDF": "",
        }  # fmt: skip
        for number, place in enumerate(NEIGHBOURS.places(vm)):
            of_vm[f"HOSTDEV{number}_BDF"] = place.bdf
        symbols |= {f"VM{slot}_{last}": value for last, value in of_vm.items()}
    return config.changed(**symbols)


def _guest() -> bytes:
    demo = (BUILD / "demo.cpio.zst").read_bytes()
    program = (BUILD / "arm64/dma").read_bytes()
    archive = cpio.archive({"usr/bin/dma": (cpio.PROGRAM, program)})
    return demo + bytes(-len(demo) % 4) + archive


def _attack(appliance: Appliance, words: str) -> str:
    return appliance.guest(f"dma {words}", vm=ATTACKER)


# --- targets ---


def _plant(appliance: Appliance, seen: Dma) -> None:
    """Has a marker in the other VM, which is found in the machine's memory, and data that flows."""
    victim = _plant_marker(appliance)
    seen.marker = case.memory(appliance, victim, PAGE)
    seen.answers["marker before"] = appliance.guest(f"sha256sum <{MARKER}")
    drives.begin_flow(appliance, DRIVE)
    seen.answers["status before"] = appliance.status()
    addresses = {
        "kernel": _kernel(appliance), "victim": victim, "nobody": NOBODY, "doorbell": DOORBELL,
    }  # fmt: skip
    seen.targets = {name: Target(address) for name, address in addresses.items()}
    seen.flooded = {name: Target(addresses[name]) for name in ("kernel", "victim")}


def _plant_marker(appliance: Appliance) -> int:
    """A page of random bytes in the other guest, and where the machine has it."""
    appliance.guest(f"dd if=/dev/urandom of={MARKER} bs={PAGE} count=1 2>/dev/null")
    address = _physical(appliance, _where(appliance.guest(f"dma where {MARKER}")))
    if address in OWN:
        raise LabError(f"the other guest's page is at {address:#x}, which is the attacker's own, too")
    return address


def _where(said: str) -> int:
    found = re.search(r"\bat=0x([0-9a-f]+)", said)
    assert found, said
    return int(found[1], 16)


def _physical(appliance: Appliance, page: int) -> int:
    """Where the PAGE of the other guest's memory is in the machine's."""
    size = MEMORY_MIB << 20
    entry = appliance.shell(
        "for p in $(busybox pidof qemu-system-aarch64); do "
        f"busybox tr '\\0' '\\n' </proc/$p/cmdline | busybox grep -qxF guest={VICTIM} && break; "
        "done; while read -r range rest; do s=0x${range%-*}; "
        f"[ $((0x${{range#*-}} - s)) = {size} ] && a=$s; done </proc/$p/maps; "
        f"busybox dd if=/proc/$p/pagemap bs=8 skip=$(((a + {page - RAM}) / {PAGE})) count=1 "
        "2>/dev/null | busybox base64"
    )
    number = int.from_bytes(base64.b64decode(entry), "little")
    assert number & PRESENT, "a device may write to all of it, so all of it is there"
    return (number & FRAME) * PAGE


def _kernel(appliance: Appliance) -> int:
    """A page of the appliance's kernel."""
    memory_map = appliance.shell("busybox cat /proc/iomem")
    code = re.search(r"([0-9a-f]+)-([0-9a-f]+) : Kernel code", memory_map)
    assert code, "the kernel says where it is"
    start, end = (int(number, 16) for number in code.groups())
    return next(at for at in range(start + 16 * PAGE, end, PAGE) if at not in OWN)


# --- attacks ---


def _own(appliance: Appliance, seen: Dma) -> None:
    """What must work: with the guest's own memory."""
    appliance.guest(f"dd if=/dev/urandom of={MARKER} bs={PAGE} count=1 2>/dev/null", vm=ATTACKER)
    own = _where(_attack(appliance, f"where {MARKER}"))
    head = f"od -A n -v -t x1 -N 16 {MARKER} | tr -d ' '"
    seen.answers["own before"] = appliance.guest(head, vm=ATTACKER)
    seen.answers["own read"] = _attack(appliance, f"read {own:#x} {PAGE}")
    seen.answers["own written"] = _attack(appliance, f"write {own:#x} {PAGE} {PATTERN:#x}")
    seen.answers["own after"] = appliance.guest(head, vm=ATTACKER)


def _memory(appliance: Appliance, target: Target) -> bytes:
    """What is there, if it is memory."""
    is_memory = target.address in MACHINE
    return case.memory(appliance, target.address, PAGE) if is_memory else b""


def _lines(target: Target, size: int) -> tuple[str, str]:
    """What makes the device read from TARGET, and write to it."""
    there = f"{target.address:#x} {size}"
    return f"read {there}", f"write {there} {PATTERN:#x}"


def _flood(appliance: Appliance, seen: Dma) -> None:
    """While the appliance's own console is looked at: a page has a thousand words."""
    for target in seen.flooded.values():
        target.before = _memory(appliance, target)
    lines = [line for target in seen.flooded.values() for line in _lines(target, PAGE)]
    work = "; ".join([f"sleep {CALM_S}", *(f"dma {line}" for line in lines)])
    over = f"mv {FLOOD}.part {FLOOD}"
    appliance.guest(f"{{ (({work}) >{FLOOD}.part; {over}) & }}", vm=ATTACKER)
    appliance.console.expect(r"\[DMA-FAULT\]")
    wait = f"until [ -e {FLOOD} ]; do usleep 10000; done"
    said = appliance.guest(wait, f"cat {FLOOD}", vm=ATTACKER).strip().splitlines()
    for target, read, written in zip(seen.flooded.values(), said[::2], said[1::2], strict=True):
        target.read, target.written = read, written
        target.after = _memory(appliance, target)


def _words(appliance: Appliance, seen: Dma) -> None:
    """Few enough for the kernel to tell of each, once it has told enough of those before."""
    appliance.shell(f"busybox sleep {CALM_S}")
    for target in seen.targets.values():
        target.before = _memory(appliance, target)
        target.read, target.written = (_attack(appliance, it) for it in _lines(target, WORD))
        target.after = _memory(appliance, target)
    seen.shown = appliance.console.text()


def _stage_1(appliance: Appliance, seen: Dma) -> None:
    """Faults of the guest's own stage. An address that is wider than the SMMU takes is one; then
    the device is taken out of bypass, and has nothing mapped."""
    seen.answers["beyond"] = _attack(appliance, f"read {BEYOND:#x} {WORD}")
    edu = "for d in /sys/bus/pci/devices/*; do [ $(cat $d/device) != 0x11e8 ] || "
    appliance.guest(f"{edu} echo DMA >$d/iommu_group/type; done", vm=ATTACKER)
    address = seen.targets["kernel"].address
    seen.answers["stage 1"] = _attack(appliance, f"read {address:#x} {WORD}")
    seen.answers["guest's log"] = appliance.guest("dmesg | grep arm-smmu-v3", vm=ATTACKER)


def _doorbell(appliance: Appliance, seen: Dma) -> None:
    """The one page of the machine's that a guest's device may write to, for its own interrupts. DMA
    of edu's carries no device's id, so there it is nobody's."""
    trip = appliance.trip
    qmp = trip.qmp
    qmp.ask("human-monitor-command", command_line="log guest_errors")
    qmp.ask("trace-event-set-state", name=DOORBELL_EVENT, enable=True)
    seen.answers["window"] = _attack(appliance, f"write {WINDOW:#x} {WORD} 0")
    qmp.ask("trace-event-set-state", name=DOORBELL_EVENT, enable=False)
    qmp.ask("human-monitor-command", command_line="log none")
    deadline = time.monotonic() + LIMIT
    while not re.search(OF_NOBODY, trip.machine.l0_log.read_text()):
        if time.monotonic() > deadline:
            raise LabError(f"no write to the doorbell was seen: see {trip.machine.l0_log}")
        time.sleep(0.1)
    seen.doorbell = trip.machine.l0_log.read_text()


def _after(appliance: Appliance, seen: Dma) -> None:
    """Who was not to notice anything."""
    seen.answers["flow"] = drives.look_at_flow(appliance, DRIVE)
    seen.answers["data"] = drives.sha256(appliance, DRIVE)
    seen.answers["marker after"] = appliance.guest(f"sha256sum <{MARKER}")
    seen.answers["attacker lives"] = appliance.guest("echo it lives", vm=ATTACKER)
    seen.answers["status after"] = appliance.status()
    seen.answers["metrics"] = appliance.shell("hvinit ctl metrics")
    seen.answers["status --json"] = appliance.shell("hvinit ctl status --json")
    seen.answers["kernel log"] = appliance.kernel_log()
