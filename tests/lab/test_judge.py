# SPDX-License-Identifier: GPL-2.0-or-later
"""The judge itself: a right run passes, and each single lie in it is caught. Needs no boot."""

import struct
from pathlib import Path

import pytest

from . import disk, iort
from .proof import judge, judge_physical
from .topology import FIRST_LIGHT

PLACES = FIRST_LIGHT.places()
DRIVE = PLACES[0].device.name


@pytest.fixture
def disks(tmp_path: Path) -> dict[str, disk.Disk]:
    made = {place.device.name: disk.Disk(tmp_path / place.device.name) for place in PLACES}
    for one in made.values():
        one.refill()
        with open(one.path, "r+b") as image:
            image.seek(disk.BLOCK * disk.RESULT)
            image.write(one.wanted_answer().encode())
    return made


def transcript(disks: dict[str, disk.Disk]) -> str:
    lines = []
    for n, place in enumerate(PLACES):
        name = place.device.name
        lines += [
            f"smmu name=smmu3.{n} features=0x01008305",
            f"disk bdf=0000:fd:00.0 serial={name} group={n} type=DMA-FQ smmu=smmu3.{n}",
            f"data serial={name} nonce={disks[name].nonce} sha256={disks[name].sha256}",
        ]
    return "".join(f"demo| proof: {line}\n" for line in [*lines, "done"])


def failed(disks: dict[str, disk.Disk], console: str, stages: dict[int, int]) -> list[str]:
    checks = judge(FIRST_LIGHT, disks, console, lambda _stream: stages)
    return [check.name for check in checks if not check.passed]


NESTED = {2: 10, 3: 100}


def test_right_run_passes(disks: dict[str, disk.Disk]) -> None:
    assert failed(disks, transcript(disks), NESTED) == []


@pytest.mark.parametrize(
    "true, lie, caught",
    [
        ("proof: done", "", "guest: finished without errors"),
        ("proof: done", "proof: error why=x\nproof: done", "guest: finished without errors"),
        ("features=0x01008305", "features=0x01088705", "guest: vSMMUs have stage 1 alone"),
        ("smmu name=smmu3.1", "smmu name=smmu3.0", "guest: vSMMUs have stage 1 alone"),
        ("DMA-FQ smmu=smmu3.1", "DMA-FQ smmu=smmu3.0", "guest: a vSMMU for each SMMU"),
        ("type=DMA-FQ", "type=identity", f"{DRIVE}: group translates"),
        ("sha256=", "sha256=0", f"{DRIVE}: hash read"),
    ],
)
def test_lie_on_the_console_is_caught(
    disks: dict[str, disk.Disk], true: str, lie: str, caught: str
) -> None:
    assert caught in failed(disks, transcript(disks).replace(true, lie), NESTED)


def test_yesterdays_answer_is_caught(disks: dict[str, disk.Disk]) -> None:
    told = transcript(disks)
    disks[DRIVE].refill()
    assert failed(disks, told, NESTED) == [f"{DRIVE}: hash read", f"{DRIVE}: answer written"]


def test_one_stage_alone_is_caught(disks: dict[str, disk.Disk]) -> None:
    wrong = failed(disks, transcript(disks), {2: 100})
    assert wrong == [f"{place.device.name}: both stages walked" for place in PLACES]


@pytest.mark.parametrize("features, right", [("0x01088705", True), ("0x01008305", False)])
def test_physical_smmu_needs_both_stages(features: str, right: bool) -> None:
    line = f"arm-smmu-v3 arm-smmu-v3.0.auto: oas 44-bit (features {features})\n"
    assert judge_physical(FIRST_LIGHT, line * 2).passed is right
    assert not judge_physical(FIRST_LIGHT, line).passed


def test_override_sets_canwbs_and_keeps_the_table_valid() -> None:
    other = struct.pack("<BH", 4, 24).ljust(24, b"\0")
    root = struct.pack("<BH", iort.ROOT_COMPLEX, 40).ljust(iort.MEMORY_FLAGS, b"\0") + b"\3"
    header = b"IORT".ljust(iort.NODE_COUNT, b"\0") + struct.pack("<III", 2, 48, 0)
    table = header + other + root.ljust(40, b"\0")
    new = iort.patch(table)
    assert new[48 + 24 + iort.MEMORY_FLAGS] == 7 and new[48 + iort.MEMORY_FLAGS] == 0
    assert sum(new) & 0xFF == 0 and new[iort.OEM_REVISION] == 1 and len(new) == len(table)
