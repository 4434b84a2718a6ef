# SPDX-License-Identifier: GPL-2.0-or-later
"""From the first instruction of PID 1 to QEMU's and to the guest's, by the number of devices: boot.py

The clock is the appliance's own in the lab and counts instructions: 500 million are a second. Beside
hvinit a shell script does the same by hand, as PID 1 of the same image: it binds one device after the
other and executes QEMU with the same words but for the monitor.
"""

import re
import sys

from lab import config, desk, l0
from lab.machine import Machine, Trip
from lab.marks import mark
from lab.paths import HVINIT, LAB, run
from lab.topology import SPREADS, Topology

import report

FROM, TO_EXEC, TO_RUN = "init: started", "demo: exec", "demo: running"
LIMIT = 1800.0
SCRIPT = """#!/bin/busybox sh
b=/bin/busybox
stamp() { echo "[ $($b cut -d' ' -f1 /proc/uptime)] hvinit: $1"; }
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs devtmpfs /dev 2>/dev/null
stamp "init: started"
for device in BDFS; do
	at=/sys/bus/pci/devices/$device
	echo vfio-pci >$at/driver_override
	[ ! -e $at/driver ] || echo $device >$at/driver/unbind
	echo $device >/sys/bus/pci/drivers_probe
done
node() { for n in /sys/bus/pci/devices/$1/vfio-dev/vfio*; do echo /dev/vfio/devices/${n##*/}; done; }
exec 20<>/dev/iommu
OPEN
stamp "demo: exec"
exec /usr/bin/qemu-system-aarch64 WORDS
"""


def configure(topology: Topology) -> str:
    devices = {f"VM0_HOSTDEV{slot}_BDF": place.bdf for slot, place in enumerate(topology.places())}
    words = f"{config.value('VM0_CMDLINE')} demo.poweroff"
    return config.changed(VM0_CMDLINE=words, HOST_ON_LAST_VM="poweroff", **devices)


def of_hvinit(topology: Topology) -> tuple[float | None, float | None]:
    machine = Machine(f"bench/{topology.name}", topology, l0.UNATTENDED, configure(topology))
    with Trip(machine) as trip:
        trip.console.expect("host: power off", LIMIT)
        trip.wait_off()
        text = trip.console.text()
    start, execed, running = (mark(text, message) for message in (FROM, TO_EXEC, TO_RUN))
    assert start is not None and execed is not None and running is not None, machine.log
    return execed - start, running - start


def script(topology: Topology) -> bytes:
    """The words are those that hvinit would use, without the monitor, and QEMU runs the guest at once."""
    folder = LAB / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    planned, host = folder / "config", folder / "host"
    planned.write_text(configure(topology))
    host.write_text(record(topology))
    manifest = folder / "manifest"
    manifest.write_bytes(run([HVINIT, "manifest", planned]))
    words = desk.argv(host, manifest, "demo")[1:]
    words.remove("-S")
    text = " ".join(f"'{word}'" for word in words)
    text = re.sub(r"'-chardev' 'socket,id=qmp0,fd=10' '-object' '[^']*monitor-qmp[^']*'", "", text)
    text = text.replace("socket,id=serial0,fd=11", "stdio,id=serial0")
    bdfs = [place.bdf for place in topology.places()]
    opens = "\n".join(f"exec {21 + n}<>$(node {bdf})" for n, bdf in enumerate(bdfs))
    made = SCRIPT.replace("BDFS", " ".join(bdfs)).replace("OPEN", opens).replace("WORDS", text)
    return made.encode()


def record(topology: Topology) -> str:
    """Only what the plan of such a machine needs."""
    lines = ["# hvinit host record 1", "machine memory=3G iommufd=yes kvm=yes", "driver vfio-pci"]
    for group, place in enumerate(topology.places()):
        lines.append(f"device {place.bdf} class=0x010802 group={group} smmu={place.smmu}")
    return "\n".join(lines) + "\n"


def of_script(topology: Topology) -> tuple[float | None, float | None]:
    files = {"init": script(topology)}
    machine = Machine(
        f"bench/{topology.name}-script", topology, l0.UNATTENDED, configure(topology), files=files
    )
    with Trip(machine) as trip:
        trip.console.expect(rf"hvinit: {TO_EXEC}", LIMIT)
        text = trip.console.text()
    start, execed = mark(text, FROM), mark(text, TO_EXEC)
    assert start is not None and execed is not None, machine.log
    return execed - start, None


def main() -> int:
    rows: list[report.Row] = []
    print("devices   who        to QEMU, s  to running, s")
    for devices, topology in SPREADS.items():
        for who, measure in (("hvinit", of_hvinit), ("script", of_script)):
            execed, running = measure(topology)
            shown = "" if running is None else f"{running:13.3f}"
            print(f"{devices:7}   {who:8} {execed:12.3f}  {shown}", flush=True)
            rows.append({"who": who, "devices": devices, "exec_s": execed, "running_s": running})
    report.save("boot", (__doc__ or "").partition("\n\n")[2].strip(), rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
