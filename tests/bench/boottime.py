# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the time goes from power-on to a guest that has proved itself, through the disk image.

One boot of out/hvinit.img in the lab. The clock counts instructions, 500 million a second, those of both
CPUs: it repeats on any machine, and a server's is another. The boot loader leaves what time it was in
firmware variables (systemd's boot loader interface), the kernel stamps its messages and PID 1's, and
one program says how far the kernel's clock is behind power-on.
"""

import re
import sys
from pathlib import Path

from lab import addon, config, l0
from lab.appliance import Appliance
from lab.machine import Trip
from lab.paths import LAB
from lab.progress import Progress
from lab.server import Server
from lab.topology import FIRST_LIGHT

import report

TICKS = Path("build/bench/ticks")
VARIABLE = "/sys/firmware/efi/efivars/%s-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
LIMIT = 1800.0

# Each phase ends with what the kernel's log then has; the first two are the loader's.
FROM_LOG = (
    ("kernel, until it unpacks", r"(?:Trying to unpack|Unpacking) (?:rootfs image as )?initramfs"),
    ("root file system unpacked", r"Freeing initrd memory"),
    ("kernel, until PID 1", r"hvinit: init: started"),
    ("PID 1, until QEMU", r"hvinit: demo: exec QEMU"),
    ("QEMU, until its guest runs", r"hvinit: demo: running"),
)
PROOF = r"\[ *(\d+\.\d+)\] demo\| proof: done"

Phase = tuple[str, float]  # and the second, from power-on, at which it ends


def variable(appliance: Appliance, name: str) -> float:
    """Seconds, of the microseconds that the loader wrote in UTF-16 behind four bytes of attributes."""
    told = appliance.shell(f"busybox dd if={VARIABLE % name} bs=4 skip=1 2>/dev/null | busybox tr -d '\\0'")
    found = re.search(r"\d+", told)
    if not found:
        sys.exit(f"the boot loader has not left {name}: {told!r}")
    return int(found[0]) / 1e6


def stamp(log: str, pattern: str) -> float:
    found = re.search(rf"^\[ *(\d+\.\d+)\] .*{pattern}", log, re.MULTILINE)
    if not found:
        sys.exit(f"the kernel's log has no {pattern!r}")
    return float(found[1])


def phases(appliance: Appliance) -> list[Phase]:
    counted = re.search(r"counter (\d+) clock (\d+)", appliance.shell("/ticks"))
    log = appliance.kernel_log().replace("\r", "")
    proof = re.search(PROOF, appliance.console.text())
    if not counted or not proof:
        sys.exit(f"the clocks cannot be put together: see {appliance.console.log}")
    kernel = (int(counted[1]) - int(counted[2])) / 1e6
    return [
        ("firmware", variable(appliance, "LoaderTimeInitUSec")),
        ("boot loader, reads the image", variable(appliance, "LoaderTimeExecUSec")),
        ("stub, unpacks the kernel", kernel),
        *((name, kernel + stamp(log, pattern)) for name, pattern in FROM_LOG),
        ("guest, until its proof is done", kernel + float(proof[1])),
    ]


def boot() -> list[Phase]:
    """The manifest's guest, with a shell for who asks."""
    folder = LAB / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    addons = [
        addon.manifest(folder / "manifest.addon.efi", config.changed(HOST_SHELL=True)),
        addon.files(folder / "ticks.addon.efi", {"ticks": TICKS.read_bytes()}),
    ]
    server = Server(
        "bench/boottime", addons=addons, topology=FIRST_LIGHT, accel=l0.UNATTENDED, override=True
    )
    with Trip(server) as trip:
        appliance = Appliance(trip, Progress("boottime"))
        appliance.await_init()
        appliance.await_vm("running")
        appliance.await_proof("demo")
        found = phases(appliance)
        appliance.power_off()
    return found


def main() -> int:
    rows: list[report.Row] = []
    before = 0.0
    print(f"{'phase':32} {'takes, s':>9} {'until, s':>9}")
    found = boot()
    for name, until in found:
        print(f"{name:32} {until - before:9.3f} {until:9.3f}")
        rows.append({"phase": name, "takes_s": round(until - before, 3), "until_s": round(until, 3)})
        before = until
    report.save("boottime", (__doc__ or "").partition("\n\n")[2].strip(), rows)
    ends = [until for _, until in found]
    if ends != sorted(ends):
        print("boottime: a phase ends before it begins: the clocks are not what they should be", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
