# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes drives to boot from: GPT disks with an EFI system partition, without root."""

from pathlib import Path

from .paths import run

MIB = 1 << 20
SECTOR = 512
LOADER = "EFI/BOOT/BOOTAA64.EFI"
ADDONS = f"{LOADER}.extra.d"


def make(image: Path, product: Path, addons: list[Path], room: int = 0) -> int:
    """IMAGE boots PRODUCT, byte for byte, with ADDONS beside it. Behind them is a partition of ROOM
    bytes, if any; returns where it begins."""
    size = sum(file.stat().st_size for file in (product, *addons)) // MIB + 16
    end = (1 + size) * MIB
    with open(image, "wb") as disk:
        disk.truncate(end + room + MIB)
    script = f"label: gpt\nstart=1MiB, size={size}MiB, type=uefi, name=ESP\n"
    if room:
        script += f"start={end // SECTOR}, size={room // SECTOR}, type=linux, name=proof\n"
    run(["sfdisk", "--quiet", "--no-tell-kernel", image], script)
    partition = f"{image}@@1M"
    sectors = str(size * MIB // SECTOR)
    run(["mformat", "-i", partition, "-T", sectors, "-h", "64", "-s", "32", "::"])
    run(["mmd", "-i", partition, "::EFI", "::EFI/BOOT", f"::{ADDONS}"])
    run(["mcopy", "-i", partition, product, f"::{LOADER}"])
    for addon in addons:
        run(["mcopy", "-i", partition, addon, f"::{ADDONS}/{addon.name}"])
    return end


def read_product(image: Path) -> bytes:
    """What the firmware will load from IMAGE."""
    return run(["mcopy", "-i", f"{image}@@1M", f"::{LOADER}", "-"])
