#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a disk to boot from, without root, the same bytes from the same inputs:

    disk.py --loader EFI --image UKI --version VERSION [--esp MIB] [--state MIB] [--sector-size BYTES] DISK

GPT; an EFI system partition with systemd-boot and the image as EFI/Linux/hvinit_VERSION.efi, of which
the loader counts tries; and an empty ext4 for what is kept. SOURCE_DATE_EPOCH dates the files. The
disk is a sparse file, which is there as a whole or not at all.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

import gpt

MIB = 1 << 20
FIRST_MIB = 1  # where the first partition begins
TRIES = 3
STATE = "hvinit-state"  # the partition's name, and what HOST_STATE_PARTLABEL says
# The image that runs, the one before it, and the one that is being written.
IMAGES = 3
SPARE_MIB = 8  # for the loader, addons, and the file system's own tables
# A FAT with fewer clusters than this is no FAT32 (Microsoft's FAT specification 1.03, page 14). A
# cluster is as large as the largest sector, and has a word in each of two tables.
CLUSTERS, CLUSTER = 65525, 4096
# Less than this, and ext4 has no room for a journal.
STATE_LEAST_MIB = 16
MOST_MIB = 1 << 20  # a TiB: FAT32 ends at two of them
# Identifiers that are the same on every disk that is made from the same version.
NAMESPACE = uuid.UUID("3abd3883-29fd-4b35-859c-b9d35052ed58")

LOADER_CONF = """\
# The newest image that has tries left, or was found to be good; the keyboard is nobody's.
timeout 0
default hvinit_*
editor no
"""

# In place of the build machine's own, so that every machine makes the same file system. Blocks are
# no smaller than a sector can be.
MKE2FS_CONF = """\
[defaults]
	base_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr
	blocksize = 4096
	inode_size = 256
	inode_ratio = 16384
[fs_types]
	ext4 = {
		features = extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize
	}
"""


class Failed(Exception):
    """A tool could not do its work, or what is asked for cannot be had."""


def epoch() -> int:
    """Seconds since 1970, but no less than a FAT can tell: 1980."""
    return max(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), 315532800)


