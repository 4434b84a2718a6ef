# SPDX-License-Identifier: GPL-2.0-or-later
"""GUID partition tables (UEFI specification 2.10, chapter 5), for disks with sectors of any size.

sfdisk writes them for the sector size of what it writes to, and a file has always 512 bytes.
"""

import struct
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

ESP = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
LINUX = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")

SECTORS = (512, 4096)
SIGNATURE = b"EFI PART"
ENTRIES, ENTRY = 128, 128  # of the array: how many, and bytes of each
HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
SLOT = struct.Struct("<16s16sQQQ72s")


class Bad(Exception):
    """This is no table, or a damaged one."""


@dataclass(frozen=True)
class Partition:
    """Bytes FIRST up to, and without, END of the disk."""

    kind: uuid.UUID
    identity: uuid.UUID
    first: int
    end: int
    name: str


@dataclass(frozen=True)
class Table:
    """What a disk of SIZE bytes in sectors of SECTOR bytes is divided into."""

    identity: uuid.UUID
    sector: int
    size: int
    partitions: tuple[Partition, ...]

    def moved(self, size: int) -> "Table":
        """The same partitions on a disk of another SIZE (bytes)."""
        return Table(self.identity, self.sector, size // self.sector * self.sector, self.partitions)

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """What is to be written, and where (bytes): all of it, both copies. Bad: no room for it."""
        array = b"".join(self._slot(one) for one in self.partitions).ljust(ENTRIES * ENTRY, b"\0")
        length = -(-len(array) // self.sector)  # sectors
        last = self.size // self.sector - 1
        usable = (2 + length, last - length - 1)
        for one in self.partitions:
            if one.first < usable[0] * self.sector or one.end > (usable[1] + 1) * self.sector:
                raise Bad(f"{one.name} ends at byte {one.end}, the disk has {self.size}")
        yield 0, self._protection(last)
        yield self.sector, self._header(1, last, 2, usable, array)
        yield 2 * self.sector, array
        yield (last - length) * self.sector, array
        yield last * self.sector, self._header(last, 1, last - length, usable, array)

    def _slot(self, one: Partition) -> bytes:
        first, last = one.first // self.sector, one.end // self.sector - 1
        name = one.name.encode("utf-16-le")
        return SLOT.pack(one.kind.bytes_le, one.identity.bytes_le, first, last, 0, name)

    def _header(
        self, here: int, other: int, at: int, usable: tuple[int, int], array: bytes
    ) -> bytes:
        def packed(checksum: int) -> bytes:
            return HEADER.pack(
                SIGNATURE, 0x10000, HEADER.size, checksum, 0, here, other, *usable,
                self.identity.bytes_le, at, ENTRIES, ENTRY, zlib.crc32(array),
            )  # fmt: skip

        return packed(zlib.crc32(packed(0))).ljust(self.sector, b"\0")

    def _protection(self, last: int) -> bytes:
        """For programs that know only the older table: all of the disk is in use."""
        entry = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff" * 3, 1, min(last, 0xFFFFFFFF))
        return (bytes(446) + entry).ljust(510, b"\0") + b"\x55\xaa"


def read(start: bytes) -> Table:
    """The table at the START of a disk (64 KiB are enough), which tells the size of the sectors."""
    for sector in SECTORS:
        if start[sector : sector + len(SIGNATURE)] == SIGNATURE:
            return _read(start, sector)
    raise Bad("no partition table is there")


def _read(start: bytes, sector: int) -> Table:
    fields = HEADER.unpack_from(start, sector)
    bare = bytearray(start[sector : sector + HEADER.size])
    bare[16:20] = bytes(4)
    array = start[fields[10] * sector :][: fields[11] * fields[12]]
    if zlib.crc32(bare) != fields[3] or zlib.crc32(array) != fields[13] or fields[12] != ENTRY:
        raise Bad("the partition table is damaged")
    slots = [SLOT.unpack_from(array, at) for at in range(0, len(array), ENTRY)]
    partitions = tuple(
        Partition(
            uuid.UUID(bytes_le=kind), uuid.UUID(bytes_le=identity), first * sector,
            (last + 1) * sector, name.decode("utf-16-le").rstrip("\0"),
        )
        for kind, identity, first, last, _, name in slots
        if any(kind)
    )  # fmt: skip
    return Table(uuid.UUID(bytes_le=fields[9]), sector, (fields[6] + 1) * sector, partitions)
