# SPDX-License-Identifier: GPL-2.0-or-later
"""What the appliance has to do in the lab; the stories are in stories.py."""

import json
import re
from pathlib import Path

import pytest
from image import parts

from . import addon, config, desk, esp, golden
from .proof import Check
from .stories import GHOST, LACKING, OPTIONAL, PASSTHROUGH, UNMANAGED, WRONG, Seen
from .topology import EIGHT

DEVICE_DESCRIPTORS = re.compile(r"/dev/vfio|/dev/iommu|iommufd|vfio-device|/dev/kvm|kvm-")


def failed(checks: list[Check]) -> list[str]:
    return [f"{check.name}: {check.found}" for check in checks if not check.passed]


class TestProof:
    def test_guest_reaches_its_drives_through_its_own_smmus(self, first_light: Seen) -> None:
        assert first_light.checks and not failed(first_light.checks)

    def test_lab_boots_the_product_byte_for_byte(self, first_light: Seen, product: Path) -> None:
        assert esp.read_product(first_light.machine.boot_image) == product.read_bytes()

    def test_host_driver_never_met_a_device_of_the_manifest(self, first_light: Seen) -> None:
        log = first_light.answers["kernel log"]
        met = re.findall(r"nvme nvme\d+: pci function (\S+?)[\r\n]", log)
        assert len(met) == 1, "the nvme driver has the boot drive and nothing else"
        assert met[0] not in {place.bdf for place in first_light.machine.topology.places()}
        for place in first_light.machine.topology.places():
            assert not re.search(rf"nvme {place.bdf}", log)


class TestKilledQemu:
    def test_pid1_reports_it(self, first_light: Seen) -> None:
        assert re.search(r"signal 9|SIGKILL|[Kk]illed", first_light.answers["killed"])

    @pytest.mark.parametrize("when", ["fds running", "fds killed"])
    def test_pid1_holds_no_device(self, first_light: Seen, when: str) -> None:
        listing = first_light.answers[when]
        assert "->" in listing
        assert not DEVICE_DESCRIPTORS.search(listing), listing

    def test_it_starts_again_and_proves_itself_anew(self, first_light: Seen) -> None:
        assert first_light.again and not failed(first_light.again)
        assert "running" in first_light.answers["status again"]


class TestConfinement:
    """Of the real QEMU, with devices and vSMMUs; what it is good for is told by walls.py."""

    def test_all_walls_stand(self, first_light: Seen) -> None:
        told = first_light.answers["status json"]
        vm = json.loads(told[told.index("{") : told.rindex("}") + 1])["vms"][0]
        assert vm["confinement"]["user"] == 64000
        assert {name for name, stands in vm["confinement"]["walls"].items() if not stands} == set()

    def test_qemu_asks_for_nothing_it_may_not_have(self, first_light: Seen) -> None:
        assert "CALL-DENIED" not in first_light.console
        assert '"calls_denied": 0' in first_light.answers["status json"]

    def test_limits_leave_room(self, first_light: Seen, record_property: object) -> None:
        """What QEMU and its tables take is half of what they may, at most."""
        text = first_light.answers["charged"]
        figures = dict(re.findall(r"==> (\S+) <==\s+(\d+)", text))
        assert set(figures) == {"memory.peak", "memory.max", "pids.peak", "pids.max"}
        for name, value in figures.items():
            record_property(name, value)  # type: ignore[operator]
        guest = int(config.value("VM0_MEMORY_MIB")) << 20
        taken, allowed = (int(figures[f"memory.{which}"]) - guest for which in ("peak", "max"))
        assert taken < allowed / 2
        assert int(figures["pids.peak"]) < int(figures["pids.max"]) / 2


def test_power_off_is_orderly(first_light: Seen) -> None:
    console = first_light.console
    order = ["demo| demo: power button pressed", "hvinit: demo: stopped", "hvinit: host: power off"]
    places = [console.rfind(words) for words in order]
    assert -1 not in places and places == sorted(places), dict(zip(order, places))
    assert "did not obey" not in console


def registers(record: str) -> dict[str, str]:
    """What each SMMU of a record has said of itself."""
    return dict(re.findall(r"^smmu (\S+) .*?(idr=.*?)\r?$", record, re.MULTILINE))


class TestRecord:
    def test_probe_asks_every_smmu(self, eight: Seen) -> None:
        assert "idr=" not in eight.answers["record"]
        assert len(registers(eight.answers["record probed"])) == len(EIGHT.smmus)

    def test_probe_leaves_everything_as_it_was(self, eight: Seen) -> None:
        assert eight.answers["record after probe"] == eight.answers["record"]
        assert "driver=vfio-pci" not in eight.answers["record"]

    def test_running_guests_tell_the_same(self, eight: Seen) -> None:
        """The answers of a QEMU's iommufd, of which nobody says whose they are, are the right ones."""
        told = registers(eight.answers["record running"])
        assert told == registers(eight.answers["record probed"])


