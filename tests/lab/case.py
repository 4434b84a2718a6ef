# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person does at the machine's case, and what breaks in it."""

from . import cper
from .appliance import Appliance
from .topology import Place


def place(appliance: Appliance, name: str) -> Place:
    """Where the device of that NAME is."""
    places = appliance.trip.machine.topology.places()
    return next(one for one in places if one.device.name == name)


def port(appliance: Appliance, name: str) -> str:
    """The root port above the device of that NAME, as L0 calls it."""
    topology = appliance.trip.machine.topology
    names = [device.name for smmu in topology.smmus for device in smmu.devices]
    return f"port{names.index(name) + 1}"


def ask_out(appliance: Appliance, name: str) -> None:
    """Presses the attention button of a device's slot, and waits until it can be taken out."""
    appliance.trip.qmp.ask("device_del", id=name)
    appliance.console.expect(rf"hvinit: demo: device {place(appliance, name).bdf} is gone")
    appliance.trip.qmp.await_event("DEVICE_DELETED", device=name)


def put_back(appliance: Appliance, name: str, node: str) -> None:
    """As block device NODE: L0 forgets the one of a drive that is taken out."""
    file = {"driver": "file", "filename": str(appliance.trip.machine.disks[name].path)}
    ask = appliance.trip.qmp.ask
    ask("blockdev-add", driver="raw", node_name=node, file=file)
    ask("device_add", driver="nvme", id=name, drive=node, serial=name, bus=port(appliance, name))


def corrupt_link(appliance: Appliance, name: str) -> None:
    """The port above the device gets a packet from it that is damaged, and reports that."""
    words = f"pcie_aer_inject_error {port(appliance, name)} BAD_TLP"
    appliance.trip.qmp.ask("human-monitor-command", command_line=words)


def break_memory(appliance: Appliance, address: int) -> None:
    """Firmware reports that the memory at a physical ADDRESS has failed."""
    appliance.trip.qmp.ask("inject-ghes-v2-error", cper=cper.memory(address))


def memory(appliance: Appliance, address: int, size: int) -> bytes:
    """What is in the machine's memory at a physical ADDRESS, whoever has it."""
    file = appliance.trip.machine.folder / "memory"
    appliance.trip.qmp.ask("pmemsave", val=address, size=size, filename=str(file))
    return file.read_bytes()
