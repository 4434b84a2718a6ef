# SPDX-License-Identifier: GPL-2.0-or-later
"""What a server's update does, refuses, and leaves when power fails; the story is in update.py."""

import pytest

from .image import NEWER, version
from .update import BOOTS, NEW, OLDER, OWN, SIGNED, Update

REFUSED = {
    "no sum": ("UPDATE-HASH", "its SHA-256 has to be typed"),
    "no digits": ("", "64 hexadecimal digits"),
    "no medium": ("UPDATE-NONE", "no block device has it"),
    "board": ("UPDATE-BOARD", "moonbase"),
    "nothing": ("UPDATE-FORMAT", "no image of hvinit"),
    "version": ("UPDATE-VERSION", '"1 2" is none'),
    "same": ("UPDATE-OLD", "the same as"),
    "older": ("UPDATE-OLD", "older than"),
    "x86": ("UPDATE-ARCH", "x86-64"),
    "cut": ("UPDATE-CUT", "shorter than they say"),
    "text": ("UPDATE-FORMAT", "no EFI program"),
    "altered": ("UPDATE-HASH", "not the one that was typed"),
    "missing": ("UPDATE-READ", "No such file"),
    "a folder": ("UPDATE-READ", "no regular file"),
    "no file": ("UPDATE-READ", "open /hvinit.efi"),
    "GPT": ("UPDATE-OLD", "0.0.9"),
    "two media": ("UPDATE-TWICE", "have it"),
    "no medium, signed": ("UPDATE-NONE", "no block device has it"),
    "unsigned": ("UPDATE-SIGNATURE", "it has none"),
    "by others": ("UPDATE-SIGNATURE", "Signature verification failed"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(update: Update, what: str) -> None:
    code, part = REFUSED[what]
    assert part in update.refused[what]
    assert f"[{code}]" in update.refused[what] or not code


class TestGood:
    def test_it_says_what_follows(self, update: Update) -> None:
        assert f"version {NEWER} is in place: the next boot tries it, 3 times" in update.answers["update"]

    def test_status_lists_it_at_once(self, update: Update) -> None:
        assert f"image {NEWER}: on trial, tries left: 3" in update.answers["status"]

    def test_the_next_boot_is_on_trial(self, update: Update) -> None:
        assert f"hvinit {NEWER}" in update.console
        assert "host: this image is good" in update.console

    def test_one_that_is_signed_needs_no_sum(self, update: Update) -> None:
        assert f"version {SIGNED} is in place" in update.answers["by us"]

    def test_all_images_are_there_in_the_end(self, update: Update) -> None:
        assert update.images["after"] == sorted([OWN, f"{NEW}.efi", f"hvinit_{SIGNED}+3.efi"])


class TestOlder:
    def test_it_is_started_once(self, update: Update) -> None:
        assert f"version {OLDER} is in place: the next boot tries it once" in update.answers["older"]
        assert update.answers["older boots"] == OLDER
        assert update.answers["newest boots"] == version()


class TestPowerFailure:
    def test_there_was_something_to_lose(self, update: Update) -> None:
        assert update.writes > 100
        assert {cut.kind for cut in update.cuts} == {"lost", "kept", "some"}

    def test_the_old_image_is_always_whole(self, update: Update) -> None:
        assert [cut for cut, found in update.cuts.items() if found.get(OWN) != "whole"] == []

    def test_the_new_one_is_whole_or_not_there(self, update: Update) -> None:
        assert {one for found in update.cuts.values() for one in found.values()} == {"whole"}
        assert any(found == {OWN: "whole"} for found in update.cuts.values())
        assert any(f"{NEW}.efi" in found for found in update.cuts.values())

    def test_it_boots(self, update: Update) -> None:
        assert len(update.booted) == BOOTS
        assert set(update.booted.values()) == {version(), NEWER}

    def test_another_update_succeeds(self, update: Update) -> None:
        assert "is in place" in update.answers["another update"]
        assert f"{NEW}+3.efi" in update.images["after another"]
