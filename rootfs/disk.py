#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a disk to boot from, without root, the same bytes from the same inputs:

    disk.py --loader EFI --image UKI --version VERSION [--esp MIB] [--state MIB] DISK

GPT; an EFI system partition with systemd-boot and the image as EFI/Linux/hvinit_VERSION.efi, of which
the loader counts tries; and an empty ext4 for what is kept. SOURCE_DATE_EPOCH dates the files.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

MIB = 1 << 20
SECTOR = 512
FIRST_MIB = 1  # where the first partition begins
TRIES = 3
STATE = "hvinit-state"  # the partition's name, and what HOST_STATE_PARTLABEL says
# Identifiers that are the same on every disk that is made from the same version.
NAMESPACE = uuid.UUID("3abd3883-29fd-4b35-859c-b9d35052ed58")

LOADER_CONF = """\
# The newest image that has tries left, or was found to be good; the keyboard is nobody's.
timeout 0
default hvinit_*
editor no
"""


class Failed(Exception):
    """A tool could not do its work."""


def run(*words: str | Path) -> None:
    environment = dict(os.environ, MTOOLS_SKIP_CHECK="1")
    environment["PATH"] = environment.get("PATH", "") + ":/usr/sbin:/sbin"
    epoch = environment.setdefault("SOURCE_DATE_EPOCH", "0")
    environment |= {"E2FSPROGS_FAKE_TIME": epoch, "TZ": "UTC"}
    done = subprocess.run(
        [str(word) for word in words], check=False, capture_output=True, text=True, env=environment
    )
    if done.returncode:
        raise Failed(f"{words[0]}: {done.stderr.strip() or done.returncode}")


def identifier(version: str, what: str) -> str:
    return str(uuid.uuid5(NAMESPACE, f"{what} {version}"))


def partition(disk: Path, args: argparse.Namespace) -> None:
    state = FIRST_MIB + args.esp
    with open(disk, "wb") as file:
        file.truncate((state + args.state + 1) * MIB)
    script = disk.with_suffix(".sfdisk")
    script.write_text(
        f"label: gpt\nlabel-id: {identifier(args.version, 'disk')}\n"
        f"start={FIRST_MIB}MiB, size={args.esp}MiB, type=uefi, name=ESP, "
        f"uuid={identifier(args.version, 'esp')}\n"
        f"start={state}MiB, size={args.state}MiB, type=linux, name={STATE}, "
        f"uuid={identifier(args.version, 'state')}\n"
    )
    with open(script) as text:
        done = subprocess.run(
            ["sfdisk", "--quiet", "--no-tell-kernel", str(disk)], stdin=text, capture_output=True,
            text=True, check=False,
            env=dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"),
        )  # fmt: skip
    script.unlink()
    if done.returncode:
        raise Failed(f"sfdisk: {done.stderr.strip()}")


def fill_esp(disk: Path, args: argparse.Namespace, work: Path) -> None:
    esp = f"{disk}@@{FIRST_MIB}M"
    serial = identifier(args.version, "esp")[:8]
    sectors = args.esp * MIB // SECTOR
    run("mformat", "-i", esp, "-F", "-T", str(sectors), "-h", "64", "-s", "32", "-N", serial, "::")
    run("mmd", "-i", esp, "::EFI", "::EFI/BOOT", "::EFI/Linux", "::EFI/systemd", "::loader",
        "::loader/addons")  # fmt: skip
    conf = work / "loader.conf"
    conf.write_text(LOADER_CONF)
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    files = {
        "EFI/BOOT/BOOTAA64.EFI": args.loader,
        f"EFI/Linux/hvinit_{args.version}+{TRIES}.efi": args.image,
        "loader/loader.conf": conf,
    }
    for place, source in files.items():
        dated = work / "dated"
        dated.unlink(missing_ok=True)
        dated.write_bytes(Path(source).read_bytes())
        os.utime(dated, (epoch, epoch))
        run("mcopy", "-m", "-i", esp, dated, f"::{place}")


def make_state(disk: Path, args: argparse.Namespace) -> None:
    offset = (FIRST_MIB + args.esp) * MIB
    name = identifier(args.version, "state")
    run("mke2fs", "-q", "-F", "-t", "ext4", "-L", STATE, "-U", name, "-m", "0",
        "-E", f"offset={offset},hash_seed={name},lazy_itable_init=0,nodiscard", "-O", "^has_journal",
        disk, f"{args.state}M")  # fmt: skip
    run("tune2fs", "-O", "has_journal", f"{disk}?offset={offset}")


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Makes a disk to boot from.")
    parser.add_argument("--loader", required=True, help="systemd-boot for the machine")
    parser.add_argument("--image", required=True, help="the unified kernel image")
    parser.add_argument("--version", required=True, help="the image's version")
    parser.add_argument("--esp", type=int, default=512, help="EFI system partition (512 MiB)")
    parser.add_argument("--state", type=int, default=64, help="state partition (64 MiB)")
    parser.add_argument("disk")
    return parser.parse_args(words)


def main(words: list[str]) -> int:
    args = parse(words)
    made = Path(f"{args.disk}.part")
    try:
        with tempfile.TemporaryDirectory() as work:
            partition(made, args)
            fill_esp(made, args, Path(work))
            make_state(made, args)
        made.replace(args.disk)
    except (Failed, OSError) as error:
        made.unlink(missing_ok=True)
        print(f"hvinit: disk: {args.disk}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
