# SPDX-License-Identifier: GPL-2.0-or-later
"""The CD that rootfs/iso.py makes."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from lab.paths import ROOT, run

import gpt

IMAGE = bytes(range(256)) * 20000


def make(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    folder.mkdir(parents=True)
    (folder / "image").write_bytes(IMAGE)
    (folder / "host.addon.efi").write_bytes(b"addon")
    words = [
        ROOT / "rootfs/iso.py", "--image", folder / "image", "--version", "1.2", "--addon",
        folder / "host.addon.efi", folder / "made.iso",
    ]  # fmt: skip
    environment = dict(os.environ, SOURCE_DATE_EPOCH="1700000000", PYTHONDONTWRITEBYTECODE="1")
    return subprocess.run(words, capture_output=True, text=True, env=environment | variables)


@pytest.fixture(scope="module")
def iso(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("iso") / "made"
    done = make(folder)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "made.iso"


def test_what_would_not_be_loaded_is_refused(tmp_path: Path) -> None:
    """By its name: systemd-stub looks at no other."""
    (tmp_path / "image").write_bytes(IMAGE)
    done = subprocess.run(
        [ROOT / "rootfs/iso.py", "--image", tmp_path / "image", "--version", "1.2", "--addon", tmp_path / "image",
         tmp_path / "made.iso"], capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1 and "image: no addon is loaded whose name" in done.stderr
    assert not (tmp_path / "made.iso").exists()


def esp(iso: Path) -> gpt.Partition:
    with iso.open("rb") as file:
        table = gpt.read(file.read(1 << 16))
    return next(one for one in table.partitions if one.kind == gpt.ESP)


def test_as_a_stick_it_has_the_image(iso: Path) -> None:
    fat = f"{iso}@@{esp(iso).first}"
    assert run(["mcopy", "-i", fat, "::EFI/BOOT/BOOTAA64.EFI", "-"]) == IMAGE
    assert run(["mcopy", "-i", fat, "::EFI/BOOT/BOOTAA64.EFI.extra.d/host.addon.efi", "-"]) == b"addon"


def test_as_a_cd_it_boots_the_same_partition(iso: Path) -> None:
    """El Torito 1.0: the boot record in sector 17 leads to the catalogue, that to what is booted."""
    with iso.open("rb") as file:
        data = file.read(1 << 20)
    record = data[17 * 2048 :][:2048]
    assert record[1:6] == b"CD001" and record[7:30] == b"EL TORITO SPECIFICATION"
    catalogue = data[int.from_bytes(record[0x47:0x4B], "little") * 2048 :][:64]
    assert (catalogue[0], catalogue[1], catalogue[30:32]) == (1, 0xEF, b"\x55\xaa")  # for UEFI
    assert catalogue[32] == 0x88  # bootable
    assert int.from_bytes(catalogue[40:44], "little") * 2048 == esp(iso).first


def test_same_bytes_anywhere(iso: Path, tmp_path: Path) -> None:
    time.sleep(1.1)
    mask = os.umask(0o077)
    try:
        assert make(tmp_path / "else where", TZ="Asia/Tokyo").returncode == 0
    finally:
        os.umask(mask)
    assert (tmp_path / "else where/made.iso").read_bytes() == iso.read_bytes()


def test_nothing_is_left_of_one_that_fails(tmp_path: Path) -> None:
    bad = tmp_path / "bin"
    bad.mkdir()
    (bad / "xorriso").write_text("#!/bin/sh\necho no such luck >&2\nexit 3\n")
    (bad / "xorriso").chmod(0o755)
    done = make(tmp_path / "made", PATH=f"{bad}:{os.environ['PATH']}")
    assert done.returncode == 1 and "xorriso: no such luck" in done.stderr
    assert list((tmp_path / "made").glob("made*")) == []