class TestEight:
    def test_both_guests_reach_every_device_through_their_own_smmus(self, eight: Seen) -> None:
        assert eight.checks and not failed(eight.checks)

    def test_vm_starts_without_a_device_that_it_can_do_without(self, eight: Seen) -> None:
        manifest = eight.machine.manifest.read_text()
        slot = re.search(rf'^VM0_(HOSTDEV\d+)_BDF="{GHOST}"$', manifest, re.MULTILINE)
        assert slot and f"VM0_{slot[1]}_OPTIONAL=y" in manifest
        assert re.search(rf"{OPTIONAL}\s+running", eight.answers["status"])
        words = " ".join(eight.running[OPTIONAL])
        assert f'"id":"{slot[1].lower()}"' not in words
        assert words.count('"vfio-pci"') == len(EIGHT.places(OPTIONAL))

    def test_unmanaged_device_is_left_as_it_was(self, eight: Seen) -> None:
        """It was in a VM, which its drive's proof tells, and that VM has ended."""
        assert any(check.name.startswith(UNMANAGED.device.name) for check in eight.checks)
        assert re.search(rf"hvinit: {UNMANAGED.device.vm}: stopped", eight.console)
        driver, override = eight.answers["unmanaged"].split()
        assert driver.endswith("/vfio-pci") and override == "(null)"


@pytest.mark.parametrize(
    "story, vm",
    [("eight", "alpha"), ("eight", "beta"), ("own_firmware", "demo"), ("control", "demo")],
)
def test_qemu_runs_with_the_words_foretold(
    request: pytest.FixtureRequest, story: str, vm: str
) -> None:
    """By the appliance, and at a desk that has the appliance's record."""
    seen = request.getfixturevalue(story)
    assert f"guest={vm}" in seen.running[vm]
    assert seen.running[vm] == seen.argv[vm] == seen.desk_argv[vm]


@pytest.mark.parametrize(
    "story, case", [("own_firmware", "seed"), ("control", "libvirt-early-merged")]
)
def test_golden_topology_starts_qemu(
    request: pytest.FixtureRequest, story: str, case: str
) -> None:
    """The seed's example, in its own words and in those that libvirt merged."""
    running = request.getfixturevalue(story).running["demo"]
    assert golden.topology(running) == golden.expected(case)


class TestCheck:
    @pytest.mark.parametrize("story", ["eight", "own_firmware"])
    def test_desk_and_appliance_agree(self, request: pytest.FixtureRequest, story: str) -> None:
        answers = request.getfixturevalue(story).answers
        assert answers["check"].strip() == answers["check at the desk"].strip()

    def test_acceleration_is_said_to_be_possible(self, own_firmware: Seen) -> None:
        """Where it was proved to work."""
        told = own_firmware.answers["check"]
        assert re.search(r"^accelerated vSMMUv3 +OK +possible\r?$", told, re.MULTILINE), told

    def test_desk_finds_what_the_appliance_finds(self, control: Seen) -> None:
        """But for a file that is not in the image: a record has no files."""
        there, here = (desk.findings(control.answers[at]) for at in ("check", "check at the desk"))
        wrong = {code for code, _ in WRONG.values()} - {"MACHINE-NONE", "QEMU-REFUSED"}
        assert {code for _, code in there} >= wrong
        assert {code for _, code in there - here} == {"FILE-NONE"} and not here - there


class TestOwnFirmware:
    def test_guest_reaches_its_drives_through_its_own_smmus(self, own_firmware: Seen) -> None:
        assert own_firmware.checks and not failed(own_firmware.checks)

    def test_firmware_found_the_loader_on_the_passed_through_drive(
        self, own_firmware: Seen
    ) -> None:
        assert re.search(r"demo\| BdsDxe: starting Boot\w+ .* LAB0 .*NVMe\(", own_firmware.console)

    def test_host_gives_no_kernel(self, own_firmware: Seen) -> None:
        words = own_firmware.running["demo"]
        assert "-bios" in words and not {"-kernel", "-initrd", "-append"} & set(words)

    def test_words_of_either_dialect_start_qemu(self, own_firmware: Seen, eight: Seen) -> None:
        """The seed gives vfio-pci a "host" beside the descriptor, what libvirt merged does not."""
        seed, merged = " ".join(own_firmware.running["demo"]), " ".join(eight.running["alpha"])
        assert '"host":' in seed and '"id":"smmuv3.0"' in seed
        assert '"host":' not in merged and '"id":"iommu0"' in merged


