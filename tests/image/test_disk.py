# SPDX-License-Identifier: GPL-2.0-or-later
"""The disk that rootfs/disk.py makes: whole or not at all, the same bytes each time, for both kinds of
drives."""

import filecmp
import os
import signal
import subprocess
import time
import uuid
from pathlib import Path

import pytest
from lab.paths import ROOT, run

import disk
import gpt

MIB = 1 << 20
ESP, STATE = 258, 16
IMAGE = bytes(range(256)) * 20000


def words(folder: Path, *more: str) -> list[str]:
    (folder / "loader").write_bytes(b"loader")
    (folder / "image").write_bytes(IMAGE)
    return [
        str(ROOT / "rootfs/disk.py"), "--loader", str(folder / "loader"), "--image", str(folder / "image"),
        "--version", "1.2", "--esp", str(ESP), "--state", str(STATE), *more, str(folder / "made.img"),
    ]  # fmt: skip


def make(folder: Path, *more: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ, SOURCE_DATE_EPOCH="1700000000", PYTHONDONTWRITEBYTECODE="1")
    return subprocess.run(words(folder, *more), capture_output=True, text=True, env=environment | variables)


@pytest.mark.parametrize("sector", gpt.SECTORS)
def test_has_what_the_firmware_looks_for(tmp_path: Path, sector: int) -> None:
    done = make(tmp_path, "--sector-size", str(sector))
    assert (done.returncode, done.stderr) == (0, "")
    made = tmp_path / "made.img"
    with made.open("rb") as file:
        start = file.read(2 * MIB)
    table = gpt.read(start)
    assert (table.sector, table.size) == (sector, made.stat().st_size)
    assert [(one.name, one.first // MIB, one.end // MIB) for one in table.partitions] == [
        ("ESP", 1, 1 + ESP), ("hvinit-state", 1 + ESP, 1 + ESP + STATE),
    ]  # fmt: skip
    # The FAT's own idea of a sector, and of how many there are (BPB_BytsPerSec, BPB_TotSec32).
    boot = start[MIB:]
    assert int.from_bytes(boot[11:13], "little") == sector
    assert int.from_bytes(boot[32:36], "little") == ESP * MIB // sector
    assert run(["mcopy", "-i", f"{made}@@1M", "::EFI/Linux/hvinit_1.2+3.efi", "-"]) == IMAGE
    assert run(["mcopy", "-i", f"{made}@@1M", "::EFI/BOOT/BOOTAA64.EFI", "-"]) == b"loader"
    # It takes no more room than what is in it.
    assert made.stat().st_blocks * 512 < 32 * MIB


@pytest.mark.parametrize(
    "option, value, name",
    [("--esp", "abc", "ESP_MIB"), ("--esp", "1e3", "ESP_MIB"), ("--state", "99999999", "STATE_MIB"),
     ("--state", "-1", "STATE_MIB"), ("--sector-size", "1000", "SECTOR")],
)  # fmt: skip
def test_what_is_no_size(tmp_path: Path, option: str, value: str, name: str) -> None:
    done = make(tmp_path, f"{option}={value}")
    assert done.returncode == 1 and f"{name}: want " in done.stderr and repr(value) in done.stderr
    assert not (tmp_path / "made.img").exists()


def test_partition_table_is_whole(tmp_path: Path) -> None:
    make(tmp_path)
    told = run(["sfdisk", "--verify", tmp_path / "made.img"]).decode()
    assert "No errors detected" in told


def test_state_partition_is_clean(tmp_path: Path) -> None:
    make(tmp_path)
    state = tmp_path / "state"
    with open(tmp_path / "made.img", "rb") as file:
        file.seek((1 + ESP) * MIB)
        state.write_bytes(file.read(STATE * MIB))
    run(["e2fsck", "-fn", state])
    told = run(["dumpe2fs", "-h", state]).decode()
    assert "has_journal" in told and "Block size:               4096" in told


def test_same_bytes_anywhere(tmp_path: Path) -> None:
    """At another time of day, elsewhere, by somebody with other habits."""
    here, there = tmp_path / "here", tmp_path / "some where/else"
    here.mkdir()
    there.mkdir(parents=True)
    assert make(here).returncode == 0
    time.sleep(2.1)  # a FAT counts in twos of seconds
    assert make(there, TZ="Asia/Tokyo", HOME=str(there), LANG="C.UTF-8").returncode == 0
    assert filecmp.cmp(here / "made.img", there / "made.img", shallow=False)


@pytest.mark.parametrize(
    "option, size, symbol", [("--esp", "64", "ESP_MIB"), ("--state", "1", "STATE_MIB")]
)
def test_too_small_says_what_is_wanted(tmp_path: Path, option: str, size: str, symbol: str) -> None:
    done = make(tmp_path, option, size)
    assert done.returncode == 1
    assert "want " in done.stderr and symbol in done.stderr
    assert list(tmp_path.glob("made*")) == []


def test_room_is_for_three_images() -> None:
    assert disk.least_esp(1) == ESP
    assert disk.least_esp(100 * MIB) == 3 * 100 + disk.SPARE_MIB


def test_nothing_is_left_of_one_that_is_ended(tmp_path: Path) -> None:
    """While mcopy runs, of which there is a slow one here."""
    slow = tmp_path / "bin"
    slow.mkdir()
    (slow / "mcopy").write_text(f"#!/bin/sh\ntouch {tmp_path}/copying\nexec sleep 60\n")
    (slow / "mcopy").chmod(0o755)
    environment = dict(os.environ, PATH=f"{slow}:{os.environ['PATH']}", PYTHONDONTWRITEBYTECODE="1")
    with subprocess.Popen(words(tmp_path), stderr=subprocess.PIPE, env=environment) as maker:
        while not (tmp_path / "copying").exists():
            assert maker.poll() is None
            time.sleep(0.01)
        assert list(tmp_path.glob("made.img.*"))
        maker.send_signal(signal.SIGTERM)
        _, said = maker.communicate()
    assert maker.returncode == 1 and b"signal 15" in said
    assert list(tmp_path.glob("made*")) == []


def test_tool_that_fails_is_told(tmp_path: Path) -> None:
    bad = tmp_path / "bin"
    bad.mkdir()
    (bad / "mmd").write_text("#!/bin/sh\necho no such luck >&2\nexit 3\n")
    (bad / "mmd").chmod(0o755)
    done = make(tmp_path, PATH=f"{bad}:{os.environ['PATH']}")
    assert done.returncode == 1 and "mmd: no such luck" in done.stderr
    assert list(tmp_path.glob("made*")) == []


# --- partition tables ---


def table(size: int, sector: int = 512) -> gpt.Table:
    one = gpt.Partition(gpt.ESP, uuid.uuid4(), MIB, 3 * MIB, "one")
    two = gpt.Partition(gpt.LINUX, uuid.uuid4(), 3 * MIB, 4 * MIB, "zwei, drei")
    return gpt.Table(uuid.uuid4(), sector, size, (one, two))


def written(wanted: gpt.Table) -> bytes:
    data = bytearray(wanted.size)
    for at, piece in wanted.pieces():
        data[at : at + len(piece)] = piece
    return bytes(data)


@pytest.mark.parametrize("sector", gpt.SECTORS)
def test_table_is_read_as_it_was_written(sector: int) -> None:
    wanted = table(8 * MIB, sector)
    assert gpt.read(written(wanted)[: 64 << 10]) == wanted


def test_other_copy_is_at_the_end(tmp_path: Path) -> None:
    """As sfdisk has it, which mends the first copy by the other."""
    grown = table(5 * MIB).moved(9 * MIB)
    data = bytearray(written(grown))
    data[512:1024] = bytes(512)
    file = tmp_path / "table"
    file.write_bytes(data)
    dumped = run(["sfdisk", "--dump", file]).decode()
    assert "zwei, drei" in dumped


@pytest.mark.parametrize("at", [512 + 16, 512 + 24, 1024, 1024 + 56])
def test_damage_is_seen(at: int) -> None:
    data = bytearray(written(table(8 * MIB)))
    data[at] ^= 1
    with pytest.raises(gpt.Bad):
        gpt.read(bytes(data))


@pytest.mark.parametrize("size", [4 * MIB, 4 * MIB + 32 * 512])
def test_no_room_for_the_other_copy(size: int) -> None:
    with pytest.raises(gpt.Bad):
        list(table(size).pieces())
    assert list(table(4 * MIB + 33 * 512).pieces())
