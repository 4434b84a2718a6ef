# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines whose EFI system partition takes no image: it is full, its disk takes no writes, the disk
has no partitions, or it is not where the image was booted from. Each says so, changes nothing, and boots again
what it booted before."""

import re
from dataclasses import dataclass
from pathlib import Path

from . import esp, medium
from .appliance import Appliance
from .image import version
from .machine import Machine, Trip
from .paths import LAB, run
from .progress import Progress
from .server import BARE, DISK, ESP_AT, IMAGES, TICKS, Server
from .updating import USB, command, manifest, plug, sha256, tree

OWN = f"hvinit_{version()}.efi"
LITTLE = 8 << 20  # bytes that are free on a partition that is nearly full


@dataclass
class Place:
    """A machine whose partition takes no image: what it says, whether its disk is as it was, and which
    version it boots afterwards."""

    said: str
    unchanged: bool
    booted: str


class WornOut(Server):
    """Its drive takes no writes any more, but does not say so beforehand."""

    device = "nvme,serial=BOOT"

    def boot_drive(self) -> list[str]:
        return [
            "-drive", f"if=none,id=drive-boot,format=raw,readonly=on,file={self.boot_image}",
            "-device", f"{self.device},drive=drive-boot,bus=pcie.0,addr=0x8",
        ]  # fmt: skip


class Protected(WornOut):
    """Its disk says that it is write-protected."""

    device = "virtio-blk-pci"


def places(stick: Path, image: Path, own: Path, tell: Progress) -> dict[str, Place]:
    """STICK has IMAGE; OWN is what the machines boot."""
    images = {OWN: own}
    full = Server("update-full", images, extra=USB)
    _fill(full)
    bare = Server("update-bare", disk=_bare(own), extra=USB)
    worn_out = WornOut("update-worn", images, extra=USB)
    protected = Protected("update-protected", images, extra=USB)
    removable = Machine("update-removable", BARE, config=manifest(), override=False, extra=[*USB, *TICKS])
    typed = f"--sha256 {sha256(image)}"
    return {
        "full": _try(full, full.esp, stick, typed, tell),
        "worn out": _try(worn_out, worn_out.esp, stick, typed, tell),
        "protected": _try(protected, protected.esp, stick, typed, tell),
        "no partitions": _try(bare, str(bare.boot_image), stick, typed, tell),
        "no loader": _try(removable, f"{removable.boot_image}{ESP_AT}", stick, typed, tell),
    }


def _try(machine: Machine, fat: str, stick: Path, typed: str, tell: Progress) -> Place:
    """FAT is the file system that the machine boots from."""
    before = tree(fat)
    with Trip(machine) as trip:
        appliance = Appliance(trip, tell)
        appliance.await_init()
        plug(appliance, "stick", stick)
        said = command(appliance, typed)
        appliance.console.send("reboot")
        booted = appliance.console.expect(r"init: started: hvinit ([0-9.]+),")[1]
        appliance.power_off()
    return Place(said, tree(fat) == before, booted)


def _fill(server: Server) -> None:
    """Leaves too little room for an image."""
    last = run(["mdir", "-i", server.esp, "::"]).decode().strip().splitlines()[-1]
    free = int("".join(re.findall(r"\d+", last)))
    filler = server.folder / "filler"
    with open(filler, "wb") as file:
        file.truncate(free - LITTLE)
    server.put(filler.name, filler)


def _bare(own: Path) -> Path:
    """A disk that is one FAT, with the boot loader and OWN."""
    disk = medium.fat(LAB / "update-bare.img", {}, "BARE", mib=64)
    loader = LAB / "update-images/loader.efi"
    run(["mcopy", "-o", "-i", f"{DISK}{ESP_AT}", f"::{esp.LOADER}", loader])
    run(["mmd", "-i", disk, "::EFI", "::EFI/BOOT", f"::{IMAGES}"])
    run(["mcopy", "-i", disk, loader, f"::{esp.LOADER}"])
    run(["mcopy", "-i", disk, own, f"::{IMAGES}/{OWN}"])
    return disk
