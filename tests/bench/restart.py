# SPDX-License-Identifier: GPL-2.0-or-later
"""From the end of a service to the first instruction of its next start: restart.py [RESTARTS]

The last thing that a service does is to write down the time, and the first one of its successor, too.
Between the two are its exit, the supervisor's decision, what it prepares, and the exec.
"""

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import peers
import report
from pid1.machine import Machine, Symbols

LIVES_MS = 12  # where nothing asks for more
FAST = 10000  # of hvinit's clock, so that this is more than a second to it
SERVICES = 20  # side by side, of supervisors that start nothing twice within a second
LOOK = 0.2  # seconds between two looks


def gaps(log: str) -> list[float]:
    """Microseconds between an end and the next begin."""
    times = re.findall(r"^(begin|end) (\d+)$", log, re.MULTILINE)
    pairs = zip(times, times[1:])
    return [(int(b) - int(a)) / 1000 for (end, a), (begin, b) in pairs if (end, begin) == ("end", "begin")]


def of_hvinit(restarts: int) -> list[float]:
    words = f"-on 'start:stamp=begin;usual' -on 'running:wait={LIVES_MS};stamp=end;exit=0'"
    symbols: Symbols = {
        "VM0_NAME": "vm", "VM0_MEMORY_MIB": 64, "VM0_RESTART": "always", "VM0_RESTART_LIMIT": 0,
        "VM0_QEMU_ARGS": words,
    }
    found: list[float] = []
    with Machine("build/bench/hvinit", symbols, clock=FAST) as machine:
        while len(found) < restarts:
            machine.console.drain()
            time.sleep(LOOK)
            found = gaps((machine.root / "ctl/vm.log").read_text())
    return found[:restarts]


def of_nothing(restarts: int) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        words = ["build/bench/respawn", str(restarts + 1), "build/bench/stamp", str(log), str(LIVES_MS)]
        subprocess.run(words, check=True)
        return gaps(log.read_text())


def of_peer(peer: peers.Peer, restarts: int) -> list[float]:
    found: list[float] = []
    while len(found) < restarts:
        time.sleep(LOOK)
        found = [gap for log in peer.logs if log.exists() for gap in gaps(log.read_text())]
    return found[:restarts]


def of_s6(restarts: int) -> list[float]:
    with peers.s6(SERVICES) as peer:
        return of_peer(peer, restarts)


def of_busybox(restarts: int) -> list[float]:
    with peers.busybox(SERVICES, LIVES_MS) as peer:
        return of_peer(peer, restarts)


WHO: dict[str, tuple[Callable[[int], list[float]], str]] = {
    "fork and exec": (of_nothing, "a loop of fork(), execv(), waitpid()"),
    "hvinit": (of_hvinit, "discovery, plan, check, channels, confinement; a machine without devices"),
    "s6-supervise": (of_s6, f"{SERVICES} services, each of which says that it is ready and lives for a second"),
    "busybox init": (of_busybox, f"{SERVICES} services; it looks once a second"),
}


def main(restarts: int) -> int:
    print(f"restart, microseconds   median       99 %      least   of {restarts}")
    rows: list[report.Row] = []
    for name, (measure, what) in WHO.items():
        found = sorted(measure(restarts))
        median, late = statistics.median(found), found[len(found) * 99 // 100]
        print(f"{name:20} {median:10.0f} {late:10.0f} {found[0]:10.0f}   {what}", flush=True)
        rows.append({
            "who": name, "what": what, "restarts": len(found), "median_us": median, "p99_us": late,
            "least_us": found[0],
        })
    report.save("restart", (__doc__ or "").partition("\n\n")[2].strip(), rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
