# SPDX-License-Identifier: GPL-2.0-or-later
"""Images of other versions than the product's: the same kernel, PID 1 and root, but for what a test
says, put together as the build does it."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from . import addon, cpio
from .paths import BUILD, HVINIT, KERNEL, ROOT, TARGET, run

STUB = TARGET / "usr/lib/systemd/boot/efi/linuxaa64.efi.stub"
INIT = ROOT / "out/init"
VERSION_H = BUILD / "include/version.h"
NEWER = "0.2.0"


def version() -> str:
    """The product's."""
    found = re.search(r'HVINIT_VERSION "(.*)"', VERSION_H.read_text())
    assert found
    return found[1]


def command_line() -> str:
    """The product's, for the kernel."""
    board = (ROOT / "board/qemu-virt/board.mk").read_text()
    found = re.search(r"^KERNEL_CMDLINE := (.*)$", board, re.MULTILINE)
    assert found
    return found[1]


@dataclass
class Image:
    """VERSION has as many characters as the product's: it is changed in PID 1 itself. CONFIG is the
    text of a .config, MANIFEST what no .config gives. WORDS go behind the kernel's command line. OS_RELEASE has lines in place of the
    product's own; PARTS are more words for ukify; FILES (name to content) are put into the root."""

    version: str = NEWER
    config: str = ""
    manifest: bytes = b""
    words: str = ""
    os_release: dict[str, str] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    def build(self, image: Path) -> Path:
        """Makes IMAGE."""
        assert len(self.version) == len(version())
        image.parent.mkdir(parents=True, exist_ok=True)
        release = image.with_suffix(".release")
        release.write_text(self._release())
        archive = image.with_suffix(".cpio")
        archive.write_bytes(self._appliance(image.with_suffix(".config")))
        addon.ukify(
            "build", "--efi-arch=aa64", f"--stub={STUB}", f"--linux={KERNEL}/vmlinuz.efi",
            f"--uname={(KERNEL / 'release').read_text().strip()}", f"--initrd={BUILD}/rootfs.cpio.zst",
            f"--initrd={archive}", f"--os-release=@{release}", f"--cmdline={command_line()} {self.words}".rstrip(),
            *self.parts, f"--output={image}",
        )  # fmt: skip
        return image

    def _release(self) -> str:
        lines = dict(line.split("=", 1) for line in (BUILD / "os-release").read_text().splitlines())
        lines |= {"VERSION_ID": self.version} | self.os_release
        return "".join(f"{name}={value}\n" for name, value in lines.items())

    def _appliance(self, config: Path) -> bytes:
        if self.manifest:
            manifest = self.manifest
        elif self.config:
            config.write_text(self.config)
            manifest = run([HVINIT, "manifest", config])
        else:
            manifest = (ROOT / "out/manifest").read_bytes()
        program = INIT.read_bytes()
        own = version().encode()
        assert own in program
        return cpio.archive({
            "init": (cpio.PROGRAM, program.replace(own, self.version.encode())),
            "etc/os-release": (cpio.FILE, self._release().encode()),
            "etc/hvinit/manifest": (cpio.FILE, manifest),
            **{name: (cpio.FILE, data) for name, data in self.files.items()},
        })  # fmt: skip
