# SPDX-License-Identifier: GPL-2.0-or-later
"""What L0 is made of: SMMUs, each on its own host bridge, and the devices behind them."""

from dataclasses import dataclass

FIRST_SMMU_BASE = 0x0C000000  # QEMU's platform bus, where pluggable SMMUs are put in order
SMMU_SPACING = 0x20000


@dataclass(frozen=True)
class Device:
    """An NVMe drive; NAME is its serial number, by which the guest tells drives apart."""

    name: str


@dataclass(frozen=True)
class Place:
    """Where the appliance sees a device, and the stream ID that its SMMU sees."""

    device: Device
    bdf: str
    stream: int
    smmu: str


@dataclass(frozen=True)
class Smmu:
    """One SMMUv3 that translates the host bridge whose bus number is BUS_NR."""

    bus_nr: int
    devices: tuple[Device, ...]


@dataclass(frozen=True)
class Topology:
    name: str
    smmus: tuple[Smmu, ...]

    def places(self) -> list[Place]:
        """Every device, in the order of its bus number: firmware numbers root ports in turn."""
        found = []
        for number, smmu in enumerate(self.smmus):
            name = f"smmu3.0x{FIRST_SMMU_BASE + number * SMMU_SPACING:016x}"
            for index, device in enumerate(smmu.devices):
                bus = smmu.bus_nr + 1 + index
                found.append(Place(device, f"0000:{bus:02x}:00.0", bus << 8, name))
        return found

    def qemu_words(self) -> list[str]:
        """L0's devices. The drive of device D is the block device "drive-D"."""
        words: list[str] = []
        ports = 0
        for number, smmu in enumerate(self.smmus):
            bridge = f"bridge{number}"
            words += ["-device", f"pxb-pcie,id={bridge},bus_nr={smmu.bus_nr},bus=pcie.0"]
            words += ["-device", f"arm-smmuv3,primary-bus={bridge},id=smmu{number},stage=nested"]
            for device in smmu.devices:
                ports += 1
                port = f"port{ports}"
                drive = f"drive=drive-{device.name},serial={device.name}"
                words += ["-device", f"pcie-root-port,id={port},chassis={ports},bus={bridge}"]
                words += ["-device", f"nvme,{drive},bus={port}"]
        return words


FIRST_LIGHT = Topology(
    "first-light",
    (Smmu(0x40, (Device("LAB0"),)), Smmu(0x80, (Device("LAB1"),))),
)

TOPOLOGIES = {FIRST_LIGHT.name: FIRST_LIGHT}
