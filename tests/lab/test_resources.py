# SPDX-License-Identifier: GPL-2.0-or-later
"""What VMs have to get of the host; the story is in resources.py."""

import re

import pytest

from .resources import READ_BLOCK, SHARED, WRITE_BLOCK, Resources


def test_order_of_starts(resources: Resources) -> None:
    ready, waited = resources.place("alpha: running"), resources.place("beta: starting")
    assert -1 < resources.place("alpha: starting") < ready < waited


class TestHugePages:
    def test_alpha_has_its_pages(self, resources: Resources) -> None:
        assert resources.answers["huge pages"].split() == ["128", "0"]

    def test_shortage_is_the_greedy_vms_alone(self, resources: Resources) -> None:
        line = r"hvinit: VM2_HUGEPAGES: reserve 2 pages of 1048576 KiB on NUMA node 1: .*"
        assert re.search(line + r"\[HUGE-SHORT\]", resources.console)
        assert re.search(r"greedy\s+failed", resources.answers["status"])
        assert "greedy: starting" not in resources.console

    def test_memory_is_bound(self, resources: Resources) -> None:
        alpha, beta = resources.answers["alpha memory"], resources.answers["beta memory"]
        assert re.search(r"bind:1 .*huge.*N1=\d+ kernelpagesize_kB=2048", alpha)
        assert re.search(r"bind:0 .*N0=\d+ kernelpagesize_kB=4", beta)
        assert "N0=" not in alpha and "N1=" not in beta


class TestCpus:
    def test_threads_stay_on_their_cpus(self, resources: Resources) -> None:
        for vm, cpu in (("alpha", "1"), ("beta", "0")):
            lines = resources.answers[f"{vm} threads"]
            threads = re.findall(r"^(.*) = (\S+)$", lines, re.MULTILINE)
            assert len(threads) > 2
            assert {cpus for _, cpus in threads} == {cpu}, threads

    def test_every_virtual_cpu_is_known(self, resources: Resources) -> None:
        assert "VCPU-PIN" not in resources.console
        names = re.findall(r"CPU (\d)/KVM", resources.answers["beta threads"])
        assert sorted(names) == ["0", "1"]


class TestDisks:
    def test_guest_read_the_partition(self, resources: Resources) -> None:
        disk = resources.said("alpha", "disk")[0]
        assert disk == {"ro": "0", "text": resources.disk_block(READ_BLOCK)}

    def test_guest_wrote_to_it(self, resources: Resources) -> None:
        assert resources.disk_block(WRITE_BLOCK) == resources.nonce

    def test_read_only_file(self, resources: Resources) -> None:
        disk = resources.said("beta", "disk")[0]
        assert disk == {"ro": "1", "text": SHARED.replace(" ", "_")}


class TestNetwork:
    def test_taps_and_uplink_are_on_the_bridge(self, resources: Resources) -> None:
        *ports, mtu = resources.answers["bridge"].split()
        assert {"vm0net0", "vm1net0"} < set(ports) and len(ports) == 3
        assert mtu == "1400"

    @pytest.mark.parametrize("vm, other", [("alpha", "beta"), ("beta", "alpha")])
    def test_frames_cross_the_bridge(self, resources: Resources, vm: str, other: str) -> None:
        mine, theirs = resources.frames(vm), resources.frames(other)
        assert mine["nonce"] == resources.nonce
        assert mine["sent"] == mine["back"] == theirs["got"]


class TestRestart:
    def test_killed_and_started_again(self, resources: Resources) -> None:
        failed, again = r"hvinit: alpha: failed: [^\n]*signal 9", r"hvinit: alpha: starting"
        assert re.search(rf"{failed}[\s\S]*{again}", resources.answers["log"])
        assert re.search(r"alpha\s+running\s+\d+ s\s+\d+\s+2\b", resources.answers["status again"])

    def test_variables_are_kept(self, resources: Resources) -> None:
        said = resources.said("alpha", "variables")
        assert said == [{"kept": "0", "stored": "yes"}, {"kept": "1", "stored": "yes"}]

    def test_volatile_ones_are_not_on_the_disk(self, resources: Resources) -> None:
        assert "alpha" in resources.state("ls", "/") and "beta" not in resources.state("ls", "/")


class TestState:
    def test_only_root_can_read_variables(self, resources: Resources) -> None:
        stat = resources.state("stat", "/alpha/vars.fd")
        assert re.search(r"Type: regular\s+Mode:\s+0600", stat)
        assert re.search(r"User:\s+0\b", stat) and re.search(r"Size: 67108864\b", stat)

    def test_mounted_without_trust(self, resources: Resources) -> None:
        mount = resources.answers["mounts"].split()
        assert mount[1:3] == ["/var/lib/hvinit", "ext4"]
        assert {"nosuid", "nodev", "noexec"} < set(mount[3].split(","))

    def test_shutdown_left_it_clean(self, resources: Resources) -> None:
        stats = resources.state("stats")
        assert re.search(r"Filesystem state:\s+clean\n", stats)
        assert "needs_recovery" not in stats


def test_guest_sees_generic_initiators(resources: Resources) -> None:
    nodes = resources.said("alpha", "nodes")[0]
    assert nodes == {"memory": "0", "initiators": "1-2"}


def test_no_qemu_asks_for_what_it_may_not_have(resources: Resources) -> None:
    assert "CALL-DENIED" not in resources.console
