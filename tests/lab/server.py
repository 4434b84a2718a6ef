# SPDX-License-Identifier: GPL-2.0-or-later
"""A server that boots from its own disk: firmware with variables that last, the boot loader, the
images on the EFI system partition. One Server can be switched on several times: each Trip begins with
what the last one has left on its disk and in its firmware."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from . import addon, iort, l0, trace
from .disk import Disk
from .machine import Machine
from .paths import LAB, MANIFEST, ROOT, TOOLS, run
from .topology import Topology

FIRMWARE = TOOLS / "usr/share/AAVMF"
DISK = ROOT / "out/hvinit.img"
ESP_AT = "@@1M"  # where the disk's first partition begins, for mtools
IMAGES, ADDONS = "EFI/Linux", "loader/addons"
BARE = Topology("bare", ())
# Firmware's variables are written while a CPU waits, and after that L0's main loop can miss that the
# machine has been reset (QEMU 11.1), until something else happens: a network without a card looks around
# every second.
TICKS = ("-netdev", "user,id=ticks,restrict=on")
CLOCK = ("-rtc", "base=1970-01-01T00:00:10")  # that has lost its battery


class Server(Machine):
    """Its disk is the product's, out/hvinit.img, or DISK; IMAGES (name on the EFI system partition to
    file), if given, are there in place of the product's image. ADDONS go to every image. EXTRA are more
    words for L0. CODE and VARIABLES are the firmware. SECTOR is what the drive's sectors have, in bytes."""

    def __init__(
        self,
        name: str,
        images: dict[str, Path] | None = None,
        addons: Sequence[Path] = (),
        topology: Topology = BARE,
        accel: tuple[str, ...] = l0.INTERACTIVE,
        override: bool = False,
        extra: Sequence[str] = (),
        code: Path = FIRMWARE / "AAVMF_CODE.fd",
        variables: Path = FIRMWARE / "AAVMF_VARS.fd",
        disk: Path = DISK,
        sector: int = 512,
    ) -> None:
        self.sector = sector
        self.topology, self.accel, self.extra = topology, accel, list(extra)
        self.folder = LAB / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.trips = 0
        self.l0_log = self.folder / "l0.log"
        self.manifest = MANIFEST
        self.code = code
        self.variables = self.folder / "variables.fd"
        shutil.copyfile(variables, self.variables)
        self.disks = {name: Disk(self.folder / f"{name}.img") for name in topology.drives()}
        for drive in self.disks.values():
            drive.refill()
        self.boot_image = self.folder / "boot.img"
        run(["cp", "--sparse=always", disk, self.boot_image])
        if images is not None:
            self.remove(f"{IMAGES}/*")
            for place, image in images.items():
                self.put(f"{IMAGES}/{place}", image)
        if override:
            addons = [*addons, addon.override(self.folder / "iort.addon.efi", iort.overriding(topology))]
        for one in addons:
            self.put(f"{ADDONS}/{one.name}", one)

    # --- its EFI system partition, while it is switched off ---

    @property
    def esp(self) -> str:
        return f"{self.boot_image}{ESP_AT}"

    def put(self, place: str, file: Path) -> None:
        run(["mcopy", "-o", "-i", self.esp, file, f"::{place}"])

    def remove(self, place: str) -> None:
        run(["mdel", "-i", self.esp, f"::{place}"])

    def images(self) -> list[str]:
        """Names of what is in the boot folder."""
        listed = run(["mdir", "-b", "-i", self.esp, f"::{IMAGES}"]).decode()
        return sorted(line.rpartition("/")[2] for line in listed.splitlines())

    # --- switched on ---

    def boot_drive(self) -> list[str]:
        """No boot index: what the firmware boots is in its own variables."""
        sectors = f"logical_block_size={self.sector},physical_block_size={self.sector}"
        return [
            *l0.drive("drive-boot", self.boot_image),
            "-device", f"nvme,drive=drive-boot,serial=BOOT,bus=pcie.0,addr=0x8,{sectors}",
        ]  # fmt: skip

    def words(self, serial: str) -> list[str]:
        self.trips += 1
        self.log = self.folder / f"console{self.trips}.log"
        words = [word for word in l0.machine(self.topology, self.accel) if word not in ("-bios", str(l0.FIRMWARE))]
        words += ["-drive", f"if=pflash,format=raw,readonly=on,file={self.code}"]
        words += ["-drive", f"if=pflash,format=raw,file={self.variables}"]
        words += self.boot_drive()
        for name, disk in self.disks.items():
            words += l0.drive(f"drive-{name}", disk.path)
        words += ["-chardev", f"{serial},id=serial,logfile={self.log}", "-serial", "chardev:serial"]
        return [*words, *TICKS, *self.extra, *trace.EVENTS]
