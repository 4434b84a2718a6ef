# SPDX-License-Identifier: GPL-2.0-or-later
"""What the appliance makes of what happens to its machine; the story is in mishaps.py."""

import re

from .mishaps import WATCHDOG_S, Mishaps


def lines(console: str, *patterns: str) -> None:
    """Asserts that lines with PATTERNS follow one another."""
    at = 0
    for pattern in patterns:
        found = re.compile(pattern).search(console, at)
        assert found, f"{pattern!r} is not behind {console[max(0, at - 100):at]!r}"
        at = found.end()


def said(console: str, text: str) -> set[str]:
    """The times at which TEXT was said: the log shows it again."""
    return set(re.findall(rf"\[ *(\d+\.\d+)\] hvinit: [^\n]*{text}", console))


class TestDrive:
    def test_it_is_told_gone_and_back(self, mishaps: Mishaps) -> None:
        lines(
            mishaps.console,
            r"demo: device 0000:81:00\.0 is gone: it was removed",
            r"demo: device 0000:81:00\.0 is free",
        )

    def test_it_is_reserved_again(self, mishaps: Mishaps) -> None:
        assert mishaps.answers["override"].strip() == "vfio-pci"
        assert not re.search(r"nvme 0000:81:00\.0", mishaps.answers["log after the panic"])


class TestWatchdog:
    def test_it_is_armed_with_the_time_of_the_manifest(self, mishaps: Mishaps) -> None:
        assert re.search(rf"watchdog: i6300ESB.*, {WATCHDOG_S} s; last reset: no cause known",
                         mishaps.answers["status at first"])  # fmt: skip

    def test_it_bites_when_pid1_is_frozen_and_is_named(self, mishaps: Mishaps) -> None:
        told = mishaps.answers["status after the watchdog"]
        assert "last reset: the watchdog" in told
        assert "failed in a row: 1" in told

    def test_it_does_not_bite_otherwise(self, mishaps: Mishaps) -> None:
        assert len(said(mishaps.console, "the boot before this one has failed: the watchdog")) == 1


class TestFailedBoots:
    def test_fault_has_last_words_and_reboots(self, mishaps: Mishaps) -> None:
        lines(mishaps.console, r"hvinit: PID 1: fault in itself: bad address, sent by process \d+\b",
              r"hvinit: init: started")  # fmt: skip
        assert "failed in a row: 2" in mishaps.answers["status after the fault"]

    def test_panic_is_told_of_at_the_next_boot(self, mishaps: Mishaps) -> None:
        assert "the boot before this one has failed: the kernel panicked" in mishaps.console
        assert "Kernel panic - not syncing: sysrq" in mishaps.answers["told of the panic"]

    def test_three_in_a_row_lead_to_safe_mode(self, mishaps: Mishaps) -> None:
        assert "failed in a row: 3" in mishaps.answers["status after the panic"]
        assert "[BOOT-FAILED]" in mishaps.console
        assert len(said(mishaps.console, "safe mode: no VM is started")) == 1

    def test_running_vms_clear_the_count(self, mishaps: Mishaps) -> None:
        assert "failed in a row" not in mishaps.answers["status of the good boot"]


def test_power_button_powers_off_in_order(mishaps: Mishaps) -> None:
    last = mishaps.console.rindex("hvinit: init: started")
    lines(
        mishaps.console[last:],
        r"hvinit: host: power button pressed",
        r"demo\| demo: power button pressed",
        r"hvinit: demo: stopped",
        r"hvinit: host: power off",
    )
