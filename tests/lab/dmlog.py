# SPDX-License-Identifier: GPL-2.0-or-later
"""What was written to a disk, one write after the other, as QEMU's driver blklogwrites keeps it: the log
of the kernel's dm-log-writes (Documentation/admin-guide/device-mapper/log-writes.rst). A cut is what a
disk holds when power fails: all that was flushed, and of what came after it anything."""

import itertools
import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

SUPER = struct.Struct("<QQQI")  # magic, version, entries, bytes of a sector
ENTRY = struct.Struct("<QQQQ")  # sector, sectors, flags, bytes of data behind
MAGIC, VERSION = 0x6A736677736872, 1
FLUSH, FUA, DISCARD = 1, 2, 4


@dataclass(frozen=True)
class Write:
    at: int  # bytes
    size: int
    flags: int
    place: int  # of its data in the log; a discarded range has none


@dataclass(frozen=True)
class Cut:
    """After so many writes of the log; those of KEPT are on the disk, all before FLUSHED among them."""

    after: int
    flushed: int
    kept: tuple[int, ...]
    kind: str


class Log:
    def __init__(self, path: Path) -> None:
        self.path = path
        with open(path, "rb") as file:
            head = file.read(SUPER.size)
            magic, version, entries, self.sector = SUPER.unpack(head)
            self.writes: list[Write] = []
            if not any(head):
                return  # nothing has been written yet
            if (magic, version) != (MAGIC, VERSION):
                raise ValueError(f"{path}: no log of writes")
            self.writes = list(self._read(file, entries))

    def _read(self, file: BinaryIO, entries: int) -> Iterator[Write]:
        """QEMU counts in sectors of the log; the log's own head is one of them."""
        place = self.sector
        for _ in range(entries):
            file.seek(place)
            head = file.read(ENTRY.size)
            if len(head) < ENTRY.size:
                return
            sector, sectors, flags, _ = ENTRY.unpack(head)
            place += self.sector
            yield Write(sector * self.sector, sectors * self.sector, flags, place)
            if not flags & DISCARD:
                place += sectors * self.sector

    def data(self, write: Write) -> bytes:
        if write.flags & DISCARD:
            return bytes(write.size)
        with open(self.path, "rb") as file:
            file.seek(write.place)
            return file.read(write.size)

    def epochs(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Ranges of writes between two flushes. A flush is a write of nothing, or before its data."""
        begin = first
        for i in range(first, last):
            if self.writes[i].flags & FLUSH:
                if i > begin:
                    yield begin, i
                begin = i
        yield begin, last

    def cuts(self, first: int, last: int, most: int, seed: int = 1) -> list[Cut]:
        """Between writes FIRST and LAST: of an epoch of more than MOST writes, that many places. At
        each of them what came after the flush is lost, is kept, or is kept here and there. FUA is on
        the disk in any case."""
        chance = random.Random(seed)
        found: list[Cut] = []
        for begin, end in self.epochs(first, last):
            places: Sequence[int] = range(begin + 1, end + 1)
            if len(places) > most:
                # One of each part of the epoch, and its end.
                bounds = [begin + 1 + len(places) * n // (most - 1) for n in range(most)]
                places = sorted({chance.randrange(*part) for part in itertools.pairwise(bounds)} | {end})
            for place in places:
                pending = [i for i in range(begin, place) if self.writes[i].size]
                forced = [i for i in pending if self.writes[i].flags & FUA]
                some = [i for i in pending if i in forced or chance.random() < 0.5]
                for kind, kept in ("lost", forced), ("kept", pending), ("some", some):
                    found.append(Cut(place, begin, tuple([*range(begin), *kept]), kind))
        unique: dict[tuple[int, ...], Cut] = {}
        for cut in found:
            unique.setdefault(cut.kept, cut)
        return list(unique.values())

    def apply(self, writes: Sequence[int], image: Path, base: int = 0, size: int = 0) -> None:
        """Puts WRITES on IMAGE, which is the SIZE bytes of the disk from BASE on; 0: all of it."""
        with open(image, "r+b") as file:
            for i in writes:
                write = self.writes[i]
                at, data = write.at - base, self.data(write) if write.size else b""
                if at < 0:
                    data, at = data[-at:], 0
                if size:
                    data = data[: max(0, size - at)]
                if data:
                    file.seek(at)
                    file.write(data)
