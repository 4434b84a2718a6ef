# SPDX-License-Identifier: GPL-2.0-or-later
"""The image's size, its sums and its bill of materials."""

import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lab import config
from lab.paths import BUILD, KERNEL, ROOT, TARGET, run

import size

from .parts import archives, initrd, padded

OUT = ROOT / "out"


def test_small_without_the_demo_guest() -> None:
    """The demo is an archive of its own: without it the image has all other bytes."""
    if config.value("BOARD_QEMU_VIRT") != "y":
        pytest.skip("the limit is for the lab's board: run make qemu_virt_defconfig test-image")
    demo = BUILD / "demo-files.cpio.zst"
    assert demo.exists() == (config.value("ROOTFS_DEMO") == "y")
    if demo.exists():
        assert demo in archives() and demo.read_bytes() in initrd()
        assert demo.stat().st_size > 1_000_000
    assert size.without_demo() <= size.LIMIT
    # The kernel and what it unpacks are in it: the figure is not that of something else.
    assert size.without_demo() > (KERNEL / "vmlinuz.efi").stat().st_size + len(padded(archives()[0].read_bytes()))


def test_parts_add_up() -> None:
    """To the file that there is; the demo's share is its whole archive."""
    told = run([ROOT / "rootfs/size.py"]).decode()
    rows = {name: int(packed.replace(",", "")) for name, packed
            in re.findall(r"^(\S.*?)  +([\d,]+)(?= |$)", told, re.MULTILINE)}  # fmt: skip
    total, bare = rows.pop("out/hvinit.efi"), rows.pop("without the demo guest")
    assert total == (OUT / "hvinit.efi").stat().st_size
    assert abs(total - sum(rows.values())) < 1000  # shares are rounded
    assert bare == total - rows.get("demo guest", 0)
    assert {"kernel", "QEMU", "QEMU's libraries", "guests' firmware", "kernel modules"} <= set(rows)
    assert min(rows.values()) > 0


def test_sums() -> None:
    words = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(words, cwd=OUT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [
        "hvinit.efi: OK", "hvinit.img: OK", "sbom.spdx.json: OK", "manifest: OK",
    ]  # fmt: skip


# --- what the bill of materials says of the disk ---


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((OUT / "sbom.spdx.json").read_text())
    return found


def related(bill: dict[str, Any], left: str, kind: str) -> list[str]:
    return [one["relatedSpdxElement"] for one in bill["relationships"]
            if (one["spdxElementId"], one["relationshipType"]) == (left, kind)]  # fmt: skip


def test_bill_names_both_files(bill: dict[str, Any]) -> None:
    described = related(bill, "SPDXRef-DOCUMENT", "DESCRIBES")
    sums = {one["packageFileName"]: one["checksums"][0]["checksumValue"]
            for one in bill["packages"] if one["SPDXID"] in described}  # fmt: skip
    assert sums == {name: hashlib.sha256((OUT / name).read_bytes()).hexdigest() for name in ("hvinit.efi", "hvinit.img")}


def test_bill_has_the_boot_loader(bill: dict[str, Any]) -> None:
    """The one on the disk, from the package that it says."""
    on_disk = run(["mcopy", "-i", f"{OUT}/hvinit.img@@1M", "::EFI/BOOT/BOOTAA64.EFI", "-"])
    contained = related(bill, "SPDXRef-disk", "CONTAINS")
    loader = next(one for one in bill["files"] if one["SPDXID"] in contained)
    assert {"algorithm": "SHA256", "checksumValue": hashlib.sha256(on_disk).hexdigest()} in loader["checksums"]
    package = related(bill, loader["SPDXID"], "EXPANDED_FROM_ARCHIVE")
    assert package == ["SPDXRef-deb-systemd-boot-efi"]
    assert on_disk == (TARGET / "usr/lib/systemd/boot/efi/systemd-bootaa64.efi").read_bytes()


def test_disk_has_the_image() -> None:
    listed = run(["mdir", "-b", "-i", f"{OUT}/hvinit.img@@1M", "::EFI/Linux"]).decode().split()
    assert len(listed) == 1 and listed[0].endswith("+3.efi")
    booted = run(["mcopy", "-i", f"{OUT}/hvinit.img@@1M", listed[0], "-"])
    assert booted == (OUT / "hvinit.efi").read_bytes()


def test_every_identifier_is_there(bill: dict[str, Any]) -> None:
    known = {"SPDXRef-DOCUMENT"} | {one["SPDXID"] for one in [*bill["packages"], *bill["files"]]}
    for one in bill["relationships"]:
        assert {one["spdxElementId"], one["relatedSpdxElement"]} <= known


def test_no_file_is_told_of_twice(bill: dict[str, Any]) -> None:
    identifiers = [one["SPDXID"] for one in [*bill["packages"], *bill["files"]]]
    assert len(identifiers) == len(set(identifiers))
    assert Path(bill["packages"][0]["packageFileName"]).name == "hvinit.efi"
