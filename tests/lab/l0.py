# SPDX-License-Identifier: GPL-2.0-or-later
"""L0's command line: the outer QEMU whose machine is the appliance's hardware."""

from pathlib import Path

from .paths import FIRMWARE, TOOLS, tool
from .topology import Topology

# For everything that is typed at: the clock is the wall's.
INTERACTIVE = ("-accel", "tcg,thread=multi")
# For trips that nobody touches: L1's clock counts instructions, so its times repeat anywhere.
UNATTENDED = ("-accel", "tcg,thread=single", "-icount", "shift=1,sleep=off")


def machine(topology: Topology, accel: tuple[str, ...]) -> list[str]:
    """48-bit physical addresses, as today's servers have: with more, KVM's teardown is slow."""
    return [
        *tool("qemu-system-aarch64"), "-L", str(TOOLS / "usr/share/qemu"),
        "-nodefaults", "-no-user-config", "-nographic", "-monitor", "none",
        "-run-with", "exit-with-parent=on",
        "-M", "virt,virtualization=on,gic-version=3", "-cpu", "neoverse-v1",
        "-smp", "2", "-m", "3G", *accel, "-bios", str(FIRMWARE), *topology.qemu_words(),
    ]  # fmt: skip


def drive(name: str, image: Path | None) -> list[str]:
    """The block device NAME; without IMAGE an empty one."""
    backing = f"format=raw,file={image}" if image else "driver=null-co,size=16M"
    return ["-drive", f"if=none,id={name},{backing}"]


def boot_drive(image: Path | None) -> list[str]:
    """The appliance's own NVMe, on the root bus where no SMMU is."""
    device = "nvme,drive=drive-boot,serial=BOOT,bus=pcie.0,addr=0x8,bootindex=0"
    return [*drive("drive-boot", image), "-device", device]
