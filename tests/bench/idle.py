# SPDX-License-Identifier: GPL-2.0-or-later
"""What a supervisor is when nothing happens: its size, its memory, and how often it wakes up:
idle.py [SECONDS]"""

import re
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import peers
import report
from pid1.machine import Machine, Symbols, await_that

HVINIT = "build/bench/hvinit"
FOREVER_MS = 1000 * 1000


def vms(count: int) -> Symbols:
    symbols: Symbols = {}
    for slot in range(count):
        symbols |= {f"VM{slot}_NAME": f"vm{slot}", f"VM{slot}_MEMORY_MIB": 64}
    return symbols


def field(pid: int, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def wakes(pids: list[int]) -> int:
    return sum(field(pid, "voluntary_ctxt_switches") for pid in pids)


def text_kib(program: str) -> float:
    """Code and constants, as size(1) counts them."""
    done = subprocess.run(["size", program], check=True, capture_output=True, text=True)
    return int(done.stdout.splitlines()[1].split()[0]) / 1024


def stripped_kib(program: str) -> float:
    out = Path("build/bench/stripped")
    subprocess.run(["strip", "-s", "-o", out, program], check=True)
    return out.stat().st_size / 1024


def boot(stack: ExitStack, count: int) -> Machine:
    names = tuple(f"vm{slot}" for slot in range(count))
    machine = stack.enter_context(Machine(HVINIT, vms(count), names))
    await_that("all run", lambda: machine.console.ask("status").count(" running ") == count)
    return machine


def main(seconds: int) -> int:
    with ExitStack() as stack:
        one, eight = boot(stack, 1), boot(stack, 8)
        s6 = stack.enter_context(peers.s6(1, idle=True))
        busybox = stack.enter_context(peers.busybox(1, FOREVER_MS))
        who = {
            "hvinit, 1 VM": (HVINIT, [one.pid]),
            "hvinit, 8 VMs": (HVINIT, [eight.pid]),
            "s6-svscan": (shutil.which("s6-svscan") or "", s6.pids[:1]),
            "s6-supervise, each": (shutil.which("s6-supervise") or "", s6.pids[1:]),
            "busybox init": (peers.BUSYBOX, busybox.pids),
        }
        time.sleep(2)
        before = {name: wakes(pids) for name, (_, pids) in who.items()}
        time.sleep(seconds)
        print("idle                   text KiB   stripped KiB   resident KiB   anonymous KiB   wake-ups a minute")
        rows: list[report.Row] = []
        for name, (program, pids) in who.items():
            text, stripped = text_kib(program), stripped_kib(program)
            resident, own = field(pids[0], "VmRSS"), field(pids[0], "RssAnon")
            often = (wakes(pids) - before[name]) * 60 / seconds
            print(f"{name:20} {text:10.0f} {stripped:14.0f} {resident:14} {own:15} {often:19.1f}")
            rows.append({
                "who": name, "text_kib": text, "stripped_kib": stripped, "resident_kib": resident,
                "anonymous_kib": own, "wakes_a_minute": often,
            })
    how = (
        f"Over {seconds} s. hvinit: native, static, -O1, with the C library of this machine; s6 is linked "
        "dynamically, busybox statically and with all its programs."
    )
    print(how)
    report.save("idle", how, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 60))
