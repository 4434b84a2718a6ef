# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the build leaves what the lab uses, and how to run a program of the tools tree."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
TOOLS = BUILD / "tools"
TARGET = BUILD / "target"
KERNEL = BUILD / "kernel"
LAB = BUILD / "lab"

PRODUCT = ROOT / "out/hvinit.efi"
CONFIG = BUILD / "config"
HVINIT = BUILD / "native/hvinit"
FIRMWARE = TOOLS / "usr/share/qemu-efi-aarch64/QEMU_EFI.fd"
ADDON_STUB = TARGET / "usr/lib/systemd/boot/efi/addonaa64.efi.stub"

# sfdisk lives in /usr/sbin, which is not on every user's path.
ENVIRONMENT = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def tool(name: str) -> list[str]:
    """The words that start program NAME of the tools tree with that tree's own libraries."""
    libc = next((TOOLS / "usr/lib").glob("*/libc.so.6"))
    loader = next(libc.parent.glob("ld-linux-*.so.*"))
    return [str(loader), "--library-path", str(libc.parent), str(TOOLS / "usr/bin" / name)]
