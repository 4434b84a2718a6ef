# SPDX-License-Identifier: GPL-2.0-or-later
"""What L0 is made of: SMMUs, each on its own host bridge, and the devices behind them."""

from collections.abc import Iterator
from dataclasses import dataclass

FIRST_SMMU_BASE = 0x0C000000  # QEMU's platform bus, where pluggable SMMUs are put in order
SMMU_SPACING = 0x20000

# The PCI driver that a guest has for each model of device; a VF is "igbvf".
DRIVERS = {"nvme": "nvme", "e1000e": "e1000e", "virtio-net-pci": "virtio-pci", "igbvf": "igbvf"}
MODEL_WORDS = {"virtio-net-pci": ",iommu_platform=on,disable-legacy=on"}

# Where an igb has its virtual functions (QEMU, hw/net/igb_common.h): IGB_VF_OFFSET, _STRIDE.
VF_OFFSET = 0x80
VF_STRIDE = 2


@dataclass(frozen=True)
class Device:
    """A PCI function. NAME is a drive's serial number, by which the guest tells drives apart.

    VM gets it; the appliance itself keeps one that no VM gets. Network cards of one LINK share a
    wire, or the switch in their physical function, whose virtual ones are VFS.
    """

    name: str
    model: str = "nvme"
    vm: str = "demo"
    link: str = ""
    vfs: tuple["Device", ...] = ()

    @property
    def is_drive(self) -> bool:
        return self.model == "nvme"


@dataclass(frozen=True)
class Place:
    """Where the appliance sees a device, and the stream ID that its SMMU sees. A virtual function
    is number VF of the physical one at PF."""

    device: Device
    bdf: str
    stream: int
    smmu: str
    pf: str = ""
    vf: int = 0


@dataclass(frozen=True)
class Smmu:
    """One SMMUv3 that translates the host bridge whose bus number is BUS_NR."""

    bus_nr: int
    devices: tuple[Device, ...]


def _places(device: Device, bus: int, smmu: str) -> Iterator[Place]:
    pf = f"0000:{bus:02x}:00.0"
    if device.vm:
        yield Place(device, pf, bus << 8, smmu)
    for number, vf in enumerate(device.vfs):
        devfn = VF_OFFSET + number * VF_STRIDE
        bdf = f"0000:{bus:02x}:{devfn >> 3:02x}.{devfn & 7}"
        yield Place(vf, bdf, bus << 8 | devfn, smmu, pf, number)


@dataclass(frozen=True)
class Topology:
    name: str
    smmus: tuple[Smmu, ...]

    def places(self, vm: str = "") -> list[Place]:
        """Every device that a VM gets, or those of VM, in the order of its bus number: firmware
        numbers root ports in turn."""
        found: list[Place] = []
        for number, smmu in enumerate(self.smmus):
            name = f"smmu3.0x{FIRST_SMMU_BASE + number * SMMU_SPACING:016x}"
            for bus, device in enumerate(smmu.devices, smmu.bus_nr + 1):
                found += _places(device, bus, name)
        return [place for place in found if vm in ("", place.device.vm)]

    def vms(self) -> list[str]:
        return sorted({place.device.vm for place in self.places()})

    def drives(self) -> list[str]:
        return [place.device.name for place in self.places() if place.device.is_drive]

    def links(self) -> list[tuple[Place, Place]]:
        """The two ends of each link between network cards."""
        ends: dict[str, list[Place]] = {}
        for place in self.places():
            if place.device.link:
                ends.setdefault(place.device.link, []).append(place)
        return [(one, other) for one, other in ends.values()]

    def qemu_words(self) -> list[str]:
        """L0's devices. The drive of device D is the block device "drive-D"."""
        words: list[str] = []
        ports = 0
        hubs: list[str] = []
        for number, smmu in enumerate(self.smmus):
            bridge = f"bridge{number}"
            words += ["-device", f"pxb-pcie,id={bridge},bus_nr={smmu.bus_nr},bus=pcie.0"]
            words += ["-device", f"arm-smmuv3,primary-bus={bridge},id=smmu{number},stage=nested"]
            for device in smmu.devices:
                ports += 1
                port = f"port{ports}"
                words += ["-device", f"pcie-root-port,id={port},chassis={ports},bus={bridge}"]
                if device.is_drive:
                    words += _drive(device, port)
                elif device.model == "edu":
                    words += _edu(device, port)
                else:
                    words += _card(device, port, hubs)
        return words


def _drive(device: Device, port: str) -> list[str]:
    words = f"nvme,id={device.name},drive=drive-{device.name},serial={device.name},bus={port}"
    return ["-device", words]


def _edu(device: Device, port: str) -> list[str]:
    """Its own limit of 28 bits would keep it from most of the addresses that there are."""
    return ["-device", f"edu,id={device.name},dma_mask=0xffffffffffffffff,bus={port}"]


def _card(device: Device, port: str, hubs: list[str]) -> list[str]:
    """A network card; HUBS are the links so far, each a hub. Option ROMs are for another CPU."""
    link = device.link or device.name
    if link not in hubs:
        hubs.append(link)
    net = f"net-{device.name}"
    model = f"{device.model},id={device.name},netdev={net},romfile=,bus={port}{MODEL_WORDS.get(device.model, '')}"
    return ["-netdev", f"hubport,id={net},hubid={hubs.index(link)}", "-device", model]


FIRST_LIGHT = Topology(
    "first-light",
    (Smmu(0x40, (Device("LAB0"),)), Smmu(0x80, (Device("LAB1"),))),
)

# Eight functions for two VMs. Two SMMUs have devices of one VM alone, two have devices of both.
EIGHT = Topology(
    "eight",
    (
        Smmu(0x40, (Device("LAB0", vm="alpha"), Device("net0", "e1000e", "alpha", "wire"))),
        Smmu(0x60, (Device("LAB1", vm="beta"), Device("net1", "virtio-net-pci", "beta", "wire"))),
        Smmu(
            0x80,
            (
                Device(
                    "pf0",
                    "igb",
                    vm="",
                    vfs=(
                        Device("vf0", "igbvf", "alpha", "switch"),
                        Device("vf1", "igbvf", "beta", "switch"),
                    ),
                ),
            ),
        ),
        Smmu(0xA0, (Device("LAB2", vm="alpha"), Device("LAB3", vm="beta"))),
    ),
)


# What one VM can lose: beside the drives a card whose errors are reported.
LOSSES = Topology(
    "losses",
    (Smmu(0x40, (Device("LAB0"), Device("net0", "e1000e"))), Smmu(0x80, (Device("LAB1"),))),
)

# A device that does DMA wherever its guest says, and behind the same SMMU what another VM has.
NEIGHBOURS = Topology(
    "neighbours",
    (
        Smmu(
            0x40,
            (Device("edu0", "edu", vm="attacker"), Device("LAB0", vm="attacker"), Device("LAB1")),
        ),
    ),
)


def spread(drives: int) -> Topology:
    """So many drives of one VM, behind four SMMUs at most."""
    smmus = min(drives, 4)
    behind = [range(number, drives, smmus) for number in range(smmus)]
    return Topology(
        f"spread-{drives}",
        tuple(
            Smmu(0x40 + 0x20 * number, tuple(Device(f"LAB{drive}") for drive in numbers))
            for number, numbers in enumerate(behind)
        ),
    )


SPREADS = {drives: spread(drives) for drives in (1, 2, 8, 16)}
TOPOLOGIES = {
    topology.name: topology
    for topology in (FIRST_LIGHT, EIGHT, LOSSES, NEIGHBOURS, *SPREADS.values())
}
