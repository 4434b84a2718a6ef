# SPDX-License-Identifier: GPL-2.0-or-later
"""What VMs get of the host besides devices: huge pages and memory of a node, CPUs, disks, bridges,
kept UEFI variables, generic-initiator nodes; and when they are started, and started again.

Two VMs are on one bridge and prove it by frames. What a guest prints is not believed alone: its
disk's image is looked into, and so is the kernel of the appliance.
"""

import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from . import config, cpio
from .appliance import Appliance
from .machine import Machine, Trip
from .paths import BUILD, run
from .progress import Progress
from .topology import FIRST_LIGHT

MIB = 1 << 20
LABEL = "hvinit-lab-state"
STATE = (1, 96)  # of the host's disk: begin and size in MiB
DISK = (97, 16)
READ_BLOCK, WRITE_BLOCK = 0, 1  # of a guest's disk, of 512 bytes
SHARED = "shared with everybody"
UUID = "6f0b2ad6-1d2a-4a52-9d0e-0b3c6a1f7f10"
NUMA = (
    "-object", "memory-backend-ram,id=ram0,size=2G",
    "-object", "memory-backend-ram,id=ram1,size=1G",
    "-numa", "node,nodeid=0,cpus=0,memdev=ram0",
    "-numa", "node,nodeid=1,cpus=1,memdev=ram1",
)  # fmt: skip
UPLINK = "0000:00:09.0"
GUEST = "/usr/lib/hvinit/lab/guest"

# Runs before the demo's own init. A second boot finds nobody who still offers frames.
INIT = b"""#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t efivarfs efivarfs /sys/firmware/efi/efivars
dmesg -n 1
say() { echo "resource: $*"; }
echo
modprobe virtio_blk
nonce=$(sed -n 's/.*demo.frames=\\([0-9a-f]*\\).*/\\1/p' /proc/cmdline)
for disk in /dev/vd[a-z]; do
	ro=$(cat /sys/block/${disk#/dev/}/ro)
	say "disk ro=$ro text=$(dd if=$disk bs=512 count=1 2>/dev/null | head -n 1 | tr ' ' _)"
	[ $ro = 1 ] || echo $nonce | dd of=$disk bs=512 seek=1 conv=sync,fsync 2>/dev/null
done
nodes=/sys/devices/system/node
say "nodes memory=$(cat $nodes/has_memory) initiators=$(cat $nodes/has_generic_initiator)"
kept=0
for file in /sys/firmware/efi/efivars/HvinitLab*; do [ ! -e $file ] || kept=$((kept + 1)); done
printf '\\007\\000\\000\\000x' >/sys/firmware/efi/efivars/HvinitLab$kept-$(cat /uuid) && stored=yes
say "variables kept=$kept stored=${stored:-no}"
[ $kept = 0 ] || sed -i 's/demo\\\\.frames/nobody/' /demo-init
exec /demo-init
"""


@dataclass
class Resources:
    """What the story leaves behind."""

    machine: Machine
    nonce: str
    disk: Path
    console: str = ""
    answers: dict[str, str] = field(default_factory=dict)

    def said(self, vm: str, kind: str) -> list[dict[str, str]]:
        """What the guest of VM said of KIND, each time."""
        lines = re.findall(rf"{vm}\| (?:resource|proof): {kind} ([^\r\n]*)", self.console)
        return [dict(word.split("=", 1) for word in line.split()) for line in lines]

    def frames(self, vm: str) -> dict[str, str]:
        """All that the demo of VM said of its frames, which takes several lines."""
        return {key: value for line in self.said(vm, "frames") for key, value in line.items()}

    def place(self, message: str) -> int:
        """Where MESSAGE of the appliance begins in the transcript; -1: nowhere."""
        found = re.search(rf"hvinit: {message}", self.console)
        return found.start() if found else -1

    def state(self, *words: str) -> str:
        """What debugfs says of the state partition."""
        return run(["debugfs", "-R", " ".join(words), _part(self.disk, STATE)]).decode()

    def disk_block(self, number: int) -> str:
        with open(self.disk, "rb") as image:
            image.seek(DISK[0] * MIB + number * 512)
            return image.read(512).rstrip(b"\0").decode(errors="replace").strip()


def resources(tell: Progress) -> Resources:
    nonce = secrets.token_hex(16)
    machine = Machine(
        "resources",
        config=_config(nonce),
        extra=[*NUMA, *_extra(BUILD / "lab/resources/host.img")],
        files={GUEST.removeprefix("/"): _guest()},
    )
    seen = Resources(machine, nonce, _host_disk(machine.folder / "host.img", nonce))
    with Trip(machine) as trip:
        appliance = Appliance(trip, tell)
        appliance.await_init()
        appliance.await_proof("alpha", "beta")
        _look(appliance, seen)
        appliance.shell(f"busybox kill -9 {_pid(appliance, 'alpha')}")
        trip.console.expect(r"alpha\| proof: done")
        seen.answers["log"] = appliance.ask("log host", r"log host\r\n")
        seen.answers["status again"] = appliance.status()
        appliance.power_off()
        seen.console = trip.console.text()
    return seen