def run(*words: str | Path, **variables: str) -> None:
    """Runs a tool that may live where only root looks for it."""
    environment = dict(os.environ, MTOOLS_SKIP_CHECK="1", MTOOLSRC=os.devnull, TZ="UTC", LC_ALL="C")
    environment["PATH"] = environment.get("PATH", "") + ":/usr/sbin:/sbin"
    environment |= {"SOURCE_DATE_EPOCH": str(epoch()), "E2FSPROGS_FAKE_TIME": str(epoch())}
    done = subprocess.run(
        [str(word) for word in words], check=False, capture_output=True, text=True,
        env=environment | variables, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode:
        raise Failed(f"{words[0]}: {done.stderr.strip() or done.returncode}")


def identifier(version: str, what: str) -> uuid.UUID:
    return uuid.uuid5(NAMESPACE, f"{what} {version}")


def least_esp(image: int) -> int:
    """The MiB that an EFI system partition takes for images of that size (bytes)."""
    fat32 = -(-CLUSTERS * (CLUSTER + 2 * 4) // MIB) + 1
    return max(fat32, IMAGES * -(-image // MIB) + SPARE_MIB)


def mib(name: str, text: str) -> int:
    if not re.fullmatch("[0-9]{1,7}", text) or int(text) > MOST_MIB:
        raise Failed(f"{name}: want a number of MiB up to {MOST_MIB}, not {text!r}")
    return int(text)


def check(args: argparse.Namespace) -> None:
    """Makes numbers of what was typed."""
    args.esp, args.state = mib("ESP_MIB", args.esp), mib("STATE_MIB", args.state)
    if args.sector_size not in map(str, gpt.SECTORS):
        raise Failed(f"SECTOR: want {' or '.join(map(str, gpt.SECTORS))}, not {args.sector_size!r}")
    args.sector_size = int(args.sector_size)
    least = least_esp(Path(args.image).stat().st_size)
    if args.esp < least:
        raise Failed(
            f"an EFI system partition of {args.esp} MiB is too small for a FAT32 with {IMAGES} "
            f"images of this size: want {least} MiB or more (ESP_MIB)"
        )
    if args.state < STATE_LEAST_MIB:
        raise Failed(
            f"a state partition of {args.state} MiB has no room for a journal: want "
            f"{STATE_LEAST_MIB} MiB or more (STATE_MIB)"
        )


def partition(disk: Path, args: argparse.Namespace) -> None:
    state = (FIRST_MIB + args.esp) * MIB
    end = state + args.state * MIB

    def part(kind: uuid.UUID, what: str, first: int, end: int, name: str) -> gpt.Partition:
        return gpt.Partition(kind, identifier(args.version, what), first, end, name)

    table = gpt.Table(
        identifier(args.version, "disk"), args.sector_size, end + MIB,
        (part(gpt.ESP, "esp", FIRST_MIB * MIB, state, "ESP"),
         part(gpt.LINUX, "state", state, end, STATE)),
    )  # fmt: skip
    with open(disk, "wb") as file:
        file.truncate(table.size)
        for at, data in table.pieces():
            file.seek(at)
            file.write(data)


def make_fat(esp: str, mib: int, sector: int, serial: str) -> None:
    """A FAT32 in MIB of what mtools calls ESP, with sectors as large as the drive's: firmware and
    kernel read no other."""
    size_code = {512: "2", 4096: "5"}[sector]
    run("mformat", "-i", esp, "-F", "-S", size_code, "-T", str(mib * MIB // sector), "-h", "64",
        "-s", "32", "-c", str(CLUSTER // sector), "-N", serial, "::")  # fmt: skip


def copy(esp: str, work: Path, files: dict[str, Path]) -> None:
    """Puts FILES (place to source) on ESP, with one date for all of them."""
    for place, source in files.items():
        dated = work / "dated"
        dated.unlink(missing_ok=True)
        dated.write_bytes(source.read_bytes())
        os.utime(dated, (epoch(), epoch()))
        run("mcopy", "-m", "-i", esp, dated, f"::{place}")


def fill_esp(disk: Path, args: argparse.Namespace, work: Path) -> None:
    esp = f"{disk}@@{FIRST_MIB}M"
    make_fat(esp, args.esp, args.sector_size, identifier(args.version, "esp").hex[:8])
    # EFI/hvinit is for copies of updates: made by the first of them, it could be left half made.
    run("mmd", "-i", esp, "::EFI", "::EFI/BOOT", "::EFI/Linux", "::EFI/hvinit", "::EFI/systemd", "::loader",
        "::loader/addons")  # fmt: skip
    conf = work / "loader.conf"
    conf.write_text(LOADER_CONF)
    copy(esp, work, {
        "EFI/BOOT/BOOTAA64.EFI": Path(args.loader),
        f"EFI/Linux/hvinit_{args.version}+{TRIES}.efi": Path(args.image),
        "loader/loader.conf": conf,
    })  # fmt: skip


def make_state(disk: Path, args: argparse.Namespace, work: Path) -> None:
    """In a file of its own first: mke2fs makes no journal inside a larger one, and tune2fs, which
    does, writes what time it is."""
    name = identifier(args.version, "state")
    conf, state = work / "mke2fs.conf", work / "state"
    conf.write_text(MKE2FS_CONF)
    run("mke2fs", "-q", "-F", "-t", "ext4", "-L", STATE, "-U", str(name), "-m", "0",
        "-E", f"hash_seed={name},root_owner=0:0,lazy_itable_init=0,nodiscard",
        "-O", "has_journal", state, f"{args.state}M", MKE2FS_CONFIG=str(conf))  # fmt: skip
    with open(state, "rb") as source, open(disk, "r+b") as file:
        for at in range((FIRST_MIB + args.esp) * MIB, (FIRST_MIB + args.esp + args.state) * MIB, MIB):
            data = source.read(MIB)
            if any(data):
                file.seek(at)
                file.write(data)


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Makes a disk to boot from.")
    parser.add_argument("--loader", required=True, help="systemd-boot for the machine")
    parser.add_argument("--image", required=True, help="the unified kernel image")
    parser.add_argument("--version", required=True, help="the image's version")
    parser.add_argument("--esp", default="512", help="EFI system partition (512 MiB)")
    parser.add_argument("--state", default="64", help="state partition (64 MiB)")
    parser.add_argument("--sector-size", default="512", help="bytes of a sector of the drive (512)")
    parser.add_argument("disk")
    return parser.parse_args(words)


def stop(number: int, _: object) -> None:
    """A build that is ended leaves nothing half made."""
    raise Failed(f"ended by signal {number}")


def make_whole(what: str, target: str, make: Callable[[Path, Path], None]) -> int:
    """Has MAKE make a file, with a folder to work in; TARGET is there as a whole or not at all. Returns
    what a program ends by, and has said why when that is not 0."""
    made = Path(f"{target}.{os.getpid()}.part")
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        with tempfile.TemporaryDirectory() as work:
            make(made, Path(work))
        made.replace(target)
    except (Failed, gpt.Bad, OSError) as error:
        print(f"hvinit: {what}: {target}: {error}", file=sys.stderr)
        return 1
    finally:
        made.unlink(missing_ok=True)
    return 0


def main(words: list[str]) -> int:
    args = parse(words)

    def make(made: Path, work: Path) -> None:
        check(args)
        partition(made, args)
        fill_esp(made, args, work)
        make_state(made, args, work)

    return make_whole("disk", args.disk, make)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main(sys.argv[1:]))
