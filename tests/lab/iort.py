# SPDX-License-Identifier: GPL-2.0-or-later
"""The one thing the emulated hardware lacks, given to the appliance's kernel by the lab alone.

Linux lets a guest have a stage of translation of its own only where devices cannot get around
the host's cache coherency: the SMMU has S2FWB, or the firmware declares CANWBS for the root
complex. QEMU's machine has neither, so its IORT is dumped in a short boot, CANWBS is set, and
the appliance's kernel is told to use that table. Never do this on hardware.

Usage: python3 -m lab.iort TOPOLOGY FOLDER    puts the table of a topology into FOLDER/iort.aml
"""

import hashlib
import re
import struct
import subprocess
import sys
from pathlib import Path

from . import cpio, l0
from .paths import BUILD, KERNEL, LAB, ROOT, TARGET
from .topology import TOPOLOGIES, Topology

# ACPI table header (ACPI 6.5, 5.2.6); IORT nodes (Arm DEN0049, 3.1): type, length, …
CHECKSUM = 9
OEM_REVISION = 24
NODE_COUNT = 36
ROOT_COMPLEX = 2
MEMORY_FLAGS = 23  # in a root-complex node: memory access properties, last byte
CANWBS = 1 << 2

PATIENCE = 300

_DUMP = b"""#!/bin/busybox sh
/bin/busybox mount -t sysfs sysfs /sys
echo IORT-BEGIN
/bin/busybox od -A n -v -t x1 /sys/firmware/acpi/tables/IORT
echo IORT-END
/bin/busybox poweroff -f
"""


def patch(table: bytes) -> bytes:
    """TABLE with CANWBS set in every root complex, newer by one revision so that it is taken."""
    new = bytearray(table)
    count, offset = struct.unpack_from("<II", new, NODE_COUNT)
    for _ in range(count):
        kind, length = struct.unpack_from("<BH", new, offset)
        if kind == ROOT_COMPLEX:
            new[offset + MEMORY_FLAGS] |= CANWBS
        offset += length
    (revision,) = struct.unpack_from("<I", new, OEM_REVISION)
    struct.pack_into("<I", new, OEM_REVISION, revision + 1)
    new[CHECKSUM] = 0
    new[CHECKSUM] = -sum(new) & 0xFF
    return bytes(new)


def dump(topology: Topology, folder: Path) -> bytes:
    """Boots TOPOLOGY with an init that prints its IORT. FOLDER holds what that needs."""
    busybox = (TARGET / "usr/bin/busybox").read_bytes()
    initrd = folder / "dump.cpio"
    initrd.write_bytes(
        cpio.archive(
            {
                "init": (cpio.PROGRAM, _DUMP),
                "bin/busybox": (cpio.PROGRAM, busybox),
                "sys": (cpio.FOLDER, b""),
            }
        )
    )
    words = [*l0.machine(topology, l0.UNATTENDED), *l0.boot_drive(None), "-serial", "stdio"]
    for name in topology.drives():
        words += l0.drive(f"drive-{name}", None)
    words += ["-kernel", str(KERNEL / "Image"), "-initrd", str(initrd)]
    words += ["-append", "console=ttyAMA0 rdinit=/init quiet"]
    run = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    initrd.unlink()
    found = re.search(rb"IORT-BEGIN\s(.*)IORT-END", run.stdout, re.DOTALL)
    if not found:
        raise RuntimeError(f"the IORT was not printed:\n{run.stdout[-2000:]!r}\n{run.stderr!r}")
    return bytes.fromhex(found[1].decode())


def overriding(topology: Topology) -> bytes:
    """The table for TOPOLOGY, from the cache where one was made by the same parts."""
    parts = (*l0.machine(topology, ()), (BUILD / "tools.lock").read_text(), _kernel_release())
    key = hashlib.sha256("\n".join(parts).replace(str(ROOT), "").encode()).hexdigest()[:16]
    link = LAB / "iort" / topology.name
    make = ["/usr/bin/python3", "-m", "lab.iort", topology.name]
    cache = [str(ROOT / "rootfs/cache.sh"), str(link), "iort", key, *make]
    subprocess.run(cache, check=True, cwd=ROOT / "tests")
    return (link / "iort.aml").read_bytes()


def _kernel_release() -> str:
    return (KERNEL / "release").read_text()


def main() -> None:
    topology, folder = TOPOLOGIES[sys.argv[1]], Path(sys.argv[2])
    (folder / "iort.aml").write_bytes(patch(dump(topology, folder)))


if __name__ == "__main__":
    main()
