# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the appliance's boot drive: a GPT disk with an EFI system partition, without root."""

import subprocess
from pathlib import Path

from .paths import ENVIRONMENT

MIB = 1 << 20
SECTOR = 512
LOADER = "EFI/BOOT/BOOTAA64.EFI"
ADDONS = f"{LOADER}.extra.d"


def make(image: Path, product: Path, addons: list[Path]) -> None:
    """IMAGE boots PRODUCT, byte for byte, with ADDONS beside it."""
    size = sum(file.stat().st_size for file in (product, *addons)) // MIB + 16
    with open(image, "wb") as disk:
        disk.truncate((size + 2) * MIB)
    script = f"label: gpt\nstart=1MiB, size={size}MiB, type=uefi, name=ESP\n"
    _run(["sfdisk", "--quiet", "--no-tell-kernel", str(image)], script)
    partition = f"{image}@@1M"
    sectors = str(size * MIB // SECTOR)
    _run(["mformat", "-i", partition, "-T", sectors, "-h", "64", "-s", "32", "::"])
    _run(["mmd", "-i", partition, "::EFI", "::EFI/BOOT", f"::{ADDONS}"])
    _run(["mcopy", "-i", partition, str(product), f"::{LOADER}"])
    for addon in addons:
        _run(["mcopy", "-i", partition, str(addon), f"::{ADDONS}/{addon.name}"])


def read_product(image: Path) -> bytes:
    """What the firmware will load from IMAGE."""
    words = ["mcopy", "-i", f"{image}@@1M", f"::{LOADER}", "-"]
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, env=ENVIRONMENT).stdout


def _run(words: list[str], text: str = "") -> None:
    subprocess.run(words, input=text, text=True, check=True, capture_output=True, env=ENVIRONMENT)
