# SPDX-License-Identifier: GPL-2.0-or-later
"""The judge itself: a right run passes, and each single lie in it is caught. Needs no boot."""

import hashlib
import io
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from . import disk, iort, trace
from .proof import judge, judge_physical
from .topology import DRIVERS, EIGHT, FIRST_LIGHT, Place, Topology

PLACES = FIRST_LIGHT.places()
DRIVE = PLACES[0].device.name
NONCE = "0123456789abcdef" * 2

Disks = dict[str, disk.Disk]


@pytest.fixture
def make_disks(tmp_path: Path) -> Callable[[Topology], Disks]:
    def make(topology: Topology) -> Disks:
        made = {name: disk.Disk(tmp_path / name) for name in topology.drives()}
        for one in made.values():
            one.refill()
            with open(one.path, "r+b") as image:
                image.seek(disk.BLOCK * disk.RESULT)
                image.write(one.wanted_answer().encode())
        return made

    return make


@pytest.fixture
def disks(make_disks: Callable[[Topology], Disks]) -> Disks:
    return make_disks(FIRST_LIGHT)


def sent(place: Place) -> str:
    return hashlib.sha256(place.device.name.encode()).hexdigest()


def end_of_link(topology: Topology, place: Place, bdf: str, where: str) -> list[str]:
    (far,) = {end for ends in topology.links() if place in ends for end in ends} - {place}
    iface = f"eth-{place.device.name}"
    return [
        f"card bdf={bdf} driver={DRIVERS[place.device.model]} iface={iface} {where}",
        f"frames iface={iface} nonce={NONCE} sent={sent(place)}",
        f"frames iface={iface} back={sent(place)}",
        f"frames iface={iface} got={sent(far)}",
    ]


def transcript(disks: Disks, topology: Topology = FIRST_LIGHT) -> str:
    """What the guests print when all is well."""
    lines = []
    for vm in topology.vms():
        places = topology.places(vm)
        smmus = sorted({place.smmu for place in places})
        told = [f"smmu name=smmu3.{n} features=0x01008305" for n, _ in enumerate(smmus)]
        for n, place in enumerate(places):
            name, bdf = place.device.name, f"0000:f{n}:00.0"
            where = f"group={n} type=DMA-FQ smmu=smmu3.{smmus.index(place.smmu)}"
            if place.device.is_drive:
                told.append(f"disk bdf={bdf} serial={name} {where}")
                one = disks[name]
                told.append(f"data serial={name} nonce={one.nonce} sha256={one.sha256}")
            else:
                told += end_of_link(topology, place, bdf, where)
            told.append(f"interrupts bdf={bdf} count=9")
        lines += [f"{vm}| proof: {line}\n" for line in [*told, "done"]]
    return "".join(lines)


NESTED = trace.Walks({2: 10, 3: 100}, {3: 5})


def failed(
    disks: Disks,
    console: str,
    walks: trace.Walks = NESTED,
    topology: Topology = FIRST_LIGHT,
    nonce: str = NONCE,
) -> list[str]:
    checks = judge(topology, disks, console, lambda _stream: walks, nonce)
    return [check.name for check in checks if not check.passed]


def test_right_run_passes(disks: Disks) -> None:
    assert failed(disks, transcript(disks)) == []


@pytest.mark.parametrize(
    "true, lie, caught",
    [
        ("proof: done", "", "demo: finished without errors"),
        ("proof: done", "proof: error why=x\ndemo| proof: done", "demo: finished without errors"),
        ("features=0x01008305", "features=0x01088705", "demo: vSMMUs have stage 1 alone"),
        ("smmu name=smmu3.1", "smmu name=smmu3.0", "demo: vSMMUs have stage 1 alone"),
        ("DMA-FQ smmu=smmu3.1", "DMA-FQ smmu=smmu3.0", "demo: a vSMMU for each SMMU"),
        ("type=DMA-FQ", "type=identity", f"{DRIVE}: group translates"),
        ("sha256=", "sha256=0", f"{DRIVE}: hash read"),
        ("count=9", "count=0", f"{DRIVE}: interrupts taken"),
        ("demo| proof: interrupts", "other| proof: interrupts", f"{DRIVE}: interrupts taken"),
    ],
)
def test_lie_on_the_console_is_caught(disks: Disks, true: str, lie: str, caught: str) -> None:
    assert caught in failed(disks, transcript(disks).replace(true, lie))


def test_yesterdays_answer_is_caught(disks: Disks) -> None:
    told = transcript(disks)
    disks[DRIVE].refill()
    assert failed(disks, told) == [f"{DRIVE}: hash read", f"{DRIVE}: answer written"]


