#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a CD that UEFI boots, for a BMC's virtual drive, the same bytes from the same inputs:

    iso.py --image UKI --version VERSION [--addon EFI]... ISO

El Torito with the image as EFI/BOOT/BOOTAA64.EFI in a FAT, which is a partition, too: the same file on a
stick boots. There is no boot loader on it: nothing on a CD can be counted or found to be good.
SOURCE_DATE_EPOCH dates the files.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import disk
import gpt

MIB = 1 << 20
LABEL = "HVINIT"
LOADER = "EFI/BOOT/BOOTAA64.EFI"
ADDONS = f"{LOADER}.extra.d"


def make_fat(fat: Path, args: argparse.Namespace, work: Path) -> None:
    """As small as may be, so a FAT16: every sector of it is fetched through a BMC."""
    files = {LOADER: args.image} | {f"{ADDONS}/{addon.name}": addon for addon in args.addon}
    mib = sum(-(-file.stat().st_size // MIB) for file in files.values()) + 2
    with open(fat, "wb") as file:
        file.truncate(max(mib, 20) * MIB)
    serial = disk.identifier(args.version, "iso").hex[:8]
    disk.run("mformat", "-i", fat, "-T", str(fat.stat().st_size // 512), "-h", "64", "-s", "32",
             "-c", "8", "-N", serial, "::")  # fmt: skip
    disk.run("mmd", "-i", fat, "::EFI", "::EFI/BOOT", *([f"::{ADDONS}"] if args.addon else []))
    disk.copy(str(fat), work, files)


def make_iso(made: Path, args: argparse.Namespace, work: Path) -> None:
    fat, tree = work / "fat", work / "tree"
    make_fat(fat, args, work)
    tree.mkdir()
    os.utime(tree, (disk.epoch(), disk.epoch()))
    date = time.strftime("%Y%m%d%H%M%S00", time.gmtime(disk.epoch()))
    disk.run(
        "xorriso", "-as", "mkisofs", "-quiet", "-o", made, "-V", LABEL,
        f"--modification-date={date}", "--gpt_disk_guid", disk.identifier(args.version, "iso").hex,
        "--set_all_file_dates", "set_to_mtime", "-append_partition", "2", str(gpt.ESP), fat,
        "-appended_part_as_gpt", "-partition_offset", "16", "-e", "--interval:appended_partition_2:all::",
        "-no-emul-boot", tree,
    )  # fmt: skip


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Makes a CD to boot from.")
    parser.add_argument("--image", type=Path, required=True, help="the unified kernel image")
    parser.add_argument("--version", required=True, help="the image's version")
    parser.add_argument("--addon", type=Path, action="append", default=[], help="an addon beside it")
    parser.add_argument("iso")
    args = parser.parse_args(words)
    if wrong := [one for one in args.addon if not one.name.endswith(".addon.efi")]:
        print(f"hvinit: iso: {wrong[0]}: no addon is loaded whose name does not end in .addon.efi", file=sys.stderr)
        return 1
    os.umask(0o022)  # xorriso notes modes
    return disk.make_whole("iso", args.iso, lambda made, work: make_iso(made, args, work))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main(sys.argv[1:]))
