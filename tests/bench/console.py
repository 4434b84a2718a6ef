# SPDX-License-Identifier: GPL-2.0-or-later
"""How quick the console answers, beside a busybox shell on the same line: console.py [TIMES]

All of it is seen from within the appliance in the lab, on its own clock, which counts instructions:
latency.c says how. One guest floods its console all the while, which nobody looks at; then a console
is attached to it.
"""

import re
import socket
import sys
import tempfile
from pathlib import Path

from lab import config, l0
from lab.appliance import PROMPT, SHELL_PROMPT, Appliance
from lab.console import Console, patient
from lab.machine import Machine, Trip
from lab.progress import Progress

import report

PROGRAM = Path("build/bench/latency")
LINE = "/dev/ttyAMA1"
FLOOD = "while :; do echo 0123456789012345678901234567890123456789; done"
LIMIT = 1200.0


def measure(appliance: Appliance, times: int, keys: str, end: str) -> dict[str, tuple[int, int]]:
    """Microseconds to the first and to the last byte of the answer: median and 99th percentile."""
    printed = appliance.shell(f"/latency {LINE} {times} '{keys}' '{end}'", LIMIT)
    found = re.findall(r"(first|last) median=(\d+) p99=(\d+)", printed)
    if len(found) != 2:
        sys.exit(printed)
    return {which: (int(median), int(p99)) for which, median, p99 in found}


def boot(times: int) -> list[report.Row]:
    rows: list[report.Row] = []

    def row(what: str, which: str, figures: dict[str, tuple[int, int]]) -> None:
        median, p99 = figures[which]
        rows.append({"what": what, "median_us": median, "p99_us": p99})
        print(f"{what:58} {median:9} {p99:9}", flush=True)

    words = {last: config.value(f"VM0_{last}") for last in ("KERNEL", "INITRD")}
    changes = {f"VM0_HOSTDEV{n}_BDF": "" for n in range(2)}
    command_line = f"{config.value('VM0_CMDLINE')} demo.shell"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "line"
        machine = Machine(
            "bench/console", accel=l0.UNATTENDED, files={"latency": PROGRAM.read_bytes()},
            config=config.changed(
                VM0_CMDLINE=command_line, VM0_MEMORY_MIB=128, VM1_NAME="flood", VM1_MEMORY_MIB=128,
                VM1_CMDLINE=command_line, VM1_CONSOLE_ECHO=False,
                **{f"VM1_{last}": word for last, word in words.items()}, **changes,
            ),
            extra=[
                "-chardev", f"socket,id=second,path={path},server=on,wait=off", "-serial", "chardev:second",
            ],
            words="console=ttyAMA1 console=ttyAMA0",
        )  # fmt: skip
        with Trip(machine) as trip:
            appliance = Appliance(trip, Progress("bench"))
            appliance.await_init()
            line = socket.socket(socket.AF_UNIX)
            line.connect(str(path))
            other = Console(patient(line), machine.folder / "second.log")
            appliance.await_proof("demo")
            print(f"{'microseconds':58} {'median':>9} {'99 %':>9}   of {times}")
            row("a key's echo, guests at rest", "first", measure(appliance, times, "x", "\\x15"))
            row("'status' to the prompt behind it, guests at rest", "last", measure(appliance, times, "status\\r", "-"))
            appliance.enter("flood")
            appliance.console.send(FLOOD)
            appliance.console.expect("0123456789\r\n")
            appliance.leave()
            row("a key's echo, a guest floods", "first", measure(appliance, times, "x", "\\x15"))
            row("'status' to the prompt behind it, a guest floods", "last", measure(appliance, times, "status\\r", "-"))
            text = appliance.shell("hvinit ctl status >/tmp/status; busybox wc -c </tmp/status")
            print(f"(status is {text.strip()} bytes)")
            other.send("shell")
            other.expect(SHELL_PROMPT)
            row("busybox sh: a key's echo, a guest floods", "first", measure(appliance, times, "x", "\\x15"))
            row("busybox sh: 'cat' of the same text, a guest floods", "last",
                measure(appliance, times, "busybox cat /tmp/status\\r", "-"))
    return rows


def main() -> int:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    report.save("console", __doc__ or "", boot(times))
    return 0


if __name__ == "__main__":
    sys.exit(main())
