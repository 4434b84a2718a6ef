# SPDX-License-Identifier: GPL-2.0-or-later
"""What rootfs/flash.py refuses to write to, and what a drive has afterwards. What lsblk says of drives
is made up here, in its own form; where this machine lends loop devices, a real one is written to."""

import io
import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.paths import ROOT

import flash
import gpt

MIB = 1 << 20
FLASH = ROOT / "rootfs/flash.py"
TABLE = gpt.Table(
    uuid.UUID(int=1), 512, 12 * MIB,
    (gpt.Partition(gpt.ESP, uuid.UUID(int=2), MIB, 6 * MIB, "ESP"),
     gpt.Partition(gpt.LINUX, uuid.UUID(int=3), 6 * MIB, 11 * MIB, "hvinit-state")),
)  # fmt: skip


def test_image_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(flash.Refused, match="No such file"):
        flash.read_image(tmp_path / "none")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(flash.Refused, match="text: it is no disk image"):
        flash.read_image(tmp_path / "text")


def test_image_is_told_of() -> None:
    assert flash.tell(TABLE) == "ESP 5 MiB, hvinit-state 5 MiB, for sectors of 512 bytes"


def device(**changed: Any) -> flash.Device:
    """A stick as lsblk tells of it."""
    return {
        "name": "/dev/sdx", "type": "disk", "size": 16 * MIB, "model": "Cruzer Blade", "serial": "4C53",
        "tran": "usb", "ro": False, "log-sec": 512, "fstype": None, "label": None, "partlabel": None,
        "mountpoints": [None], "pkname": None,
    } | {name.replace("_", "-"): value for name, value in changed.items()}  # fmt: skip


def part(**changed: Any) -> flash.Device:
    found = {"name": "/dev/sdx1", "type": "part", "size": 8 * MIB, "pkname": "/dev/sdx"}
    return device(**found) | changed


def against(found: flash.Device) -> str:
    return "\n".join(flash.objections(found, TABLE))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    data = bytearray(os.urandom(TABLE.size))
    data[:MIB] = bytes(MIB)
    for at, piece in TABLE.pieces():
        data[at : at + len(piece)] = piece
    (tmp_path / "image").write_bytes(data)
    return tmp_path / "image"


# --- what is refused ---


def test_a_stick_with_something_on_it_is_taken() -> None:
    assert against(device(children=[part(fstype="vfat", label="HOLIDAYS")])) == ""


@pytest.mark.parametrize(
    "found, why",
    [
        (part(), "is a partition: want the whole drive, /dev/sdx"),
        (device(type="rom"), "of type rom"),
        (device(type="crypt"), "of type crypt"),
        (device(type="raid1"), "of type raid1"),
        (device(ro=True), "read-only"),
        (device(log_sec=4096), "make flash SECTOR=4096 DEV=/dev/sdx"),
        (device(size=TABLE.size - 512), "it has 11 MiB, the image 12"),
        (device(mountpoints=["/media/x"]), "/dev/sdx is mounted at /media/x: umount /dev/sdx"),
        (device(children=[part(mountpoints=["/boot"])]), "/dev/sdx1 is mounted at /boot"),
        (device(children=[part(mountpoints=[None, "/a b"])]), "/dev/sdx1 is mounted at /a b"),
        (device(children=[part(mountpoints=["[SWAP]"])]), "swapoff /dev/sdx1"),
        (device(children=[part(children=[device(name="/dev/mapper/vg-root", type="lvm")])]),
         "/dev/mapper/vg-root (lvm) stands on it"),
        (device(children=[device(name="/dev/md0", type="raid1")]), "/dev/md0 (raid1) stands on it"),
        (device(children=[part(children=[device(name="/dev/mapper/c", type="crypt", mountpoints=["/home"])])]),
         "/dev/mapper/c is mounted at /home"),
        *((device(children=[part(fstype=kind)]), f"/dev/sdx1 is part of something larger ({kind})")
          for kind in ("zfs_member", "linux_raid_member", "LVM2_member", "crypto_LUKS")),
    ],
)  # fmt: skip
def test_refused(found: flash.Device, why: str) -> None:
    assert why in against(found)


def test_all_reasons_are_told() -> None:
    found = device(ro=True, size=MIB, children=[part(mountpoints=["/boot"])])
    assert len(against(found).splitlines()) == 3


def test_shows_what_would_be_lost() -> None:
    found = device(children=[part(fstype="ext4", label="photos", partlabel="data", mountpoints=["/mnt"])])
    shown = flash.show(found)
    for word in ("Cruzer Blade", "4C53", "usb", "16 MiB", "/dev/sdx1", "ext4", "photos", "data", "/mnt"):
        assert word in shown


