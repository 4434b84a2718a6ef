# SPDX-License-Identifier: GPL-2.0-or-later
"""What "hvinit check" costs, from one device to a full manifest: check.py HVINIT

Instructions are those of the whole program as valgrind counts them: they are the same in every run
on one machine, and say more about growth than the time, most of which is the process's own.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import report

VMS, SLOTS = 8, 16  # a full manifest
COUNTS = (0, 1, 2, 4, 8, 16, 32, 64, 128)
PER_SMMU = 8
ENDPOINTS = 256  # the machine has more than the manifest gives away
RUNS = 51


def record() -> str:
    """A machine of many drives, eight behind each SMMU."""
    lines = [
        "# hvinit host record 1",
        "machine memory=2T page=4K cpus=0-127 iommufd=yes kvm=yes",
        "driver nvme", "driver vfio-pci",
    ]
    lines += [f"smmu {smmu(at)}" for at in range(0, ENDPOINTS, PER_SMMU)]
    for at in range(ENDPOINTS):
        lines.append(
            f"device {bdf(at)} id=144d:a80a class=0x010802 smmu={smmu(at)} group={at} driver=nvme "
            "reset=flr bar0=16K,wide"
        )
    return "\n".join(lines) + "\n"


def smmu(at: int) -> str:
    return f"smmu3.0x{0x10000000 + at // PER_SMMU * 0x1000000:016x}"


def bdf(at: int) -> str:
    return f"{at // PER_SMMU:04x}:{at % PER_SMMU + 1:02x}:00.0"


def manifest(devices: int) -> str:
    """The first VMs have all the devices that a VM can have."""
    lines = []
    for vm in range(max(1, devices // SLOTS)):
        lines.append(f'VM{vm}_NAME="vm{vm}"')
        for slot in range(min(SLOTS, devices)):
            lines.append(f'VM{vm}_HOSTDEV{slot}_BDF="{bdf(vm * SLOTS + slot)}"')
    body = "\n".join(lines) + "\n"
    return f"# hvinit manifest 1\n# sha256 {hashlib.sha256(body.encode()).hexdigest()}\n{body}"


def milliseconds(words: list[str]) -> float:
    """The shortest of many runs: what else the machine does only adds to it."""
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        times.append((time.perf_counter() - begin) * 1000)
    return min(times)


def instructions(words: list[str], out: Path) -> int:
    valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]
    done = subprocess.run(valgrind + words, check=True, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if not found:
        raise ValueError(f"valgrind counted nothing:\n{done.stderr}")
    return int(found[1])


def main(hvinit: str) -> int:
    print("devices   VMs      ms   million instructions   beyond none, a device")
    none = 0
    rows: list[report.Row] = []
    with tempfile.TemporaryDirectory() as folder:
        machine = Path(folder, "machine")
        machine.write_text(record())
        start = [hvinit, "version"]
        count = instructions(start, Path(folder, "callgrind"))
        ms = milliseconds(start)
        print(f"  start     - {ms:7.2f} {count / 1e6:22.3f}   ('hvinit version')")
        rows.append({"devices": None, "vms": 0, "ms": ms, "instructions": count})
        for devices in COUNTS:
            path = Path(folder, "manifest")
            path.write_text(manifest(devices))
            words = [hvinit, "check", "--host", str(machine), str(path)]
            ms, count = milliseconds(words), instructions(words, Path(folder, "callgrind"))
            none = none or count
            each = f"{(count - none) / devices / 1e3:.1f} thousand" if devices else ""
            vms = max(1, devices // SLOTS)
            print(f"{devices:7} {vms:5} {ms:7.2f} {count / 1e6:22.3f}   {each:>21}")
            rows.append({"devices": devices, "vms": vms, "ms": ms, "instructions": count})
    how = f"The machine has {ENDPOINTS} endpoints behind {ENDPOINTS // PER_SMMU} SMMUs. Native build, -O1."
    print(how)
    report.save("check", how, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
