# SPDX-License-Identifier: GPL-2.0-or-later
"""What a server's update does, refuses, and leaves when power fails; the story is in update.py."""

import pytest

from .image import NEWER, version
from .update import OLDER, SIGNED, Update
from .update_cuts import BOOTED, NEW, OWN, STAGES, Left

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
    "no file, signed": ("UPDATE-READ", "open /hvinit.efi"),
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


class TestBrokenOff:
    """By the power button, while a copy is written."""

    def test_file_system_is_clean(self, update: Update) -> None:
        assert update.dirty == [True, False]

    def test_image_is_not_there(self, update: Update) -> None:
        assert update.images["broken off"] == [OWN]


class TestTwoAtOnce:
    def test_one_is_done(self, update: Update) -> None:
        assert f"version {OLDER} is in place: the next boot tries it once" in update.answers["the one"]

    def test_the_other_is_told(self, update: Update) -> None:
        assert "[UPDATE-BUSY]" in update.answers["the other"]
        assert update.answers["its code"] != "0"

    def test_nothing_is_lost(self, update: Update) -> None:
        assert f"image {OLDER}: on trial, tries left: 3" in update.answers["both there"]
        assert f"image {version()}: good" in update.answers["both there"]


class TestOlder:
    def test_it_is_started_once(self, update: Update) -> None:
        assert update.answers["older boots"] == OLDER
        assert update.answers["newest boots"] == version()

    def test_both_are_left(self, update: Update) -> None:
        assert update.back == {OWN: True, f"hvinit_{OLDER}.efi": True}


PLACES = {
    "full": ("UPDATE-FULL", ": 8192 KiB are free, and images that could go have 0 KiB"),
    "worn out": ("UPDATE-WRITE", "write the image"),
    "protected": ("UPDATE-ESP", "mount it: its disk is write-protected"),
    "no partitions": ("UPDATE-ESP", "does not tell which partition it came from"),
    "no loader": ("UPDATE-ESP", "this one was booted from EFI/BOOT"),
}


@pytest.mark.parametrize("name", PLACES)
class TestPlace:
    def test_it_says_so(self, update: Update, name: str) -> None:
        code, part = PLACES[name]
        assert part in update.places[name].said
        assert f"[{code}]" in update.places[name].said

    def test_nothing_is_changed(self, update: Update, name: str) -> None:
        assert update.places[name].unchanged

    def test_it_boots_as_before(self, update: Update, name: str) -> None:
        assert update.places[name].booted == version()


def _all_whole(left: Left) -> bool:
    """What the boot loader can find is."""
    return left.images.get(OWN, False) and all(left.images.values())


class TestPowerFailure:
    def test_there_was_something_to_lose(self, update: Update) -> None:
        assert update.cuts.writes > 100
        assert {cut.kind for cut in update.cuts.left} == {"lost", "kept", "some"}

    def test_images_are_whole_or_not_there(self, update: Update) -> None:
        assert [cut for cut, left in update.cuts.left.items() if not _all_whole(left)] == []

    def test_every_stage_was_seen(self, update: Update) -> None:
        assert {left.stage for left in update.cuts.left.values()} == set(STAGES)

    def test_it_boots(self, update: Update) -> None:
        boots = update.cuts.boots
        assert {boot.stage for boot in boots} == set(BOOTED)
        renamed = STAGES.index("both names")
        for boot in boots:
            assert boot.runs == (NEWER if STAGES.index(boot.stage) >= renamed else version())
            assert _all_whole(boot.left)

    def test_another_update_succeeds(self, update: Update) -> None:
        again = [boot for boot in update.cuts.boots if boot.another]
        assert len(again) == 1
        assert "is in place" in again[0].another
        assert again[0].left.images == {OWN: True, f"{NEW}+3.efi": True}
