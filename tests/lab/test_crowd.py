# SPDX-License-Identifier: GPL-2.0-or-later
"""Eight VMs at once; the story is in crowd.py."""

import re

from .crowd import VMS, Crowd


def test_all_of_them_run(crowd: Crowd) -> None:
    assert len(re.findall(r"^vm\d\s+running", crowd.answers["status"], re.MULTILINE)) == VMS


def test_last_started_first_stopped(crowd: Crowd) -> None:
    stopping = re.findall(r"hvinit: vm(\d): stopping", crowd.console)
    assert sorted(stopping) == [str(slot) for slot in range(VMS)]
    orders = [int(slot) % 2 for slot in stopping]
    assert orders == sorted(orders, reverse=True)


def test_memory_of_pid1(crowd: Crowd, record_property: object) -> None:
    kib = dict(re.findall(r"^(\w+): +(\d+) kB", crowd.answers["memory"], re.MULTILINE))
    for name in ("Rss", "Private_Dirty"):
        record_property(name, kib[name])  # type: ignore[operator]
    assert int(kib["Rss"]) < 4096


def test_no_qemu_asks_for_what_it_may_not_have(crowd: Crowd) -> None:
    assert "CALL-DENIED" not in crowd.console
