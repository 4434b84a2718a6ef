# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo's guest as one file that its own firmware boots, as an installed system would be."""

from pathlib import Path

from . import config
from .paths import BUILD, KERNEL, LAB, ROOT, TARGET, TOOLS, run


def loader() -> Path:
    """A unified kernel image of the parts that the host otherwise gives the guest."""
    made = LAB / "guest.efi"
    run(
        [
            ROOT / "rootfs/ukify.sh", TOOLS, TARGET, made, f"--linux={KERNEL / 'Image'}",
            f"--initrd={BUILD / 'demo.cpio.zst'}", f"--cmdline={config.value('VM0_CMDLINE')}",
        ]
    )  # fmt: skip
    return made
