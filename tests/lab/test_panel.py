# SPDX-License-Identifier: GPL-2.0-or-later
"""The front panel; the story is in panel.py."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from .panel import LINES, LINES_TYPED, PASSWORD, Panel
from .readme import missing

SCHEMAS = Path(__file__).resolve().parents[2] / "docs/schema"


@pytest.mark.parametrize("line", LINES_TYPED)
def test_every_line_has_its_answer(panel: Panel, line: str) -> None:
    assert line in panel.answers


def fits(name: str, text: str) -> dict:
    """TEXT, which is as the schema NAME says."""
    value = json.loads(text)
    jsonschema.validate(value, json.loads((SCHEMAS / f"{name}.schema.json").read_text()))
    return value


def test_readme_shows_what_is(panel: Panel) -> None:
    assert missing("rescue# hvinit ctl start", panel.second) == []


class TestLogin:
    def test_no_command_before_it(self, panel: Panel) -> None:
        before, _, after = panel.answers["login"].partition("somebody has logged in")
        assert "hvinit 0" not in before.replace("started: hvinit 0", "")
        # Then it says who it is, and how things are.
        assert re.search(r"hvinit 0.*\bdemo +[a-z]+ ", after, re.DOTALL)

    def test_password_is_nowhere(self, panel: Panel) -> None:
        assert PASSWORD not in panel.console + panel.second
        assert "saltsalt" not in panel.console + panel.second

    def test_wrong_one_is_logged(self, panel: Panel) -> None:
        assert "login: /dev/ttyAMA0: wrong password, 1 in a row" in panel.console


class TestPrograms:
    def test_status(self, panel: Panel) -> None:
        demo = fits("status", panel.answers["ctl status"])["vms"][0]
        assert (demo["name"], demo["state"], demo["vsmmus"]) == ("demo", "running", 2)
        assert [one["state"] for one in demo["hostdevs"]] == ["claimed", "claimed"]

    def test_metrics(self, panel: Panel) -> None:
        assert 'hvinit_vm_state{vm="demo",state="running"} 1' in panel.answers["ctl metrics"]
        assert re.search(r'hvinit_device_state{.*state="claimed"} 1', panel.answers["ctl metrics"])

    def test_exit_codes(self, panel: Panel) -> None:
        assert re.findall(r"code=(\d+)", panel.answers["ctl codes"]) == ["0", "1", "2", "1"]

    def test_events(self, panel: Panel) -> None:
        lines = [line for line in panel.answers["ctl events"].splitlines() if line.startswith("{")]
        events = [fits("event", line) for line in lines]
        assert [one.get("state") for one in events] == [None, "paused", "running"]


class TestGuest:
    def test_asks(self, panel: Panel) -> None:
        assert "org.hvinit.ctl" in panel.answers["guest"]
        text = panel.answers["guest"].replace("\r", "")
        status = fits("status", text[text.index("{"):text.index("\n}\n") + 3])
        assert [one["name"] for one in status["vms"]] == ["demo", "flood"]

    def test_changes_nothing(self, panel: Panel) -> None:
        assert "hvinit: kill: not for a guest" in panel.answers["guest"]


def test_json_is_json(panel: Panel) -> None:
    assert json.loads(panel.answers["json"])["format"] == 1


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
        assert re.search(r"demo +running +\d+ s +\d+ +1 ", panel.answers["status after the noise"])
