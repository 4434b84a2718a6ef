# SPDX-License-Identifier: GPL-2.0-or-later
"""make run: boots the appliance in the lab.

On a terminal its serial console is handed over; elsewhere the guest has to prove itself, a summary
is printed and the appliance is powered off. Usage: python3 -m lab.run
"""

import subprocess
import sys
import termios

from . import config
from .appliance import Appliance
from .console import LabError
from .machine import Machine, Trip
from .marks import mark
from .progress import Progress
from .proof import Check, Said, judge, judge_physical
from .trace import NESTED, Tally

TIMES = {
    "PID 1 started": "init: started",
    "QEMU executed": "demo: exec",
    "guest running": "demo: running",
    "guest proved": "demo| proof: done",
}


def hand_over(machine: Machine) -> int:
    """Gives the terminal to the appliance until its machine is off."""
    print("This is the appliance's console: 'help' lists its commands, 'poweroff' ends in order,")
    print(f"Ctrl-A x pulls the plug. The transcript is {machine.log}\n", flush=True)
    settings = termios.tcgetattr(sys.stdin)
    try:
        words = machine.words("stdio,mux=on,signal=off")
        with subprocess.Popen(words, stderr=subprocess.PIPE) as l0:
            assert l0.stderr
            Tally(l0.stderr, machine.l0_log).join()
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, settings)
    if l0.returncode:
        print(f"lab: L0 ended with status {l0.returncode}: see {machine.l0_log}", file=sys.stderr)
    return l0.returncode


def prove(machine: Machine, tell: Progress) -> list[Check]:
    """Takes the appliance from power-on to power-off and judges what happened."""
    with Trip(machine) as trip:
        appliance = Appliance(trip, tell)
        tell("appliance: power on")
        appliance.await_init()
        for state in ("exec", "running"):
            appliance.await_vm(state)
        appliance.await_proof("demo")
        checks = judge(machine.topology, machine.disks, trip.console.text(), trip.tally.walks)
        checks.append(judge_physical(machine.topology, appliance.kernel_log()))
        appliance.power_off()
        summarize(machine, trip.console.text(), trip.tally)
        return checks


def summarize(machine: Machine, console: str, tally: Tally) -> None:
    said = Said.parse(console)
    row = "{:12}  {:6}  {:24}  {:24}  {:10}  {}"
    print()
    print(row.format("device", "drive", "physical SMMU", "vSMMU", "group type", "nested walks"))
    for place in machine.topology.places():
        drive = said.of(place)
        own = (drive.get("smmu", "-"), drive.get("type", "-"))
        nested = tally.walks(place.stream).stages.get(NESTED, 0)
        print(row.format(place.bdf, place.device.name, place.smmu, *own, nested))
    print("\nthe appliance's clock")
    for what, message in TIMES.items():
        seconds = mark(console, message)
        print(f"  {what:14} " + ("not seen" if seconds is None else f"{seconds:8.3f} s"))


def report(checks: list[Check], machine: Machine) -> int:
    print("\nchecks")
    for check in checks:
        verdict = "ok  " if check.passed else "FAIL"
        print(f"  {verdict}  {check.name}: {' '.join(check.found.split())[:100]}")
    failed = [check for check in checks if not check.passed]
    result = f"{len(failed)} of" if failed else "none of"
    print(f"\nlab: {result} {len(checks)} checks failed; the console's log is {machine.log}")
    return 1 if failed else 0


def main() -> int:
    if config.value("BOARD_QEMU_VIRT") != "y":
        print("lab: .config is for another board: make qemu_virt_defconfig run", file=sys.stderr)
        return 1
    tell = Progress("lab")
    tell("making drives")
    machine = Machine("run")
    if sys.stdin.isatty():
        return hand_over(machine)
    try:
        return report(prove(machine, tell), machine)
    except LabError as error:
        print(f"\nlab: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
