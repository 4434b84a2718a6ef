# SPDX-License-Identifier: GPL-2.0-or-later
"""The front panel; the story is in panel.py."""

import json
import re

import pytest

from .panel import LINES, LINES_TYPED, Panel


@pytest.mark.parametrize("line", LINES_TYPED)
def test_every_line_has_its_answer(panel: Panel, line: str) -> None:
    assert line in panel.answers


def test_json_is_json(panel: Panel) -> None:
    assert json.loads("{" + panel.answers["json"])["format"] == 1


def test_what_is_set_is_not_said(panel: Panel) -> None:
    assert not panel.answers["set HOST_LOG_LEVEL=3"].strip()


def test_help_fits_a_screen_of_80_columns(panel: Panel) -> None:
    assert all(len(line) < 80 for line in panel.answers["help"].splitlines())


def test_status_fits_a_screen_of_80_columns(panel: Panel) -> None:
    assert all(len(line) < 80 for line in panel.answers["status"].splitlines())


class TestTwo:
    def test_lines_are_on_both(self, panel: Panel) -> None:
        for text in (panel.console, panel.second):
            assert "hvinit: flood: stopped" in text

    def test_what_is_typed_at_one_is_not_on_the_other(self, panel: Panel) -> None:
        assert "### DEV-NONE" in panel.console
        assert "### DEV-NONE" not in panel.second


def test_pasted_lines_are_all_run(panel: Panel) -> None:
    assert panel.answers["paste"].count("### DEV-NONE") == LINES


class TestFlood:
    def test_another_guest_goes_on(self, panel: Panel) -> None:
        assert "it lives" in panel.answers["guest beside the flood"]

    def test_status_tells_of_both(self, panel: Panel) -> None:
        assert re.search(r"demo +running", panel.answers["status beside the flood"])
        assert re.search(r"flood +running", panel.answers["status beside the flood"])

    def test_memory_stays_what_it_was(self, panel: Panel) -> None:
        resident = re.search(r"VmRSS:\s+(\d+) kB", panel.answers["descriptors"])
        assert resident and int(resident[1]) < 2048


class TestNoise:
    def test_break_is_harmless(self, panel: Panel) -> None:
        assert panel.console.count("BdsDxe: starting") == 1

    def test_vm_runs_on(self, panel: Panel) -> None:
        assert re.search(r"demo +running", panel.answers["status after the noise"])
        # The log shows the line again.
        assert len(set(re.findall(r"(\S+)\] hvinit: demo: running", panel.console))) == 1