def test_one_stage_alone_is_caught(disks: Disks) -> None:
    wrong = failed(disks, transcript(disks), trace.Walks({2: 100}, {3: 5}))
    assert wrong == [f"{place.device.name}: both stages walked" for place in PLACES]


def test_interrupts_by_one_stage_alone_are_caught(disks: Disks) -> None:
    wrong = failed(disks, transcript(disks), trace.Walks({3: 100}, {2: 5}))
    assert wrong == [f"{place.device.name}: interrupts walk both" for place in PLACES]


class TestTwoGuests:
    def test_right_run_passes(self, make_disks: Callable[[Topology], Disks]) -> None:
        disks = make_disks(EIGHT)
        assert failed(disks, transcript(disks, EIGHT), topology=EIGHT) == []

    @pytest.mark.parametrize(
        "true, lie, caught",
        [
            ("beta| proof: done", "", ["beta: finished without errors"]),
            ("back=", "back=0", ["net0: frames answered", "vf0: frames answered",
                                 "net1: frames answered", "vf1: frames answered"]),
            ("driver=igbvf", "driver=e1000e", ["net0: frames answered", "vf0: frames answered"]),
        ],
    )  # fmt: skip
    def test_lie_on_the_console_is_caught(
        self, make_disks: Callable[[Topology], Disks], true: str, lie: str, caught: list[str]
    ) -> None:
        disks = make_disks(EIGHT)
        wrong = failed(disks, transcript(disks, EIGHT).replace(true, lie), topology=EIGHT)
        assert set(caught) <= set(wrong)

    def test_guest_that_never_got_the_others_frames_is_caught(
        self, make_disks: Callable[[Topology], Disks]
    ) -> None:
        """It knows the nonce and what it sent itself, and not what the other sent."""
        disks = make_disks(EIGHT)
        one, other = EIGHT.links()[0]
        told = transcript(disks, EIGHT).replace(f"got={sent(one)}", f"got={sent(other)}")
        assert failed(disks, told, topology=EIGHT) == [f"{one.device.name}: frames arrived"]

    def test_frames_of_another_run_are_caught(
        self, make_disks: Callable[[Topology], Disks]
    ) -> None:
        disks = make_disks(EIGHT)
        wrong = failed(disks, transcript(disks, EIGHT), topology=EIGHT, nonce=NONCE[::-1])
        cards = [end.device.name for ends in EIGHT.links() for end in ends]
        assert wrong == [f"{card}: frames answered" for card in cards]


@pytest.mark.parametrize("features, right", [("0x01088705", True), ("0x01008305", False)])
def test_physical_smmu_needs_both_stages(features: str, right: bool) -> None:
    line = f"arm-smmu-v3 arm-smmu-v3.0.auto: oas 44-bit (features {features})\n"
    assert judge_physical(FIRST_LIGHT, line * 2).passed is right
    assert not judge_physical(FIRST_LIGHT, line).passed


def test_tally_tells_interrupts_from_data(tmp_path: Path) -> None:
    event = b"smmuv3_translate_success s sid=0x%x iova=0x1 translated=0x%x perm=0x2 stage=%d\n"
    doorbell = trace.DOORBELL
    lines = [(0x4100, 0x1000, 3), (0x4100, doorbell, 3), (0x4100, doorbell, 2), (1, 0, 3)]
    log = tmp_path / "log"
    tally = trace.Tally(io.BytesIO(b"other\n" + b"".join(event % one for one in lines)), log)
    tally.join()
    assert tally.walks(0x4100) == trace.Walks({2: 1, 3: 2}, {2: 1, 3: 1})
    assert log.read_bytes() == b"other\n"


def test_override_sets_canwbs_and_keeps_the_table_valid() -> None:
    other = struct.pack("<BH", 4, 24).ljust(24, b"\0")
    root = struct.pack("<BH", iort.ROOT_COMPLEX, 40).ljust(iort.MEMORY_FLAGS, b"\0") + b"\3"
    header = b"IORT".ljust(iort.NODE_COUNT, b"\0") + struct.pack("<III", 2, 48, 0)
    table = header + other + root.ljust(40, b"\0")
    new = iort.patch(table)
    assert new[48 + 24 + iort.MEMORY_FLAGS] == 7 and new[48 + iort.MEMORY_FLAGS] == 0
    assert sum(new) & 0xFF == 0 and new[iort.OEM_REVISION] == 1 and len(new) == len(table)
