#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes a disk image (rootfs/disk.py) to a drive, and reads it back:

    flash.py [--dry-run] [--yes NAME] IMAGE DEVICE

Shows what is on the drive, refuses one that anything uses, and asks for the drive's name before it
writes. --yes says the name beforehand, for scripts. The partition table is written last, for the size
that the drive has: a drive that could not be finished does not look like one that was.
"""

import argparse
import fcntl
import hashlib
import json
import mmap
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gpt

Device = dict[str, Any]  # as lsblk tells of it

MIB = 1 << 20
CHUNK = 4 * MIB
BLKRRPART, BLKFLSBUF = 0x125F, 0x1261  # linux/fs.h
COLUMNS = "NAME,TYPE,SIZE,MODEL,SERIAL,TRAN,RO,LOG-SEC,FSTYPE,LABEL,PARTLABEL,MOUNTPOINTS,PKNAME"
# Of what a pool, a RAID, a group of volumes or an encrypted disk is made, in use or not.
MEMBERS = ("zfs_member", "linux_raid_member", "LVM2_member", "crypto_LUKS", "bcache")
# What can be written to as a whole. A loop device is a file that looks like a drive.
WHOLE = ("disk", "loop")


class Refused(Exception):
    """The drive is left as it is; the text says why, and what would help."""


class Failed(Exception):
    """The drive is not what it should be now."""


# --- what is there ---


def told(*words: str) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ, LC_ALL="C", PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    return subprocess.run(words, capture_output=True, text=True, env=environment)


def look_inside(one: Device) -> None:
    """What file system it has: lsblk knows by udev, which not every machine runs."""
    try:
        lines = told("blkid", "--probe", "--output", "export", one["name"]).stdout.splitlines()
    except FileNotFoundError:
        return
    found = dict(line.split("=", 1) for line in lines if "=" in line)
    for ours, theirs in (("fstype", "TYPE"), ("label", "LABEL"), ("partlabel", "PART_ENTRY_NAME")):
        one[ours] = one.get(ours) or found.get(theirs)


def look(device: str) -> Device:
    """The drive and, in its "children", what is on it."""
    done = told("lsblk", "--json", "--bytes", "--paths", "--output", COLUMNS, device)
    if done.returncode:
        raise Refused(f"lsblk: {done.stderr.strip() or done.returncode}")
    found: list[Device] = json.loads(done.stdout)["blockdevices"]
    if len(found) != 1:
        raise Refused(f"lsblk tells of {len(found)} devices of that name")
    for _, one in family(found[0]):
        if not one.get("fstype"):
            look_inside(one)
    return found[0]


def family(device: Device) -> Iterator[tuple[int, Device]]:
    """The device and all that is on it, with how deep."""
    yield 0, device
    for child in device.get("children", []):
        for depth, one in family(child):
            yield depth + 1, one


def mounts(device: Device) -> list[str]:
    return [place for place in device.get("mountpoints") or [] if place]


def row(depth: int, one: Device) -> str:
    words = [one.get(what) or "" for what in ("type", "fstype", "label", "partlabel")]
    size = f"{int(one['size']) / MIB:,.0f} MiB"
    texts = [f"{'  ' * depth}{one['name']}", size, *words, " ".join(mounts(one))]
    return "  {:20} {:>16}  {:6} {:12} {:14} {:16} {}".format(*texts).rstrip()


def show(device: Device) -> str:
    about = [device.get(what) for what in ("model", "serial", "tran")]
    said = ", ".join(str(word).strip() for word in about if word) or "no model"
    lines = [f"{device['name']}: {said}, sectors of {device['log-sec']} bytes"]
    lines += [row(*one) for one in family(device)]
    return "\n".join(lines)


# --- what speaks against it ---


def objections(device: Device, table: gpt.Table) -> Iterator[str]:
    """Why the drive is not to be written to: by what it is, then by who uses it."""
    kind = device["type"]
    if kind == "part":
        yield f"it is a partition: want the whole drive, {device.get('pkname') or 'see lsblk'}"
    elif kind not in WHOLE:
        yield f"it is no drive but of type {kind}"
    if device["ro"]:
        yield "it is read-only: look for a switch on it"
    if int(device["log-sec"]) != table.sector:
        yield (f"its sectors have {device['log-sec']} bytes, the image's {table.sector}: "
               f"make flash SECTOR={device['log-sec']} DEV={device['name']}")  # fmt: skip
    if int(device["size"]) < table.size:
        yield (f"it has {int(device['size']) // MIB} MiB, the image {-(-table.size // MIB)}: "
               "another drive, or ESP_MIB and STATE_MIB")  # fmt: skip
    for depth, one in family(device):
        for place in mounts(one):
            how = "is swapped to: swapoff" if place == "[SWAP]" else f"is mounted at {place}: umount"
            yield f"{one['name']} {how} {one['name']}"
        if depth and one["type"] not in ("part", *WHOLE):
            yield f"{one['name']} ({one['type']}) stands on it: stop that first"
        if one.get("fstype") in MEMBERS:
            yield f"{one['name']} is part of something larger ({one['fstype']}): wipefs -a {one['name']}, if nobody wants that"


def confirm(device: Device, asked: str, given: str | None) -> None:
    """The name is asked for, the kernel's or the one that it was ASKED to be written to by: a "y" is
    typed too soon."""
    names = (device["name"], os.path.basename(device["name"]), asked)
    if given is None:
        print(f"All of this is lost. To go on, type the drive's name ({names[1]}): ", end="", flush=True)
        given = sys.stdin.readline().strip()
    if given not in names:
        raise Refused(f"{given!r} is not its name: nothing was written")


# --- what is written ---


class Plan:
    """What the drive gets: the image's partitions, and its table for a drive of that SIZE (bytes)."""

    def __init__(self, image: Path, size: int) -> None:
        self.image = image
        with open(image, "rb") as file:
            start = file.read(MIB)
        self.own = gpt.read(start)
        self.table = list(self.own.moved(size).pieces())
        self.first = min(one.first for one in self.own.partitions)
        self.end = max(one.end for one in self.own.partitions)

    def body(self) -> Iterator[tuple[int, bytes]]:
        with open(self.image, "rb") as file:
            file.seek(self.first)
            for at in range(self.first, self.end, CHUNK):
                data = file.read(min(CHUNK, self.end - at))
                if len(data) != min(CHUNK, self.end - at):
                    raise Failed(f"{self.image} ends in a partition")
                yield at, data


