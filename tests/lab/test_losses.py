# SPDX-License-Identifier: GPL-2.0-or-later
"""What the appliance makes of what a running VM loses; the story is in losses.py."""

import re

from .losses import DRIVE, SLOT, Losses
from .topology import LOSSES

BDF = LOSSES.places()[SLOT].bdf


class TestDrive:
    def test_it_was_in_use(self, losses: Losses) -> None:
        assert re.search(r"dd: .*\b(No such device|Input/output error|No such file)",
                         losses.answers["end of the flow"])  # fmt: skip

    def test_guest_and_appliance_let_go(self, losses: Losses) -> None:
        assert DRIVE not in losses.answers["guest without"]
        assert f"device {BDF} is gone: it was removed" in losses.console
        # In the list of devices there are, and then among those that are in a VM's way.
        listed = losses.answers["devices without"]
        assert not re.search(rf"^{BDF}", listed, re.MULTILINE) or f"{BDF} of demo is gone" in listed

    def test_it_is_given_back_to_the_guest(self, losses: Losses) -> None:
        assert losses.machine.disks[DRIVE].data_sha256() in losses.answers["guest with"]


class TestErrors:
    def test_link_is_of_the_card_below_the_port(self, losses: Losses) -> None:
        card = LOSSES.places()[SLOT - 1].bdf
        assert re.search(rf"{card}: trust device of demo \(1 error\): pcieport .*AER: Correctable",
                         losses.console)  # fmt: skip

    def test_memory_is_of_the_vm(self, losses: Losses) -> None:
        assert re.search(r"trust memory of demo \(1 error\): Memory failure: 0x[0-9a-f]+: "
                         r"Sending SIGBUS to qemu", losses.console)  # fmt: skip

    def test_vm_goes_on_without_the_page(self, losses: Losses) -> None:
        assert re.search(r"demo\s+running", losses.answers["status after"])
        assert "it lives" in losses.answers["guest after"]


class TestCritical:
    def test_machine_reboots_in_order(self, losses: Losses) -> None:
        told = losses.console.index("it is critical and has failed, so the machine reboots")
        assert losses.console.index("hvinit: host: reboot", told) < losses.console.index(
            "hvinit: init: started", told
        )

    def test_but_only_so_many_times_a_day(self, losses: Losses) -> None:
        assert "stays as it is: it has done so 1 times within a day" in losses.console
        assert losses.console.count("hvinit: init: started") == 2

    def test_the_boot_counts_as_failed(self, losses: Losses) -> None:
        assert "failed in a row: 1" in losses.answers["status of the second boot"]
