#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Packs the files that lists name into a cpio archive (newc), without root and reproducibly.

A line of a list is one of these; $NAME is taken from the -D options:
    dir    PATH MODE
    node   PATH MODE MAJOR MINOR        character device
    link   PATH TARGET
    file   PATH MODE SOURCE
    elf    PATH MODE SOURCE             and the shared libraries it needs, at Debian's paths
    module NAME                         and the modules it needs, or "*" for all; with modules.dep,
                                        and of the kernel's aliases those for VFIO
    without NAME                        a module that a later "*" leaves out, unless another needs it

What the lists after an --apart name goes into an archive of its own, to be unpacked after the others.
"""

import argparse
import hashlib
import json
import os
import string
import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

S_IFCHR, S_IFDIR, S_IFREG, S_IFLNK = 0o020000, 0o040000, 0o100000, 0o120000
DT_NEEDED, DT_STRTAB, PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 5, 1, 2, 3
LIBRARY_FOLDERS = ("usr/lib", "usr/lib/aarch64-linux-gnu")


@dataclass(frozen=True)
class Entry:
    """One member of the archive; source is the file its data came from, if any."""

    path: str
    mode: int
    data: bytes = b""
    rdev: tuple[int, int] = (0, 0)
    source: Path | None = None


class ListError(Exception):
    """A list asks for something that is not there."""


def file_entry(path: str, mode: int, source: Path) -> Entry:
    if not source.is_file():
        raise ListError(f"{path}: {source} is missing")
    return Entry(path, S_IFREG | mode, source.read_bytes(), source=source)


class Elf:
    """What the loader needs to know of a little-endian 64-bit ELF file: libraries and loader."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        offset, size, count = *struct.unpack_from("<32xQ", data), *struct.unpack_from("<54xHH", data)
        self.segments = [struct.unpack_from("<IIQQQQQQ", data, offset + i * size) for i in range(count)]

    def _file_offset(self, address: int) -> int:
        for kind, _, offset, start, _, size, _, _ in self.segments:
            if kind == PT_LOAD and start <= address < start + size:
                return offset + address - start
        raise ListError(f"ELF: address {address:#x} is in no segment")

    def _text(self, offset: int) -> str:
        return self.data[offset : self.data.index(b"\0", offset)].decode()

    def _dynamic(self) -> list[tuple[int, int]]:
        for kind, _, offset, _, _, size, _, _ in self.segments:
            if kind == PT_DYNAMIC:
                return list(struct.iter_unpack("<qQ", self.data[offset : offset + size]))
        return []

    def needed(self) -> list[str]:
        tags = self._dynamic()
        strings = next((self._file_offset(value) for tag, value in tags if tag == DT_STRTAB), 0)
        return [self._text(strings + value) for tag, value in tags if tag == DT_NEEDED]

    def interpreter(self) -> str | None:
        return next((self._text(s[2]) for s in self.segments if s[0] == PT_INTERP), None)


class Packer:
    """Reads lists and collects entries by path, so that what two lists share is packed once."""

    def __init__(self, variables: dict[str, str]) -> None:
        self.variables = variables
        self.entries: dict[str, Entry] = {}
        self.unwanted: set[str] = set()

    def add(self, entry: Entry) -> None:
        self.entries[entry.path] = entry

    def read_list(self, path: Path) -> None:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            words = string.Template(line.split("#")[0]).substitute(self.variables).split()
            if not words:
                continue
            try:
                getattr(self, "_line_" + words[0])(*words[1:])
            except (AttributeError, TypeError) as error:
                raise ListError(f"{path}:{number}: not a line of a list: {error}") from error
            except ListError as error:
                raise ListError(f"{path}:{number}: {error}") from error

    def _line_dir(self, path: str, mode: str) -> None:
        self.add(Entry(path, S_IFDIR | int(mode, 8)))

    def _line_node(self, path: str, mode: str, major: str, minor: str) -> None:
        self.add(Entry(path, S_IFCHR | int(mode, 8), rdev=(int(major), int(minor))))

    def _line_link(self, path: str, target: str) -> None:
        self.add(Entry(path, S_IFLNK | 0o777, target.encode()))

    def _line_file(self, path: str, mode: str, source: str) -> None:
        self.add(file_entry(path, int(mode, 8), Path(source)))

    def _line_elf(self, path: str, mode: str, source: str) -> None:
        entry = file_entry(path, int(mode, 8), Path(source))
        self.add(entry)
        elf = Elf(entry.data)
        loader = elf.interpreter()
        if loader:
            self._add_loader(loader)
        for name in elf.needed():
            self._add_library(name)

    def _add_loader(self, loader: str) -> None:
        path = f"/usr{loader}" if loader.startswith("/lib") else loader
        source = Path(self.variables["TARGET"] + path)
        self.add(file_entry(path, 0o755, source))

    def _add_library(self, name: str) -> None:
        root = Path(self.variables["TARGET"])
        for folder in LIBRARY_FOLDERS:
            path = f"/{folder}/{name}"
            if path in self.entries:
                return
            if (root / folder / name).exists():
                self._line_elf(path, "755", str(root / folder / name))
                return
        raise ListError(f"shared library {name} is not in {root}")

    def _line_without(self, name: str) -> None:
        self.unwanted.add(name)

    def _line_module(self, wanted: str) -> None:
        release = self.variables["RELEASE"]
        folder = Path(self.variables["KERNEL"], "modules/lib/modules", release)
        needs = {
            name: rest.split()
            for name, rest in (line.split(":") for line in (folder / "modules.dep").read_text().splitlines())
        }
        short = {name: Path(name).name.split(".")[0] for name in needs}
        chosen = [
            name for name in needs
            if wanted == short[name] or wanted == "*" and short[name] not in self.unwanted
        ]  # fmt: skip
        if not chosen:
            raise ListError(f"module {wanted} is not in {folder}")
        here = f"/usr/lib/modules/{release}"
        for name in {n for c in chosen for n in [c, *needs[c]]}:
            self.add(file_entry(f"{here}/{name}", 0o644, folder / name))
        kept = [n for n in needs if f"{here}/{n}" in self.entries]
        index = "".join(f"{n}: {' '.join(needs[n])}".rstrip() + "\n" for n in sorted(kept))
        self.add(Entry(f"{here}/modules.dep", S_IFREG | 0o644, index.encode()))
        self._add_aliases(folder, here)

    def _add_aliases(self, folder: Path, here: str) -> None:
        """What tells which VFIO driver is for which device, modules' and built-in ones'."""
        for name, end, mark in (
            ("modules.alias", b"\n", b"alias vfio_pci:"),
            ("modules.builtin.modinfo", b"\0", b".alias=vfio_pci:"),
        ):
            if (folder / name).is_file():
                lines = (folder / name).read_bytes().split(end)
                data = b"".join(line + end for line in lines if mark in line)
                self.add(Entry(f"{here}/{name}", S_IFREG | 0o644, data))

    def take(self) -> list[Entry]:
        """Every entry since the last time, after the folders above it, which are made where no list
        names them."""
        for path in list(self.entries):
            for parent in Path(path).parents:
                if str(parent) not in self.entries:
                    self.add(Entry(str(parent), S_IFDIR | 0o755))
        taken, self.entries = self.entries, {}
        return sorted(taken.values(), key=lambda entry: entry.path)


