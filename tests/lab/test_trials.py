# SPDX-License-Identifier: GPL-2.0-or-later
"""Trials of images; the story is in trials.py."""

import json
import re
from pathlib import Path

import jsonschema

from .image import version
from .trials import FAILS, GOOD, HANGS, PANICS, REFUSED, TORN, Trials

SCHEMA = Path(__file__).resolve().parents[2] / "docs/schema/status.schema.json"


def status(trials: Trials, name: str) -> dict:
    value = json.loads(trials.answers[f"{name} --json"])
    jsonschema.validate(value, json.loads(SCHEMA.read_text()))
    return value


def state(trials: Trials, name: str, of: str) -> str:
    return {image["version"]: image["state"] for image in status(trials, name)["images"]}[of]


class TestGood:
    def test_is_on_trial_at_first(self, trials: Trials) -> None:
        assert f"image {GOOD}: on trial, tries left: 2; this one" in trials.answers["on trial"]
        assert state(trials, "on trial", GOOD) == "on trial"

    def test_is_counted_no_more(self, trials: Trials) -> None:
        assert trials.images["good"] == [f"hvinit_{version()}.efi", f"hvinit_{GOOD}.efi"]
        assert f"image {GOOD}: good; this one" in trials.answers["good"]
        assert f"image {version()}: good\n" in trials.answers["good"]

    def test_has_an_option_behind_the_loader(self, trials: Trials) -> None:
        """Which the firmware tries when the loader gives up."""
        loader, image = trials.places
        assert image == loader + 1


class TestPanics:
    def test_each_try_counts(self, trials: Trials) -> None:
        # What the kernel said is told again by the boot that comes back.
        assert trials.consoles["panics"].count("BdsDxe: starting") == 4
        assert f"hvinit_{PANICS}+0-3.efi" in trials.images["panics"]

    def test_is_no_good(self, trials: Trials) -> None:
        assert f"image {PANICS}: no good, tries left: 0" in trials.answers["after panics"]
        assert state(trials, "after panics", GOOD) == "good"


class TestFails:
    def test_older_one_tells_why(self, trials: Trials) -> None:
        assert status(trials, "after a failure")["fell_back"] == {
            "version": FAILS, "why": "the critical VM demo has failed",
        }  # fmt: skip
        assert f"hvinit {FAILS} was tried before, and was no good: the critical VM demo has failed" in (
            trials.answers["after a failure"]
        )

    def test_is_no_good(self, trials: Trials) -> None:
        assert f"hvinit_{FAILS}+0-1.efi" in trials.images["fails"]


class TestHangs:
    def test_older_one_tells_why(self, trials: Trials) -> None:
        assert status(trials, "after a hang")["fell_back"] == {
            "version": HANGS, "why": "the watchdog has reset the machine",
        }  # fmt: skip


class TestRefused:
    def test_older_one_tells_why(self, trials: Trials) -> None:
        assert status(trials, "after a refusal")["fell_back"] == {
            "version": REFUSED, "why": "its manifest cannot be trusted",
        }  # fmt: skip


class TestTorn:
    def test_firmware_finds_the_way_past_the_loader(self, trials: Trials) -> None:
        assert f"started: hvinit {GOOD}" in trials.consoles["torn"]
        assert f"hvinit_{TORN}+2-1.efi" in trials.images["torn"]

    def test_vm_runs(self, trials: Trials) -> None:
        assert "hvinit: demo: running" in trials.consoles["torn"]
