# SPDX-License-Identifier: GPL-2.0-or-later
"""Media with an image to update to: FAT sticks with and without a partition table, and ISO 9660, made
without root."""

import struct
from collections.abc import Mapping
from pathlib import Path

from .paths import run

MIB = 1 << 20
SECTOR = 512
LABEL = "HVINIT-UPDATE"
FAT_LABEL = LABEL[:11]
FILE = "hvinit.efi"
BLOCK = 2048  # of ISO 9660


def _room(files: Mapping[str, Path]) -> int:
    """MiB for FILES and for what a file system needs itself; FAT32 has 33 at least."""
    return max(sum(file.stat().st_size for file in files.values()) // MIB + 8, 40)


def _fill(place: str, files: Mapping[str, Path]) -> None:
    for name, file in files.items():
        run(["mcopy", "-o", "-i", place, file, f"::{name}"])


def fat(medium: Path, files: Mapping[str, Path], label: str = FAT_LABEL, mib: int = 0) -> Path:
    """The whole of MEDIUM is a FAT32 file system, of MIB or as large as FILES want it."""
    size = mib or _room(files)
    with open(medium, "wb") as file:
        file.truncate(size * MIB)
    sectors = str(size * MIB // SECTOR)
    run(["mformat", "-i", medium, "-F", "-T", sectors, "-h", "64", "-s", "32", "-v", label, "::"])
    _fill(str(medium), files)
    return medium


def gpt(medium: Path, files: Mapping[str, Path], label: str = LABEL) -> Path:
    """A partition of that name has a FAT without one."""
    size = _room(files)
    with open(medium, "wb") as file:
        file.truncate((size + 2) * MIB)
    run(["sfdisk", "--quiet", "--no-tell-kernel", medium],
        f'label: gpt\nstart=1MiB, size={size}MiB, type=uefi, name="{label}"\n')  # fmt: skip
    place = f"{medium}@@1M"
    sectors = str(size * MIB // SECTOR)
    run(["mformat", "-i", place, "-F", "-T", sectors, "-h", "64", "-s", "32", "::"])
    _fill(place, files)
    return medium


# --- ISO 9660 (ECMA-119): one folder, names of level 1 ---


def _both16(number: int) -> bytes:
    return struct.pack("<H", number) + struct.pack(">H", number)


def _both32(number: int) -> bytes:
    return struct.pack("<I", number) + struct.pack(">I", number)


def _record(name: bytes, at: int, size: int, folder: bool) -> bytes:
    """A directory record, section 9.1."""
    body = b"\0" + _both32(at) + _both32(size) + bytes(7) + bytes([2 if folder else 0, 0, 0])
    body += _both16(1) + bytes([len(name)]) + name
    body += b"\0" * (len(body) % 2 == 0)
    return bytes([len(body) + 1]) + body


def _volume(label: str, blocks: int, root: bytes, table: tuple[int, int]) -> bytes:
    """The primary volume descriptor, section 8.4; TABLE is where both path tables are."""
    text = b"\1CD001\1\0" + b" " * 32 + label.encode().ljust(32) + bytes(8) + _both32(blocks)
    text += bytes(32) + _both16(1) + _both16(1) + _both16(BLOCK) + _both32(10)
    text += struct.pack("<II", table[0], 0) + struct.pack(">II", table[1], 0) + root
    text += b" " * (128 * 4 + 37 * 3) + (b"0" * 16 + b"\0") * 4 + b"\1"
    return text.ljust(BLOCK, b"\0")


def iso(medium: Path, image: Path, label: str = LABEL) -> Path:
    """A CD with IMAGE, as it can be on a stick, too."""
    data = image.read_bytes()
    little, big, top, first = 18, 19, 20, 21
    blocks = first + -(-len(data) // BLOCK)
    root = _record(b"\0", top, BLOCK, True)
    path = struct.pack("<BBIH", 1, 0, top, 1) + b"\0\0", struct.pack(">BBIH", 1, 0, top, 1) + b"\0\0"
    listed = root + _record(b"\1", top, BLOCK, True)
    listed += _record(f"{FILE.upper()};1".encode(), first, len(data), False)
    with open(medium, "wb") as file:
        file.seek(16 * BLOCK)
        file.write(_volume(label, blocks, root, (little, big)))
        file.write(b"\xffCD001\1".ljust(BLOCK, b"\0"))
        file.write(path[0].ljust(BLOCK, b"\0") + path[1].ljust(BLOCK, b"\0"))
        file.write(listed.ljust(BLOCK, b"\0"))
        file.write(data)
        file.truncate(blocks * BLOCK)
    return medium