@pytest.mark.parametrize("typed", ["y", "yes", "", "sdy", "/dev/sd"])
def test_only_its_name_will_do(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{typed}\n"))
    with pytest.raises(flash.Refused):
        flash.confirm(device(), "/dev/sdx", None)
    with pytest.raises(flash.Refused):
        flash.confirm(device(), "/dev/sdx", typed)


@pytest.mark.parametrize("typed", ["sdx", "/dev/sdx", "/dev/disk/by-id/usb-x"])
def test_its_name(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{typed}\n"))
    flash.confirm(device(), "/dev/disk/by-id/usb-x", None)
    flash.confirm(device(), "/dev/disk/by-id/usb-x", typed)


def test_a_file_is_no_drive(tmp_path: Path, image: Path) -> None:
    (tmp_path / "drive").write_bytes(b"precious")
    words = [FLASH, "--yes", tmp_path / "drive", image, tmp_path / "drive"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1 and "no block device" in done.stderr
    assert (tmp_path / "drive").read_bytes() == b"precious"


def test_no_image(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(bytes(MIB))
    done = subprocess.run([FLASH, tmp_path / "image", "/dev/null"], capture_output=True, text=True)
    assert done.returncode == 1 and "no partition table" in done.stderr


# --- what is written, to a file in a drive's place ---


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[int]:
    """16 MiB and a bit that is no whole sector, full of something else."""
    (tmp_path / "drive").write_bytes(b"\xa5" * (16 * MIB + 100))
    fd = os.open(tmp_path / "drive", os.O_RDWR)
    yield fd
    os.close(fd)


def test_partitions_and_both_tables(image: Path, drive: int) -> None:
    plan = flash.Plan(image, 16 * MIB + 100)
    flash.verify(drive, plan, flash.write(drive, plan))
    data, wanted = os.pread(drive, 17 * MIB, 0), image.read_bytes()
    assert data[MIB : 11 * MIB] == wanted[MIB : 11 * MIB]
    assert gpt.read(data) == TABLE.moved(16 * MIB)
    assert data[16 * MIB - 512 :][:8] == gpt.SIGNATURE
    assert data[16 * MIB :] == b"\xa5" * 100


def test_what_does_not_stay_is_found(image: Path, drive: int) -> None:
    plan = flash.Plan(image, 16 * MIB)
    wanted = flash.write(drive, plan)
    flash.verify(drive, plan, wanted)
    byte = os.pread(drive, 1, 7 * MIB + 5)[0]
    os.pwrite(drive, bytes([byte ^ 4]), 7 * MIB + 5)
    with pytest.raises(flash.Failed, match="not what was written"):
        flash.verify(drive, plan, wanted)


@pytest.mark.parametrize("at", [510, 512, 1024, 16 * MIB - 512])
def test_table_that_does_not_stay_is_found(image: Path, drive: int, at: int) -> None:
    plan = flash.Plan(image, 16 * MIB)
    wanted = flash.write(drive, plan)
    os.pwrite(drive, b"\0\0\0\0", at)
    with pytest.raises(flash.Failed, match="partition table"):
        flash.verify(drive, plan, wanted)


def test_half_written_has_no_table(image: Path, drive: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, real = flash.Plan(image, 16 * MIB), flash.write_at
    os.pwrite(drive, image.read_bytes()[:MIB], 0)  # one was there before

    def pulled(fd: int, at: int, data: bytes) -> None:
        if at >= 5 * MIB:
            raise OSError(5, "Input/output error")
        real(fd, at, data)

    monkeypatch.setattr(flash, "write_at", pulled)
    with pytest.raises(OSError):
        flash.write(drive, plan)
    with pytest.raises(gpt.Bad):
        gpt.read(os.pread(drive, MIB, 0))


def test_image_that_is_cut_off(image: Path, drive: int) -> None:
    plan = flash.Plan(image, 16 * MIB)
    os.truncate(image, 8 * MIB + 5)
    with pytest.raises(flash.Failed, match="ends in a partition"):
        flash.write(drive, plan)


def test_another_drive_by_that_name(image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was taken out, and another one put in, before the name was typed."""
    place = tmp_path / "drive"
    place.write_bytes(b"precious")
    monkeypatch.setattr(flash, "look", lambda _: device(serial="another"))
    written: list[str] = []
    with pytest.raises(flash.Refused, match="not any more what was shown"):
        flash.flash(image, str(place), device(), written)
    assert not written and place.read_bytes() == b"precious"


# --- a real one ---


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "backing").write_bytes(b"\xa5" * 16 * MIB)
    words = ["losetup", "--find", "--show", tmp_path / "backing"]
    try:
        done = subprocess.run(words, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("losetup is not here: install mount")
    if done.returncode:
        pytest.skip(f"no loop device: run as root, where there are some: {done.stderr.strip()}")
    yield done.stdout.strip()
    subprocess.run(["losetup", "--detach", done.stdout.strip()], check=True)


def run(*words: object, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [str(FLASH), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, input=typed)


def test_a_drive(image: Path, loop: str, tmp_path: Path) -> None:
    before = (tmp_path / "backing").read_bytes()
    assert "would be overwritten" in run("--dry-run", image, loop).stdout
    assert "not its name" in run(image, loop, typed="y\n").stderr
    assert "not its name" in run("--yes", "/dev/sdx", image, loop).stderr
    assert "not its name" in run(image, loop).stderr
    assert (tmp_path / "backing").read_bytes() == before
    done = run(image, loop, typed=f"{os.path.basename(loop)}\n")
    assert done.returncode == 0 and "written and read back" in done.stdout
    data = (tmp_path / "backing").read_bytes()
    assert data[MIB : 11 * MIB] == image.read_bytes()[MIB : 11 * MIB]
    assert gpt.read(data) == TABLE.moved(16 * MIB)


def test_what_is_on_it_is_told_without_udev(image: Path, loop: str, tmp_path: Path) -> None:
    subprocess.run(["/sbin/mke2fs", "-q", "-F", "-L", "holidays", loop], check=True)
    shown = run("--dry-run", image, loop).stdout
    assert "ext2" in shown and "holidays" in shown


def test_a_drive_that_somebody_has(image: Path, loop: str, tmp_path: Path) -> None:
    """Something that lsblk knows nothing of."""
    fd = os.open(loop, os.O_RDONLY | os.O_EXCL)
    try:
        done = run("--yes", loop, image, loop)
    finally:
        os.close(fd)
    assert done.returncode == 1 and "something uses it" in done.stderr
    assert (tmp_path / "backing").read_bytes() == b"\xa5" * 16 * MIB
