# SPDX-License-Identifier: GPL-2.0-or-later
"""Which manifest a machine has, of those in one image and beside it; the story is in hosts.py."""

import json
import re

import pytest

from .hosts import FIRST, SECOND, SECTOR, TURNED, Hosts

# Which VM each chapter's machine starts, where its manifest is from, and the machine's UUID.
STARTED = {
    "first": ("alpha", "built-in", FIRST),
    "neither": ("common", "default", TURNED),
    "second": ("beta", "built-in", SECOND),
    "addon": ("gamma", "addon", FIRST),
}
REFUSED = {"two": ("ADDON-TWO", "none"), "future": ("MANIFEST-FORMAT", "addon")}


@pytest.mark.parametrize("chapter", STARTED)
class TestStarted:
    def test_it_has_its_own_vm_and_no_other(self, hosts: Hosts, chapter: str) -> None:
        assert {STARTED[chapter][0]} == set(re.findall(r"hvinit: (\w+): exec QEMU", hosts.consoles[chapter]))

    def test_status_tells_where_it_is_from(self, hosts: Hosts, chapter: str) -> None:
        status = json.loads(hosts.status[chapter])
        assert (status["manifest"], status["uuid"]) == STARTED[chapter][1:]
        assert f"UUID of this machine: {STARTED[chapter][2]}" in hosts.answers[f"{chapter}: status"]


@pytest.mark.parametrize("vm", ["alpha", "beta", "common"])
def test_disk_has_large_sectors(hosts: Hosts, vm: str) -> None:
    assert hosts.answers[f"{vm}: sector"].strip() == str(SECTOR)


def test_addon_for_another_host_is_told_of(hosts: Hosts) -> None:
    assert re.search(rf"as for \"{FIRST}\"; this one is {SECOND} \[ADDON-OTHER\]", hosts.consoles["second"])
    assert "ADDON-OTHER" not in hosts.consoles["addon"]


def test_other_order_of_bytes_is_told_of(hosts: Hosts) -> None:
    said = rf"there is one for {FIRST}, but this is {TURNED} \[HOST-UUID\]"
    assert re.search(said, hosts.consoles["neither"])
    assert "HOST-UUID" not in hosts.consoles["first"]


def test_addon_that_was_not_loaded_is_told_of(hosts: Hosts) -> None:
    assert re.search(r"hvinit: foreign\.addon\.efi: .* \[ADDON-IGNORED\]", hosts.consoles["addon"])
    assert hosts.consoles["addon"].count("[ADDON-IGNORED]") == 1
    assert "[ADDON-IGNORED]" not in hosts.consoles["first"] + hosts.consoles["second"]


@pytest.mark.parametrize("chapter", REFUSED)
class TestRefused:
    def test_no_vm_is_started(self, hosts: Hosts, chapter: str) -> None:
        console = hosts.consoles[chapter]
        assert f"[{REFUSED[chapter][0]}]" in console
        assert "safe mode: no VM is started" in console
        assert "exec QEMU" not in console

    def test_status_tells_it(self, hosts: Hosts, chapter: str) -> None:
        status = json.loads(hosts.status[chapter])
        assert (status["manifest"], status["vms"]) == (REFUSED[chapter][1], [])

    def test_check_tells_it_again(self, hosts: Hosts, chapter: str) -> None:
        assert f"[{REFUSED[chapter][0]}]" in hosts.answers[f"{chapter}: check"]


def test_manifest_that_was_chosen_is_shown(hosts: Hosts) -> None:
    assert "none can be taken" in hosts.answers["two: manifest"]
    assert "# hvinit manifest 2" in hosts.answers["future: manifest"]
