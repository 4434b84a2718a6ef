# SPDX-License-Identifier: GPL-2.0-or-later
"""From the first instruction of PID 1 to QEMU's and to the guest's: boot.py [DEVICES...]

The clock is the appliance's own in the lab and counts instructions, those of both its CPUs: 500
million are a second. So what is done side by side is added up. Beside hvinit a shell script does the
same by hand, as PID 1 of the same image: it knows all names beforehand, looks at nothing, binds one
device after the other and starts QEMU with the same words. Each figure is the least of several boots,
for the clock jumps when the appliance waits for its boot drive.
"""

import os
import sys

from lab import config, desk, l0
from lab.machine import Machine, Trip
from lab.marks import mark
from lab.paths import HVINIT, LAB, run
from lab.topology import SPREADS, Topology

import report

FROM, TO_EXEC, TO_RUN = "init: started", "demo: exec", "demo: running"
LIMIT = 1800.0
BOOTS = int(os.environ.get("BENCH_BOOTS", "3"))
# The kernel stamps what it is told to show: so both columns have one clock, and its resolution.
SCRIPT = """#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs devtmpfs /dev 2>/dev/null
stamp() { echo "<0>hvinit: $1" >/dev/kmsg; }
stamp "init: started"
bind() {
	at=/sys/bus/pci/devices/$1
	echo vfio-pci >$at/driver_override
	[ ! -e $at/driver ] || echo $1 >$at/driver/unbind
	echo $1 >/sys/bus/pci/drivers_probe
}
find() {
	for node in /sys/bus/pci/devices/$1/vfio-dev/vfio*; do :; done
	node=/dev/vfio/devices/${node##*/}
	[ -c $node ] || stamp "demo: failed: $1 has no VFIO device"
}
CLAIM
exec 20<>/dev/iommu
OPEN
stamp "demo: exec"
{ echo '{"execute":"qmp_capabilities"}{"execute":"cont"}'; exec $b sleep 1000000; } |
	/usr/bin/qemu-system-aarch64 WORDS |
	while read -r line; do
		case $line in *RESUME*) stamp "demo: running" ;; *error*) stamp "demo: failed: $line" ;; esac
	done
stamp "demo: failed: QEMU has ended"
"""


def configure(topology: Topology) -> str:
    bdfs = [place.bdf for place in topology.places()]
    slots = range(max(SPREADS))
    devices = {f"VM0_HOSTDEV{n}_BDF": bdfs[n] if n < len(bdfs) else "" for n in slots}
    words = f"{config.value('VM0_CMDLINE')} demo.poweroff"
    return config.changed(VM0_CMDLINE=words, HOST_ON_LAST_VM="poweroff", **devices)


def times(machine: Machine) -> tuple[float, float]:
    """Seconds from PID 1's first message to QEMU's start, and to the guest's."""
    boots = [boot(machine) for _ in range(BOOTS)]
    return min(execed for execed, _ in boots), min(running for _, running in boots)


def boot(machine: Machine) -> tuple[float, float]:
    with Trip(machine) as trip:
        trip.console.expect(r"hvinit: demo: (running|failed)[^\n]*\n", LIMIT)
        text = trip.console.text()
    start, execed, running = (mark(text, message) for message in (FROM, TO_EXEC, TO_RUN))
    if start is None or execed is None or running is None:
        sys.exit(f"the VM did not start: see {machine.log}")
    return execed - start, running - start


def of_hvinit(topology: Topology) -> tuple[float, float]:
    name = f"bench/{topology.name}"
    return times(Machine(name, topology, l0.UNATTENDED, configure(topology)))


def script(topology: Topology) -> bytes:
    """The words are those that hvinit would use, but for what they are told by: the monitor is a
    pipe, and the guest's console nowhere."""
    folder = LAB / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    planned, host = folder / "config", folder / "host"
    planned.write_text(configure(topology))
    host.write_text(record(topology))
    manifest = folder / "manifest"
    manifest.write_bytes(run([HVINIT, "manifest", planned]))
    words = " ".join(f"'{word}'" for word in desk.argv(host, manifest, "demo")[1:])
    words = words.replace("socket,id=qmp0,fd=10", "stdio,id=qmp0,signal=off")
    words = words.replace("socket,id=serial0,fd=11", "null,id=serial0")
    bdfs = [place.bdf for place in topology.places()]
    claims = "\n".join(f"bind {bdf}" for bdf in bdfs)
    opens = "\n".join(f"find {bdf}; exec {21 + n}<>$node" for n, bdf in enumerate(bdfs))
    made = SCRIPT.replace("CLAIM", claims).replace("OPEN", opens).replace("WORDS", words)
    return made.encode()


def record(topology: Topology) -> str:
    """Only what the plan of such a machine needs."""
    lines = ["# hvinit host record 1", "machine memory=3G iommufd=yes kvm=yes", "driver vfio-pci"]
    for group, place in enumerate(topology.places()):
        lines.append(f"device {place.bdf} class=0x010802 group={group} smmu={place.smmu}")
    return "\n".join(lines) + "\n"


def of_script(topology: Topology) -> tuple[float, float]:
    name = f"bench/{topology.name}-script"
    files = {"init": script(topology)}
    return times(Machine(name, topology, l0.UNATTENDED, configure(topology), files=files))


def main(devices_of: list[int]) -> int:
    rows: list[report.Row] = []
    print("devices   who        to QEMU, s  to running, s")
    for devices in devices_of or SPREADS:
        for who, measure in (("hvinit", of_hvinit), ("script", of_script)):
            execed, running = measure(SPREADS[devices])
            print(f"{devices:7}   {who:8} {execed:12.3f}  {running:13.3f}", flush=True)
            rows.append({"who": who, "devices": devices, "exec_s": execed, "running_s": running})
    report.save("boot", (__doc__ or "").partition("\n\n")[2].strip(), rows)
    return 0


if __name__ == "__main__":
    sys.exit(main([int(word) for word in sys.argv[1:]]))
