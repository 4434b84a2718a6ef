#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints how large the image is, and of what: compressed, as it is carried, and unpacked.

What a group of files has of the archive that it is compressed in is told by compressing it alone,
quickly, and sharing out the archive by that.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

OUT, BUILD = Path("out"), Path("build")
LIMIT = 25_000_000  # bytes of the lab's image, without the demo guest; a test holds it
DEMO = "/usr/lib/hvinit/demo/"

# In this order: the first that fits a path.
GROUPS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("demo guest", lambda path: path.startswith(DEMO)),
    ("QEMU", lambda path: "/qemu-system" in path),
    ("QEMU's libraries", lambda path: ".so" in path),
    ("guests' firmware", lambda path: path.endswith(".fd")),
    ("kernel modules", lambda path: "/modules/" in path),
    ("busybox", lambda path: path.endswith("/busybox")),
    ("sbverify", lambda path: path.endswith("/sbverify")),
    ("other", lambda path: True),
)


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def group(path: str) -> str:
    return next(name for name, fits in GROUPS if fits(path))


def compressed(files: list[Path]) -> int:
    data = b"".join(file.read_bytes() for file in files)
    done = subprocess.run(["zstd", "-q", "-3", "-c"], input=data, check=True, capture_output=True)
    return len(done.stdout)


def parts() -> list[tuple[str, int, int]]:
    """Name, bytes in the image, bytes unpacked of each part of the root file system."""
    files: dict[str, list[Path]] = {}
    for entry in json.loads((BUILD / "rootfs.files").read_text()):
        if entry["source"]:
            files.setdefault(group(entry["path"]), []).append(Path(entry["source"]))
    rows = [
        (name, size(BUILD / archive), sum(map(size, files.pop(name, []))))
        for name, archive in (("demo guest", "demo-files.cpio.zst"), ("kernel modules", "modules.cpio.zst"))
    ]
    alone = {name: compressed(of) for name, of in files.items()}
    whole = size(BUILD / "base.cpio.zst")
    for name, of in files.items():
        rows.append((name, whole * alone[name] // sum(alone.values()), sum(map(size, of))))
    return sorted(rows, key=lambda row: -row[1])


def without_demo() -> int:
    """Bytes that the image has, or would have, without the demo guest: an archive of its own."""
    return size(OUT / "hvinit.efi") - size(BUILD / "demo-files.cpio.zst")


def main() -> None:
    kernel = BUILD / "kernel"
    rows = [
        ("kernel", size(kernel / "vmlinuz.efi"), size(kernel / "Image")),
        ("PID 1 and manifest", size(BUILD / "appliance.cpio.zst"), size(BUILD / "appliance.cpio")),
        *parts(),
    ]
    total, bare = size(OUT / "hvinit.efi"), without_demo()
    print(f"{'':24} {'in the image':>14} {'unpacked':>14}")
    for name, packed, plain in [row for row in rows if row[2]]:
        print(f"{name:24} {packed:14,} {plain:14,}")
    print(f"{'stub, tables, padding':24} {total - sum(row[1] for row in rows):14,}")
    print(f"{'out/hvinit.efi':24} {total:14,}")
    print(f"{'without the demo guest':24} {bare:14,}   limit {LIMIT:,}")


if __name__ == "__main__":
    main()
