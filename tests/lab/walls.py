# SPDX-License-Identifier: GPL-2.0-or-later
"""A stand-in for QEMU tries to get out of its VM's room, while another VM runs. It makes the same
attempts as root outside, where each must succeed: what the kernel cannot do at all is no wall."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from . import config, drives
from .appliance import Appliance
from .machine import Machine, Trip
from .paths import BUILD, run
from .progress import Progress
from .story import Story
from .topology import FIRST_LIGHT

MIB = 1 << 20
PAGE = 4096
VM, OTHER = "intruder", "demo"
MEMORY_MIB = 256
QEMU = "/usr/bin/qemu-system-aarch64"
STAND_IN = "/usr/lib/hvinit/lab/trespass"
SWAP = (1, 8)  # of the host's disk: begin and size in MiB
DISK = (9, 16)
OTHER_DRIVE, DRIVE = FIRST_LIGHT.places()
# More than a minute, where everything is emulated: a thousand processes, a GiB of pages.
LIMIT = 900.0


@dataclass
class Walls(Story):
    """What the story leaves behind: what came of each attempt in the room, and outside."""

    inside: dict[str, str] = field(default_factory=dict)
    outside: dict[str, str] = field(default_factory=dict)


def walls(tell: Progress) -> Walls:
    machine = Machine(
        "walls",
        config=_config(),
        extra=_extra(BUILD / "lab/walls/host.img"),
        files={STAND_IN.removeprefix("/"): (BUILD / "arm64/trespass").read_bytes()},
    )
    _host_disk(machine.folder / "host.img")
    seen = Walls(machine)
    with Trip(machine) as trip:
        appliance = Appliance(trip, tell)
        appliance.await_init()
        appliance.await_proof(OTHER)
        for chapter in (_before, _outside, _inside, _after):
            chapter(appliance, seen)
            tell(f"walls: {chapter.__name__.strip('_')} is over")
        appliance.power_off()
        seen.console = trip.console.text()
    return seen


def _config() -> str:
    command_line = f"{config.value('VM0_CMDLINE')} demo.shell"
    common: dict[str, str | int | bool] = {
        "KERNEL": config.value("VM0_KERNEL"), "INITRD": config.value("VM0_INITRD"),
        "CMDLINE": command_line, "MEMORY_MIB": MEMORY_MIB, "CONSOLE_ECHO": True,
        "HOSTDEV1_BDF": "",
    }  # fmt: skip
    other = {"NAME": OTHER, "HOSTDEV0_BDF": OTHER_DRIVE.bdf, "DISK0_PATH": "/dev/vda2"}
    intruder = {
        "NAME": VM, "HOSTDEV0_BDF": DRIVE.bdf, "NET0_BRIDGE": "lan",
        "NET0_MAC": "52:54:00:00:be:7c", "CPU_PIN": "1", "AUTOSTART": False, "STOP_TIMEOUT": 1,
    }  # fmt: skip
    symbols: dict[str, str | int | bool] = {
        "HOST_MODULES": "nvme virtio_blk af_packet", "HOST_BRIDGE0_NAME": "lan",
    }  # fmt: skip
    for slot, vm in enumerate((common | other, common | intruder)):
        symbols |= {f"VM{slot}_{last}": value for last, value in vm.items()}
    return config.changed(**symbols)


def _extra(disk: Path) -> list[str]:
    """The host's own disk, on the root bus where no SMMU is."""
    return [
        "-drive", f"if=none,id=drive-host,format=raw,file={disk}",
        "-device", "virtio-blk-pci,drive=drive-host,bus=pcie.0,addr=0xa",
    ]  # fmt: skip


def _host_disk(image: Path) -> None:
    """A partition to swap on, and the other VM's disk."""
    pages = SWAP[1] * MIB // PAGE
    words = (1, pages - 1, 0)  # version, last page, bad pages: include/linux/swap.h
    head = bytes(1024) + b"".join(word.to_bytes(4, "little") for word in words)
    with open(image, "wb") as disk:
        disk.truncate((DISK[0] + DISK[1] + 1) * MIB)
        disk.seek(SWAP[0] * MIB)
        disk.write(head.ljust(PAGE - 10, b"\0") + b"SWAPSPACE2")
    script = f"label: gpt\nstart={SWAP[0]}MiB, size={SWAP[1]}MiB, type=swap, name=swap\n"
    script += f"start={DISK[0]}MiB, size={DISK[1]}MiB, type=linux, name=guest\n"
    run(["sfdisk", "--quiet", "--no-tell-kernel", image], script)


MODULE = "isofs.ko"  # one that nobody needs here


def _results(text: str) -> dict[str, str]:
    return dict(re.findall(r"^trespass: (\w+) (\S+)\r?$", text, re.MULTILINE))


def _pid(appliance: Appliance, vm: str) -> str:
    found = re.search(rf"^{vm}\s+running\s+\d+ s\s+(\d+)", appliance.status(), re.MULTILINE)
    assert found, f"{vm} does not run"
    return found[1]


def _before(appliance: Appliance, seen: Walls) -> None:
    seen.answers["pid before"] = _pid(appliance, OTHER)


def _outside(appliance: Appliance, seen: Walls) -> None:
    """With a descriptor of a folder left open, as none is to a VM's QEMU."""
    seen.answers["outside"] = appliance.shell(f"{STAND_IN} others; {STAND_IN} 7</", LIMIT)
    seen.outside = _results(seen.answers["outside"])


def _inside(appliance: Appliance, seen: Walls) -> None:
    """The start of a VM, with nothing replaced but its QEMU."""
    appliance.shell(f"busybox mount -o bind {STAND_IN} {QEMU}")
    appliance.console.send(f"start {VM}")
    appliance.console.expect(rf"hvinit: {VM}: (?:stopped|failed)[^\r\n]*[\r\n]", LIMIT)
    seen.answers["inside"] = appliance.ask(f"log {VM}", rf"--- {VM}: QEMU's words\r\n")
    seen.inside = _results(seen.answers["inside"])
    outside = [result for result in seen.outside.values() if result == "ok"]
    appliance.tell(f"{len(seen.inside)} attempts in the room, {len(outside)} succeeded outside")
    seen.answers["history"] = appliance.ask(f"history {VM}", rf"history {VM}\r\n")
    appliance.shell(f"busybox umount {QEMU}")


def _after(appliance: Appliance, seen: Walls) -> None:
    seen.answers["machine"] = appliance.status_of_machine()
    seen.answers["pid after"] = _pid(appliance, OTHER)
    seen.answers["other's guest"] = appliance.guest("echo it lives")
    seen.answers["other's drive"] = drives.sha256(appliance, OTHER_DRIVE.device.name)
    seen.answers["denied"] = appliance.shell("hvinit ctl metrics | busybox grep calls_denied")
    seen.answers["foreign module"] = appliance.shell(
        f"busybox cp $(busybox find /usr/lib/modules -name {MODULE}) /tmp && busybox insmod /tmp/{MODULE}"
    )
    appliance.console.send(f"start {VM}")
    appliance.await_proof(VM)
