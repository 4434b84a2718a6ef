# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest's DMA can reach, and who is told; the story is in dma.py."""

import hashlib
import json
import re

import pytest

from .dma import ATTACKER, BEYOND, PAGE, PATTERN, VICTIM, WINDOW, WORD, Dma, Target
from .topology import NEIGHBOURS

PLACE = next(place for place in NEIGHBOURS.places() if place.device.model == "edu")
MEMORY = ("kernel", "victim")  # targets that are memory
TARGETS = (*MEMORY, "nobody", "doorbell")
IN_A_BURST = 10  # faults that the kernel tells of one by one


def fault(address: int, access: str) -> str:
    """The kernel's lines about ACCESS of the attacker's device to ADDRESS, as a pattern."""
    return (
        rf"event: F_TRANSLATION client: {PLACE.bdf} sid: {PLACE.stream:#x} ssid: 0x0 "
        rf"iova: {address:#x} ipa: {address & -PAGE:#x}\n.* data {access} s2 "
    )


def faults(dma: Dma) -> tuple[dict[str, int], int]:
    """What the appliance has counted, by device; and how many had no name."""
    status = json.loads(dma.answers["status --json"])
    counts = {one["bdf"]: one["dma_faults"] for vm in status["vms"] for one in vm["hostdevs"]}
    return counts, status["dma_faults_unnamed"]


class TestControl:
    """The device does what it is told, with memory that is its guest's."""

    def test_it_reads(self, dma: Dma) -> None:
        own = dma.answers["own before"].strip()
        assert re.search(rf"control=ok other=\d+ zeros=\d+ came={own}\b", dma.answers["own read"])

    def test_it_writes(self, dma: Dma) -> None:
        written = PATTERN.to_bytes(4, "little").hex() * 4
        assert dma.answers["own after"].strip() == written != dma.answers["own before"].strip()

    def test_marker_is_where_it_is_looked_for(self, dma: Dma) -> None:
        """L0 finds the other guest's page at the address that the attacker aims at."""
        assert hashlib.sha256(dma.marker).hexdigest() in dma.answers["marker before"]
        assert dma.targets["victim"].before == dma.marker


@pytest.mark.parametrize("name", TARGETS)
class TestWord:
    def test_device_was_able_to(self, dma: Dma, name: str) -> None:
        assert "control=ok" in dma.targets[name].read
        assert "control=ok" in dma.targets[name].written

    def test_nothing_came(self, dma: Dma, name: str) -> None:
        assert dma.targets[name].came() == bytes(WORD)

    def test_kernel_tells_of_both(self, dma: Dma, name: str) -> None:
        for access in ("read", "write"):
            assert re.search(fault(dma.targets[name].address, access), dma.answers["kernel log"])


@pytest.mark.parametrize("name", MEMORY)
class TestMemory:
    def test_words_are_as_before(self, dma: Dma, name: str) -> None:
        self._as_before(dma.targets[name])

    def test_page_is_as_before(self, dma: Dma, name: str) -> None:
        self._as_before(dma.flooded[name])
        assert re.search(rf"control=ok other={PAGE} zeros={PAGE}\b", dma.flooded[name].read)

    @staticmethod
    def _as_before(target: Target) -> None:
        assert len(target.before) == PAGE and any(target.before)
        assert target.after == target.before


class TestDoorbell:
    """Interrupts come from devices that have an id, and this DMA has none."""

    def test_write_came_there_as_nobodys(self, dma: Dma) -> None:
        assert f"address={WINDOW:#x} count={WORD} control=ok" in dma.answers["window"]
        assert re.search(r"its_translation_write .*requester_id 0x0\b", dma.doorbell)

    def test_it_was_refused(self, dma: Dma) -> None:
        assert "invalid command attributes: invalid dte for 0" in dma.doorbell

    def test_others_go_on(self, dma: Dma) -> None:
        victim = NEIGHBOURS.places(VICTIM)[0].stream
        assert f"requester_id {victim:#x}\n" in dma.doorbell


class TestStage1:
    """What the guest's own stage refuses is the guest's to know."""

    def test_guest_is_told(self, dma: Dma) -> None:
        said = r"event: F_TRANSLATION client: \S+ sid: .*\n.* data (read|write) s1 "
        assert re.search(said, dma.answers["guest's log"])

    def test_nothing_came(self, dma: Dma) -> None:
        assert "control=ok other=4 zeros=4 came=00000000\n" in dma.answers["beyond"]
        # Not even the device's own memory can be filled or looked at.
        assert "control=failed" in dma.answers["stage 1"]

    def test_appliance_has_nothing_to_say(self, dma: Dma) -> None:
        assert f"{BEYOND:#x}" not in dma.answers["kernel log"]
        assert " s1 " not in dma.answers["kernel log"]


class TestTold:
    def test_vm_is_named(self, dma: Dma) -> None:
        said = rf"hvinit: {PLACE.bdf}: carry out DMA of {ATTACKER} \(1 fault\): F_TRANSLATION "
        assert re.search(rf"{said}.*\[DMA-FAULT\]", dma.shown)

    def test_each_is_counted(self, dma: Dma) -> None:
        counts, unnamed = faults(dma)
        named = counts.pop(PLACE.bdf)
        assert named >= 2 * len(TARGETS) + IN_A_BURST
        words = len(TARGETS) + len(dma.flooded) * PAGE // WORD
        assert named + unnamed == 2 * words
        assert set(counts.values()) == {0}

    def test_metrics_have_the_same(self, dma: Dma) -> None:
        counts, unnamed = faults(dma)
        said = dma.answers["metrics"].splitlines()
        assert f"hvinit_dma_faults_unnamed_total {unnamed}" in said
        labels = f'vm="{ATTACKER}",hostdev="0",bdf="{PLACE.bdf}"'
        assert f"hvinit_device_dma_faults_total{{{labels}}} {counts[PLACE.bdf]}" in said

    def test_console_is_not_flooded(self, dma: Dma) -> None:
        assert not re.search(r"arm-smmu-v3\.\S+: .*(event|0x0000|unpriv)", dma.shown)
        assert "suppressed" not in dma.shown
        assert 1 <= dma.shown.count("[DMA-FAULT]") <= 4


class TestBystanders:
    def test_data_flows(self, dma: Dma) -> None:
        assert dma.answers["flow"].split() == ["it", "flows"]
        drive = NEIGHBOURS.places(VICTIM)[0].device.name
        assert dma.machine.disks[drive].data_sha256() in dma.answers["data"]

    def test_marker_is_as_before(self, dma: Dma) -> None:
        assert dma.answers["marker after"] == dma.answers["marker before"]

    def test_both_vms_run_as_before(self, dma: Dma) -> None:
        for vm in (VICTIM, ATTACKER):
            row = rf"^{vm}\s+running\s+\d+ s\s+(\d+)\s+1\s"
            before, after = (
                re.findall(row, dma.answers[f"status {when}"], re.MULTILINE)
                for when in ("before", "after")
            )
            assert before == after and len(after) == 1
        assert "it lives" in dma.answers["attacker lives"]

    def test_kernel_has_no_complaint(self, dma: Dma) -> None:
        assert not re.search(r"Oops|BUG:|WARNING:|SError|Kernel panic", dma.answers["kernel log"])
