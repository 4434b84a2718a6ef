# SPDX-License-Identifier: GPL-2.0-or-later
"""Small cpio archives in the "newc" format that the kernel unpacks (buffer-format.rst)."""

from pathlib import PurePosixPath

FOLDER = 0o040755
FILE = 0o100644
PROGRAM = 0o100755


def _entry(number: int, name: str, mode: int, data: bytes = b"") -> bytes:
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def archive(files: dict[str, tuple[int, bytes]]) -> bytes:
    """An archive of FILES (name to mode and content) and of every folder above them."""
    entries: dict[str, tuple[int, bytes]] = {}
    for name, content in files.items():
        for folder in reversed(PurePosixPath(name).parents):
            if str(folder) != ".":
                entries.setdefault(str(folder), (FOLDER, b""))
        entries[name] = content
    packed = [_entry(n, name, *entry) for n, (name, entry) in enumerate(entries.items(), 1)]
    return b"".join(packed) + _entry(0, "TRAILER!!!", 0)
