# SPDX-License-Identifier: GPL-2.0-or-later
"""What the appliance has to do for one VM in the course of its life; the story is in life.py."""

import re

from .life import KILLED_AT, SERIAL, Life


def tally(life: Life) -> dict[str, int]:
    lines = re.findall(r"^  (\S+) +(\d+)$", life.answers["history"], re.MULTILINE)
    return {cause: int(count) for cause, count in lines}


def test_qemu_is_in_a_group_of_its_own(life: Life) -> None:
    assert life.answers["group"].strip() == "0::/hvinit/vm0"


def test_pause_and_resume(life: Life) -> None:
    assert re.search(r"demo\s+paused", life.answers["paused"])


class TestPlug:
    def test_guest_gives_the_device_back(self, life: Life) -> None:
        assert SERIAL not in life.answers["guest without"]
        assert life.answers["driver without"].strip() == "none"

    def test_guest_gets_it_again(self, life: Life) -> None:
        wanted = life.machine.disks[SERIAL].data_sha256()
        assert wanted in life.answers["guest with"]
        assert life.answers["driver with"].strip().endswith("/vfio-pci")

    def test_the_other_one_never_noticed(self, life: Life) -> None:
        flow = life.answers["flow"]
        assert "it flows" in flow and "the flow has stopped" not in flow

    def test_twice_is_refused(self, life: Life) -> None:
        assert "it has that device" in life.answers["attached twice"]


def test_guest_resets_itself_in_place(life: Life) -> None:
    assert "reset itself 1 times" in life.answers["history"]


def test_panic_is_told_and_the_vm_comes_back(life: Life) -> None:
    assert re.search(r"the guest's kernel has panicked \[GUEST-PANIC\]", life.console)
    assert tally(life)["guest-panic"] == 1


def test_stopped_qemu_is_noticed_and_killed(life: Life) -> None:
    assert "it has not answered for 10 s [QEMU-HUNG]" in life.console
    assert tally(life)["hung"] == 1


def test_killed_at_any_point_it_comes_back(life: Life) -> None:
    assert re.search(r"demo\s+running", life.answers["status"])
    killed = tally(life).get("crash", 0) + tally(life).get("launch", 0)
    assert 1 <= killed <= len(KILLED_AT)


class TestEnd:
    def test_guest_that_does_not_obey_is_ended(self, life: Life) -> None:
        words = "hvinit: demo: the guest did not obey the power button within 1 s: quit"
        assert words in life.console.split("history demo")[-1]
        assert "hvinit: host: power off" in life.console

    def test_devices_are_on_no_driver(self, life: Life) -> None:
        for place in life.machine.topology.places():
            line = re.search(rf"^.*{place.bdf}.*$", life.answers["devices at the end"], re.M)
            assert line and "vfio-pci" not in line[0], line


def test_no_qemu_asks_for_what_it_may_not_have(life: Life) -> None:
    assert "CALL-DENIED" not in life.console