def write_at(fd: int, at: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        done = os.pwrite(fd, left, at)
        left, at = left[done:], at + done


def progress(what: str, done: int, of: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done >= of else ""
        print(f"\r{what} {done // MIB} of {of // MIB} MiB{end}", end="", file=sys.stderr, flush=True)


def write(fd: int, plan: Plan) -> str:
    """Writes PLAN, waits until the drive has it, and returns the body's hash."""
    hashed = hashlib.sha256()
    write_at(fd, 0, bytes(plan.first))  # no table until there is something for it to tell of
    os.fsync(fd)
    for at, data in plan.body():
        write_at(fd, at, data)
        hashed.update(data)
        progress("writing", at + len(data) - plan.first, plan.end - plan.first)
    os.fsync(fd)
    for at, data in plan.table:
        write_at(fd, at, data)
    os.fsync(fd)
    return hashed.hexdigest()


def forget(fd: int) -> None:
    """What is read from now on comes from the drive, not from memory."""
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    if stat.S_ISBLK(os.fstat(fd).st_mode):
        fcntl.ioctl(fd, BLKFLSBUF)


def verify(fd: int, plan: Plan, wanted: str) -> None:
    forget(fd)
    hashed, buffer = hashlib.sha256(), mmap.mmap(-1, CHUNK)
    for at in range(plan.first, plan.end, CHUNK):
        length = min(CHUNK, plan.end - at)
        if os.preadv(fd, [memoryview(buffer)[:length]], at) != length:
            raise Failed(f"it cannot be read at byte {at}")
        hashed.update(memoryview(buffer)[:length])
        progress("reading", at + length - plan.first, plan.end - plan.first)
    if hashed.hexdigest() != wanted:
        raise Failed("what is read is not what was written: the drive is not to be trusted")
    for at, data in plan.table:
        if os.pread(fd, len(data), at) != data:
            raise Failed(f"its partition table is not what was written (byte {at})")


def flash(image: Path, name: str, device: Device, written: list[str]) -> None:
    """From when on it is not what it was WRITTEN tells. O_EXCL on a drive says no while anything has it or a part of it, whatever lsblk knows."""
    try:
        fd = os.open(name, os.O_RDWR | os.O_EXCL | os.O_CLOEXEC)
    except OSError as error:
        raise Refused(f"open it alone: {error.strerror}: something uses it, or you are not root") from error
    try:
        # While it was thought about, another drive can have come by that name.
        if look(name) != device:
            raise Refused("it is not any more what was shown: nothing was written")
        plan = Plan(image, int(device["size"]))
        written.append(name)
        verify(fd, plan, write(fd, plan))
        if stat.S_ISBLK(os.fstat(fd).st_mode):
            try:
                fcntl.ioctl(fd, BLKRRPART)
            except OSError:
                print("hvinit: flash: this machine's kernel still has the drive's old partitions",
                      file=sys.stderr)  # fmt: skip
    finally:
        os.close(fd)


def read_image(image: Path) -> gpt.Table:
    try:
        with open(image, "rb") as file:
            return gpt.read(file.read(MIB))
    except OSError as error:
        raise Refused(f"{image}: {error.strerror}") from error
    except gpt.Bad as error:
        raise Refused(f"{image}: it is no disk image: {error}") from error


def tell(table: gpt.Table) -> str:
    parts = ", ".join(f"{one.name} {(one.end - one.first) // MIB} MiB" for one in table.partitions)
    return f"{parts}, for sectors of {table.sector} bytes"


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Writes a disk image to a drive.")
    parser.add_argument("--dry-run", action="store_true", help="says what would be done")
    parser.add_argument("--yes", metavar="NAME", help="the drive's name, in place of the question")
    parser.add_argument("image", type=Path)
    parser.add_argument("device")
    args = parser.parse_args(words)
    written: list[str] = []
    try:
        table = read_image(args.image)
        if not stat.S_ISBLK(os.stat(args.device).st_mode):
            raise Refused("it is no block device: lsblk lists them")
        device = look(args.device)
        print(f"{args.image}: {tell(table)}")
        print(show(device))
        if against := list(objections(device, table)):
            raise Refused("\n  ".join(["not written to:", *against]))
        if args.dry_run:
            print(f"would be overwritten with {args.image} ({table.size // MIB} MiB)")
            return 0
        confirm(device, args.device, args.yes)
        flash(args.image, args.device, device, written)
    except Refused as error:
        print(f"hvinit: flash: {args.device}: {error}", file=sys.stderr)
        return 1
    except (Failed, gpt.Bad, OSError) as error:
        state = ": the drive is NOT usable as it is" if written else ""
        why = error.strerror if isinstance(error, OSError) and error.filename else error
        print(f"hvinit: flash: {args.device}: {why}{state}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nhvinit: flash: ended: the drive may be half written", file=sys.stderr)
        return 1
    print(f"{args.device}: written and read back; eject it before you pull it out")
    return 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main(sys.argv[1:]))
