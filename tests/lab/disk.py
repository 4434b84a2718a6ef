# SPDX-License-Identifier: GPL-2.0-or-later
"""A lab drive: an image with a header, fresh random data and a block for the guest's answer.

rootfs/demo/init reads the header and writes the answer; both are short lines of text.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

BLOCK = 4096
FIRST = 1
BLOCKS = 256
RESULT = FIRST + BLOCKS
SIZE = 16 << 20

HEADER = "hvinit-lab-disk 1"
ANSWER = "hvinit-lab-result 1"


@dataclass
class Disk:
    """NONCE and SHA256 are what the guest has to find; they change with every refill(). The header
    is START bytes into the image, where a partition may begin."""

    path: Path
    start: int = 0
    nonce: str = ""
    sha256: str = ""

    def refill(self) -> None:
        """Fills the image with new bytes, in place: L0 may have it open."""
        data = os.urandom(BLOCK * BLOCKS)
        self.nonce = secrets.token_hex(16)
        self.sha256 = hashlib.sha256(data).hexdigest()
        header = f"{HEADER}\nnonce={self.nonce}\nfirst={FIRST}\nblocks={BLOCKS}\nresult={RESULT}\n"
        if not self.path.exists():
            self.path.touch()
            os.truncate(self.path, self.start + SIZE)
        with open(self.path, "r+b") as image:
            image.seek(self.start)
            image.write(header.encode().ljust(BLOCK, b"\0") + data + bytes(BLOCK))

    def erase_header(self) -> None:
        """Makes the image a drive that the guest knows nothing about."""
        with open(self.path, "r+b") as image:
            image.seek(self.start)
            image.write(bytes(BLOCK))

    def answer(self) -> str:
        """What the guest wrote back, or the empty string."""
        with open(self.path, "rb") as image:
            image.seek(self.start + BLOCK * RESULT)
            return image.read(BLOCK).rstrip(b"\0").decode(errors="replace")

    def wanted_answer(self) -> str:
        return f"{ANSWER}\nnonce={self.nonce}\nsha256={self.sha256}\n"

    def data_sha256(self) -> str:
        with open(self.path, "rb") as image:
            image.seek(self.start + BLOCK * FIRST)
            return hashlib.sha256(image.read(BLOCK * BLOCKS)).hexdigest()
