# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands between a QEMU that is its guest's and the machine; the story is in walls.py."""

import re

import pytest

from .attempts import ATTEMPTS, KILLED, LAYERS, Attempt
from .walls import OTHER, OTHER_DRIVE, VM, Walls

LEAST = 60
COUNTED = [attempt for attempt in ATTEMPTS if attempt.counts]
ABSENT = [attempt for attempt in ATTEMPTS if not attempt.counts]


PIDS = 1000  # of trespass/process.c: the processes that are tried, for it cannot see which there are


def name(attempt: Attempt) -> str:
    return attempt.name


def test_attempts_are_many(walls: Walls, record_property: object) -> None:
    assert len({attempt.name for attempt in ATTEMPTS}) == len(ATTEMPTS)
    assert {attempt.layer for attempt in ATTEMPTS} == set(LAYERS)
    failed = [one.name for one in COUNTED if walls.inside.get(one.name) != "ok"]
    record_property("attempts that failed in the room", len(failed))  # type: ignore[operator]
    assert len(COUNTED) >= LEAST


@pytest.mark.parametrize("attempt", [one for one in ATTEMPTS if one.error != KILLED], ids=name)
def test_it_fails_in_the_room_as_is_written(walls: Walls, attempt: Attempt) -> None:
    assert walls.inside.get(attempt.name) == attempt.error


@pytest.mark.parametrize("attempt", COUNTED, ids=name)
def test_it_succeeds_outside(walls: Walls, attempt: Attempt) -> None:
    assert walls.outside.get(attempt.name) == "ok"


@pytest.mark.parametrize("attempt", ABSENT, ids=name)
def test_kernel_does_not_have_it(walls: Walls, attempt: Attempt) -> None:
    assert walls.outside.get(attempt.name) == "ENOSYS"


def test_the_greedy_one_is_killed(walls: Walls) -> None:
    """It cannot tell: its end does."""
    greedy = [attempt.name for attempt in ATTEMPTS if attempt.error == KILLED]
    assert greedy == [ATTEMPTS[-1].name] and greedy[0] not in walls.inside
    assert re.search(r"^ +\d+ s +0 s +oom-kill ", walls.answers["history"], re.MULTILINE)


class TestDenied:
    def test_it_is_told(self, walls: Walls) -> None:
        told = re.findall(rf"hvinit: {VM}: ask the kernel for \w+\(\): it may not(.*)", walls.console)
        assert len(told) == 8 and "[CALL-DENIED]" in told[0]

    def test_each_is_counted(self, walls: Walls) -> None:
        """All that are refused by our filter but io_uring's, which QEMU asks for at each start."""
        counts = dict(re.findall(r'denied_total{vm="(\w+)"} (\d+)', walls.answers["denied"]))
        refused = [one for one in ATTEMPTS if one.layer in ("SECCOMP", "NOT_BUILT")]
        io_uring = [one for one in refused if one.name.startswith("io_uring")]
        assert int(counts[VM]) >= len(refused) - len(io_uring)
        assert counts[OTHER] == "0"


def test_module_from_elsewhere_is_refused(walls: Walls) -> None:
    assert "Operation not permitted" in walls.answers["foreign module"]


class TestOthers:
    def test_other_vm_goes_on(self, walls: Walls) -> None:
        assert walls.answers["pid before"] == walls.answers["pid after"]
        assert int(walls.answers["pid before"]) < PIDS, "it was tried, too"
        assert "it lives" in walls.answers["other's guest"]
        drive = walls.machine.disks[OTHER_DRIVE.device.name]
        assert drive.data_sha256() in walls.answers["other's drive"]
        assert len(re.findall(rf"hvinit: {OTHER}: starting", walls.console)) == 1

    def test_pid1_answers(self, walls: Walls) -> None:
        assert re.search(rf"^{OTHER} +running ", walls.answers["machine"], re.MULTILINE)
        assert re.search(rf"^{VM} +failed ", walls.answers["machine"], re.MULTILINE)

    def test_vm_starts_with_its_own_qemu_again(self, walls: Walls) -> None:
        assert re.search(rf"{VM}\| proof: done", walls.console)
