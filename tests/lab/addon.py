# SPDX-License-Identifier: GPL-2.0-or-later
"""Addons: small EFI files that systemd-stub adds to the product's, which stays as it is.

A `.ucode` section goes in front of the initramfs, where the kernel looks for ACPI tables; an
`.initrd` section goes behind it, so that its files take the place of the product's.
"""

from pathlib import Path

from . import cpio
from .paths import ADDON_STUB, HVINIT, TOOLS, run

_OPTIONS = {".ucode": "--microcode", ".initrd": "--initrd"}


def ukify(*words: str) -> str:
    """Runs the tools tree's ukify and returns what it prints."""
    return run(["/usr/bin/python3", TOOLS / "usr/bin/ukify", *words]).decode()


def build(addon: Path, section: str, content: bytes) -> Path:
    """Makes ADDON with CONTENT in SECTION."""
    part = addon.with_suffix(".part")
    part.write_bytes(content)
    content_option = f"{_OPTIONS[section]}={part}"
    ukify("build", "--efi-arch=aa64", f"--stub={ADDON_STUB}", content_option, f"--output={addon}")
    return addon


def cmdline(addon: Path, words: str) -> Path:
    """Makes ADDON with more WORDS for the kernel's command line."""
    ukify(
        "build", "--efi-arch=aa64", f"--stub={ADDON_STUB}", f"--cmdline={words}", f"--output={addon}"
    )  # fmt: skip
    return addon


def manifest(addon: Path, config: str) -> Path:
    """Makes ADDON with the manifest that CONFIG, the text of a .config, gives; a copy of it is left
    beside it."""
    source = addon.with_suffix(".config")
    source.write_text(config)
    made = run([HVINIT, "manifest", source])
    addon.with_name("manifest").write_bytes(made)
    return files(addon, {"etc/hvinit/manifest": made})


def files(addon: Path, contents: dict[str, bytes]) -> Path:
    """Makes ADDON with files (name to content) that the image has not, or not so."""
    modes = {name: cpio.PROGRAM if data.startswith((b"#!", b"\x7fELF")) else cpio.FILE for name, data in contents.items()}
    archive = cpio.archive({name: (modes[name], data) for name, data in contents.items()})
    return build(addon, ".initrd", archive)


def override(addon: Path, table: bytes) -> Path:
    """Makes ADDON with the ACPI IORT that the kernel is to use in place of the firmware's."""
    archive = cpio.archive({"kernel/firmware/acpi/iort.aml": (cpio.FILE, table)})
    return build(addon, ".ucode", archive)
