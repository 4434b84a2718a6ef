# SPDX-License-Identifier: GPL-2.0-or-later
"""Judges the story of secure.py, and the tools that sign."""

import json
import re

import pytest

from .secure import ADDED, MEMORY_MIB, OUT, REFUSED, Secure


def _json(told: str) -> dict[str, object]:
    found = json.loads(told[told.index("{") : told.rindex("}") + 1])
    assert isinstance(found, dict)
    return found


class TestSigned:
    def test_it_boots_under_secure_boot_and_locked_down(self, secure: Secure) -> None:
        assert "secure boot: on, lockdown: integrity" in secure.answers["machine"]
        told = _json(secure.answers["status json"])
        assert (told["secure_boot"], told["lockdown"], told["signed"]) == (True, "integrity", True)
        assert re.search(r"^secure boot +OK +on, lockdown: integrity", secure.answers["check"], re.M)

    def test_no_certificate_is_valid_yet(self, secure: Secure) -> None:
        assert secure.answers["year"].strip() == "1970"

    def test_nothing_is_amiss(self, secure: Secure) -> None:
        assert "LOCKDOWN-NONE" not in secure.console and "SECURE-BOOT-OFF" not in secure.console

    def test_a_vm_without_vsmmu_runs(self, secure: Secure) -> None:
        """By the manifest of an addon that the owner has signed."""
        assert f"-m size={MEMORY_MIB}M" in secure.answers["argv"]
        assert "demo| proof: done" in secure.console

    def test_the_owners_certificate_is_what_updates_are_verified_by(self, secure: Secure) -> None:
        want = (OUT.parent / "signed/certificate.pem").read_text().split()
        assert secure.answers["certificate"].split() == want
        assert "-----BEGIN CERTIFICATE-----" in secure.answers["certificate"]
        assert "PRIVATE" not in secure.answers["certificate"]

    def test_what_a_stranger_has_signed_is_not_there(self, secure: Secure) -> None:
        assert re.search(r"hvinit: foreign\.addon\.efi: .*\[ADDON-IGNORED\]", secure.console)
        assert "stranger" not in secure.answers["machine"]
        assert "unsigned.ko" in secure.answers["lab files"]

    def test_the_owners_addon_counts(self, secure: Secure) -> None:
        assert "manifest: from an addon for any host" in secure.answers["machine"]


class TestAddedWords:
    def test_they_are_there_and_nobody_heeds_them(self, secure: Secure) -> None:
        """PID 1 runs in spite of rdinit=, LoadPin and Landlock in spite of lsm=."""
        assert re.search(rf"lockdown=integrity -- {re.escape(ADDED)}", secure.answers["cmdline"])
        assert {"loadpin", "landlock", "lockdown"} <= set(secure.answers["lsm"].strip().split(","))
        assert re.search(r'read 3 words behind "--".*rdinit=\S+ ?.*\[CMDLINE-REST\]', secure.console)

    def test_the_word_that_only_takes_away_is_heeded(self, secure: Secure) -> None:
        assert "hvinit: demo:" not in secure.answers["safe"]

    def test_hvinits_own_are_ignored_too(self, secure: Secure) -> None:
        assert "hvinit.VM0_MEMORY_MIB=64 was ignored: Secure Boot is on [CMDLINE-OVERRIDE]" in (
            secure.console
        )


class TestModules:
    @pytest.mark.parametrize("kind", ["unsigned", "foreign", "altered"])
    def test_no_other_is_loaded(self, secure: Secure, kind: str) -> None:
        assert re.search(r"insmod: can't insert", secure.answers[kind]), secure.answers[kind]
        assert "status 0" not in secure.answers[kind]

    def test_the_kernel_says_why(self, secure: Secure) -> None:
        log = secure.answers["kernel log"]
        assert re.search(r"Lockdown: .*unsigned module loading is restricted", log)
        assert re.search(r"Loaded X\.509 cert 'the lab's owner: ", log)

    def test_each_of_the_images_own_is_loaded(self, secure: Secure) -> None:
        own = {name.replace("-", "_") for name in re.findall(r"/([\w-]+)\.ko", secure.answers["signed"])}
        loaded = re.findall(r"^(\w+) ", secure.answers["loaded"], re.MULTILINE)
        assert len(own) > 20 and sorted(own - set(loaded)) == []


@pytest.mark.parametrize("name", ["unsigned", "altered"])
def test_firmware_starts_no_other_image(secure: Secure, name: str) -> None:
    assert re.search(REFUSED, secure.refused[name]), secure.refused[name]
    assert "hvinit: init: started" not in secure.refused[name]
