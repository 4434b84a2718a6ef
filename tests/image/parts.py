# SPDX-License-Identifier: GPL-2.0-or-later
"""What is really in the image, taken out of out/hvinit.efi."""

import functools
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab.paths import BUILD, PRODUCT

S_IFMT, S_IFDIR, S_IFREG, S_IFLNK = 0o170000, 0o040000, 0o100000, 0o120000


@dataclass(frozen=True)
class File:
    path: str
    mode: int
    data: bytes

    @property
    def is_regular(self) -> bool:
        return self.mode & S_IFMT == S_IFREG

    @property
    def is_elf(self) -> bool:
        return self.is_regular and self.data.startswith(b"\x7fELF")


def section(image: bytes, name: str) -> bytes:
    """The content of a PE file's section (Microsoft's PE format, "Section Table")."""
    header = struct.unpack_from("<I", image, 0x3C)[0]
    count, optional = struct.unpack_from("<H", image, header + 6)[0], struct.unpack_from("<H", image, header + 20)[0]
    for number in range(count):
        at = header + 24 + optional + 40 * number
        found, size, _, raw, start = struct.unpack_from("<8sIIII", image, at)
        if found.rstrip(b"\0").decode() == name:
            return image[start : start + min(size, raw)]
    raise KeyError(name)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def read_cpio(data: bytes) -> dict[str, File]:
    """The members of one archive (buffer-format.rst of the kernel)."""
    files: dict[str, File] = {}
    at = 0
    while True:
        assert data[at : at + 6] == b"070701", f"no member at byte {at}"
        fields = [int(data[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = data[at + 110 : at + 110 + name_size - 1].decode()
        begin = at + (110 + name_size + 3) // 4 * 4
        if name == "TRAILER!!!":
            return files
        files[f"/{name}"] = File(f"/{name}", mode, data[begin : begin + size])
        at = begin + (size + 3) // 4 * 4


def archives() -> list[Path]:
    """What the image's initramfs was put together from, in its order."""
    names = ("base.cpio.zst", "modules.cpio.zst", "demo-files.cpio.zst", "appliance.cpio.zst")
    return [BUILD / name for name in names if (BUILD / name).exists()]


@functools.cache
def files() -> dict[str, File]:
    """Every member of the image's initramfs."""
    found: dict[str, File] = {}
    for archive in archives():
        plain = subprocess.run(["zstd", "-dcq", archive], check=True, capture_output=True).stdout
        found |= read_cpio(plain)
    return found


@functools.cache
def initrd() -> bytes:
    return section(PRODUCT.read_bytes(), ".initrd")