class TestControl:
    def test_bypass_in_the_guest_fails_the_proof(self, control: Seen) -> None:
        wrong = failed(control.checks)
        assert PASSTHROUGH in control.machine.log.with_name("manifest.addon.config").read_text()
        for place in control.machine.topology.places():
            name = place.device.name
            assert any(line.startswith(f"{name}: group translates") for line in wrong), wrong
            assert any(line.startswith(f"{name}: both stages walked") for line in wrong), wrong

    def test_bypass_is_caught_though_the_data_is_right(self, control: Seen) -> None:
        first = control.machine.topology.places()[0].device.name
        wrong = failed(control.checks)
        right = (f"{first}: hash read", f"{first}: answer written")
        assert not [line for line in wrong if line.startswith(right)]

    def test_drive_without_header_is_never_written_to(self, control: Seen) -> None:
        assert control.answers["foreign before"] == control.answers["foreign after"]
        assert "why=no-lab-header-so-nothing-was-written" in control.console


@pytest.mark.parametrize("name", WRONG)
class TestWrongVm:
    def test_it_fails_with_its_code_and_a_remedy(self, control: Seen, name: str) -> None:
        code, changes = WRONG[name]
        slot = list(WRONG).index(name) + 1
        about = rf"(?:VM{slot}_\w+|{name}|{changes.get('HOSTDEV0_BDF', name)})"
        assert re.search(rf"hvinit: {about}: [^\n]*\[{code}\]", control.console)
        assert re.search(rf"\[{code}\]\s+(?:\S[^\n]*\n)*?[^\n]*hvinit: remedy: ", control.console)
        assert re.search(rf"hvinit: {name}: failed: ", control.console)


@pytest.mark.parametrize("file", LACKING)
def test_machine_lacks_what_a_vm_needs(first_light: Seen, file: str) -> None:
    assert "failed" in first_light.answers[file]
    assert f"[{LACKING[file]}]" in first_light.console


def test_the_drive_that_was_booted_from_is_not_given_away(control: Seen) -> None:
    """Though it is reserved, so that no driver has shown its partitions."""
    bare = WRONG["bare"][1]["HOSTDEV0_BDF"]
    lines = [line for line in control.console.splitlines() if "[DEV-HOST]" in line]
    assert any(bare in line and "booted from" in line for line in lines), lines


class TestMissingDevice:
    def test_diagnostic_names_symbol_and_device(self, control: Seen) -> None:
        lines = [line for line in control.console.splitlines() if "[DEV-NONE]" in line]
        assert any("VM1_HOSTDEV0_BDF" in line and GHOST in line for line in lines), lines
        assert "hvinit: remedy: " in control.console

    def test_vm_is_failed_and_the_other_runs(self, control: Seen) -> None:
        status = control.answers["status"]
        assert re.search(r"ghost\s+(failed|invalid)", status)
        assert re.search(r"demo\s+running", status)


class TestNoNesting:
    def test_check_foretells_it(self, no_nesting: Seen) -> None:
        assert re.search(r"no S2FWB and .* declares no CANWBS \[NO-NESTING\]", no_nesting.console)

    def test_check_says_why_in_words(self, no_nesting: Seen) -> None:
        told = no_nesting.answers["acceleration"].splitlines()[0].strip()
        assert re.fullmatch(r"FAIL +not possible: smmu3\.0x\w+: the SMMU has no S2FWB and .* no CANWBS", told), told

    def test_diagnostic_keeps_qemus_own_words(self, no_nesting: Seen) -> None:
        assert re.search(r"IOMMU_VIOMMU_ALLOC failed.*\[NO-NESTING\]", no_nesting.console)
        assert "IOMMU_VIOMMU_ALLOC failed" in no_nesting.answers["log"]

    def test_vm_is_failed_and_the_console_alive(self, no_nesting: Seen) -> None:
        assert re.search(r"demo\s+failed", no_nesting.answers["status"])


def test_unattended_trip_measures_times(unattended: Seen, record_property: object) -> None:
    assert not failed(unattended.checks)
    times = list(unattended.times.values())
    assert None not in times, unattended.times
    assert times == sorted(times, key=lambda seconds: seconds or 0)
    for message, seconds in unattended.times.items():
        record_property(message, seconds)  # type: ignore[operator]


def test_nothing_of_the_override_is_in_the_product(product: Path) -> None:
    sections = addon.ukify("inspect", str(product), "--all")
    assert ".linux:" in sections and ".ucode:" not in sections
    assert parts.archives() and all(one.read_bytes() in parts.initrd() for one in parts.archives())
    names = {name.lstrip("/") for name in parts.files()}
    assert {"init", "etc/hvinit/manifest"} <= names
    assert not [name for name in names if name.startswith("kernel/")]