def newc(number: int, entry: Entry) -> bytes:
    """One member: times and owners are zero, so that the same files give the same bytes."""
    name = (entry.path.lstrip("/") or ".").encode() + b"\0"
    links = 2 if entry.mode & S_IFDIR == S_IFDIR else 1
    fields = [number, entry.mode, 0, 0, links, 0, len(entry.data), 0, 0, *entry.rdev, len(name), 0]
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return pad(header) + pad(entry.data)


def pad(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def write_whole(path: Path, chunks: Iterable[bytes]) -> None:
    """A reader, or another build at the same time, never sees half of the file."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    with part.open("wb") as output:
        output.writelines(chunks)
    part.replace(path)


def archive(entries: list[Entry]) -> Iterator[bytes]:
    for number, entry in enumerate(entries, 1):
        yield newc(number, entry)
    yield newc(0, Entry("TRAILER!!!", 0))


def record(entry: Entry) -> dict[str, str | int]:
    return {
        "path": entry.path,
        "source": str(entry.source or ""),
        "size": len(entry.data),
        "sha1": hashlib.sha1(entry.data).hexdigest(),
        "sha256": hashlib.sha256(entry.data).hexdigest(),
    }


def paths(entries: list[Entry]) -> Iterator[str]:
    """Every name that a file of the archive has; a folder that is linked to gives it another."""
    files = [entry.path for entry in entries if entry.mode & S_IFLNK == S_IFREG]
    links = [entry for entry in entries if entry.mode & S_IFLNK == S_IFLNK]
    yield from files
    for link in links:
        target = os.path.normpath(os.path.join("/", Path(link.path).parent, link.data.decode()))
        yield from (link.path + path.removeprefix(target) for path in files
                    if path == target or path.startswith(f"{target}/"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-D", dest="variables", metavar="NAME=VALUE", action="append", default=[])
    parser.add_argument("--record", type=Path, help="JSON list of the regular files packed")
    parser.add_argument("--paths", type=Path, help="list of the files' names, for hvinit check")
    parser.add_argument("--apart", type=Path, nargs="+", action="append", default=[],
                        metavar="OUTPUT|LIST")  # fmt: skip
    parser.add_argument("output", type=Path)
    parser.add_argument("lists", type=Path, nargs="+")
    options = parser.parse_args()
    packer = Packer(dict(variable.split("=", 1) for variable in options.variables))
    entries: list[Entry] = []
    try:
        for output, *lists in [[options.output, *options.lists], *options.apart]:
            for path in lists:
                packer.read_list(path)
            taken = packer.take()
            write_whole(output, archive(taken))
            entries += taken
    except (ListError, KeyError) as error:
        print(f"hvinit: rootfs: {error}", file=sys.stderr)
        return 1
    if options.record:
        files = [record(entry) for entry in entries if entry.mode & S_IFLNK == S_IFREG]
        write_whole(options.record, [json.dumps(files, indent=1).encode()])
    if options.paths:
        names = sorted(set(paths(entries)))
        write_whole(options.paths, ["".join(f"{name}\n" for name in names).encode()])
    return 0


if __name__ == "__main__":
    sys.exit(main())
