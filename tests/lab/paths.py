# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the build leaves what the lab uses, and how programs are run."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
TOOLS = BUILD / "tools"
TARGET = BUILD / "target"
KERNEL = BUILD / "kernel"
LAB = BUILD / "lab"

PRODUCT = ROOT / "out/hvinit.efi"
MANIFEST = ROOT / "out/manifest"
CONFIG = BUILD / "config"
HVINIT = BUILD / "native/hvinit"
FIRMWARE = TOOLS / "usr/share/qemu-efi-aarch64/QEMU_EFI.fd"
ADDON_STUB = TARGET / "usr/lib/systemd/boot/efi/addonaa64.efi.stub"

# sfdisk lives in /usr/sbin, which is not on every user's path; ukify needs its pefile.
_ENVIRONMENT = dict(
    os.environ,
    PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin",
    PYTHONPATH=str(TOOLS / "usr/lib/python3/dist-packages"),
)


def run(words: Sequence[str | Path], text: str = "") -> bytes:
    """Runs a program with TEXT as its input and returns what it prints; its complaints are shown
    only when it fails."""
    done = subprocess.run(words, input=text.encode(), capture_output=True, env=_ENVIRONMENT)
    if done.returncode:
        command = " ".join(map(str, words))
        raise RuntimeError(f"{command}: status {done.returncode}: {done.stderr.decode()}")
    return done.stdout


def tool(name: str) -> list[str]:
    """The words that start program NAME of the tools tree with that tree's own libraries."""
    libc = next((TOOLS / "usr/lib").glob("*/libc.so.6"))
    loader = next(libc.parent.glob("ld-linux-*.so.*"))
    return [str(loader), "--library-path", str(libc.parent), str(TOOLS / "usr/bin" / name)]