def _config(nonce: str) -> str:
    command_line = f"{config.value('VM0_CMDLINE')} demo.frames={nonce}"
    common: dict[str, str | int | bool] = {
        "KERNEL": config.value("VM0_KERNEL"), "INITRD": GUEST, "CMDLINE": command_line,
        "MEMORY_MIB": 256, "CONSOLE_ECHO": True, "NET0_BRIDGE": "lan",
    }  # fmt: skip
    alpha = {
        "NAME": "alpha", "START_ORDER": 1, "HUGEPAGES": "2M", "NUMA_NODE": "1", "CPU_PIN": "1",
        "UEFI_VARS": "keep", "RESTART": "on-failure", "UUID": UUID, "DISK0_PATH": "/dev/vda2",
        "HOSTDEV0_BDF": FIRST_LIGHT.places()[0].bdf, "HOSTDEV0_GI_NODES": "2",
        "HOSTDEV1_BDF": "",
    }  # fmt: skip
    beta = {
        "NAME": "beta", "START_ORDER": 2, "NUMA_NODE": "0", "CPU_PIN": "0", "CPUS": 2,
        "DISK0_PATH": "/var/lib/hvinit/shared.img", "DISK0_READONLY": True,
        "HOSTDEV0_BDF": FIRST_LIGHT.places()[1].bdf, "NET0_MAC": "52:54:00:00:be:7a",
    }  # fmt: skip
    # Pages that the machine has not: it alone is the worse for it.
    greedy = {"NAME": "greedy", "MEMORY_MIB": 2048, "HUGEPAGES": "1G", "NUMA_NODE": "1"}
    symbols: dict[str, str | int | bool] = {
        "HOST_MODULES": "nvme virtio_blk e1000e", "HOST_STATE_PARTLABEL": LABEL,
        "HOST_BRIDGE0_NAME": "lan", "HOST_BRIDGE0_UPLINK_BDF": UPLINK, "HOST_BRIDGE0_MTU": "1400",
    }  # fmt: skip
    for slot, vm in enumerate((common | alpha, common | beta, common | greedy)):
        symbols |= {f"VM{slot}_{last}": value for last, value in vm.items()}
    return config.changed(**symbols)


def _extra(disk: Path) -> list[str]:
    """The host's own disk and network card, on the root bus where no SMMU is."""
    return [
        "-drive", f"if=none,id=drive-host,format=raw,file={disk}",
        "-device", "virtio-blk-pci,drive=drive-host,bus=pcie.0,addr=0xa",
        "-netdev", "hubport,id=uplink,hubid=99",
        "-device", "e1000e,netdev=uplink,romfile=,bus=pcie.0,addr=0x9",
    ]  # fmt: skip


def _guest() -> bytes:
    demo = (BUILD / "demo.cpio.zst").read_bytes()
    own = {
        "init": (cpio.PROGRAM, INIT),
        "demo-init": (cpio.PROGRAM, Path("rootfs/demo/init").read_bytes()),
        "uuid": (cpio.FILE, UUID.encode()),
    }
    return demo + bytes(-len(demo) % 4) + cpio.archive(own)


def _part(image: Path, part: tuple[int, int]) -> str:
    """PART of IMAGE as e2fsprogs' programs take it."""
    return f"{image}?offset={part[0] * MIB}"


def _host_disk(image: Path, nonce: str) -> Path:
    """The host's own disk: the state partition with a file in it, and a disk for a guest."""
    with open(image, "wb") as disk:
        disk.truncate((DISK[0] + DISK[1] + 1) * MIB)
        disk.seek(DISK[0] * MIB)
        disk.write(f"{nonce}\n".encode())
    script = f"label: gpt\nstart={STATE[0]}MiB, size={STATE[1]}MiB, type=linux, name={LABEL}\n"
    script += f"start={DISK[0]}MiB, size={DISK[1]}MiB, type=linux, name=guest\n"
    run(["sfdisk", "--quiet", "--no-tell-kernel", image], script)
    folder = image.with_suffix(".files")
    folder.mkdir()
    (folder / "shared.img").write_bytes(f"{SHARED}\n".encode().ljust(MIB, b"\0"))
    offset = f"offset={STATE[0] * MIB}"
    run(["mke2fs", "-q", "-t", "ext4", "-d", folder, "-E", offset, image, f"{STATE[1]}M"])
    return image


def _pid(appliance: Appliance, vm: str) -> str:
    found = re.search(rf"^{vm}\s+running\s+\d+ s\s+(\d+)", appliance.status(), re.MULTILINE)
    assert found, f"{vm} does not run"
    return found[1]


def _look(appliance: Appliance, seen: Resources) -> None:
    """What the appliance's kernel says of both VMs while they run."""
    for vm in ("alpha", "beta"):
        task = f"/proc/{_pid(appliance, vm)}/task"
        seen.answers[f"{vm} threads"] = appliance.shell(
            f"for t in {task}/*; do echo $(cat $t/comm) = "
            "$(sed -n 's/^Cpus_allowed_list:\t//p' $t/status); done"
        )
        seen.answers[f"{vm} memory"] = appliance.shell(
            f"grep memfd {task.removesuffix('/task')}/numa_maps"
        )
    node = "/sys/devices/system/node/node1/hugepages/hugepages-2048kB"
    seen.answers["huge pages"] = appliance.shell(f"cat {node}/nr_hugepages {node}/free_hugepages")
    lan = "/sys/class/net/lan"
    seen.answers["bridge"] = appliance.shell(f"ls {lan}/brif; cat {lan}/mtu")
    seen.answers["mounts"] = appliance.shell("grep hvinit /proc/mounts")
    seen.answers["status"] = appliance.status()
