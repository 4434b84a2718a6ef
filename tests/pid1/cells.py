# SPDX-License-Identifier: GPL-2.0-or-later
"""A case for each cell of the table of states and events in init/: how the state is reached, how the
event is caused, and what has to come of it. test_cells.py compares this table with that one."""

from dataclasses import dataclass, field, replace

from .machine import Symbols
from .steps import (
    Step, fail_host, freeze, has, hold_host, hold_launchers, let_go, let_launch, meet_launcher, never,
    order, pass_by, reached, say, sees, sink, thaw,
)

FAST, SLOW = 2000, 5  # percent of the clock's speed
UNHEARD = never("exec QEMU")
NOISE = [order("raw=no JSON"), sees("QMP-BAD")]  # what came before has been read, too


@dataclass(frozen=True)
class Given:
    """A way to a state. BEFORE is done before power-on."""

    steps: list[Step]
    words: str = ""  # for the stand-in
    symbols: Symbols = field(default_factory=dict)
    clock: int = 100
    tarpit: bool = False
    before: list[Step] = field(default_factory=list)
    starts: bool = True  # somebody has to start the VM, if the machine does not


@dataclass(frozen=True)
class Cell:
    """CAUSE is the event, AFTER what then has to come, THEN the state in the end. GIVEN replaces the
    usual way to the state; with ARRIVES the state is looked at before the event."""

    then: str
    after: list[Step] = field(default_factory=list)
    cause: list[Step] | None = None
    given: Given | None = None
    arrives: bool = True


@dataclass(frozen=True)
class Ignored(Cell):
    """Nothing comes of it: init/'s table says so, too."""


@dataclass(frozen=True)
class Unreachable:
    """REASON says why nothing from outside leads there."""

    reason: str


RUNNING = sees("vm: running")

STATES = {
    "INVALID": Given([sees("vm: invalid")], symbols={"VM0_MEMORY_MIB": 1}, starts=False),
    "STOPPED": Given([], symbols={"VM0_AUTOSTART": False}, starts=False),
    "STARTING": Given([sees("exec QEMU"), reached("start")], "-on start:none"),
    "PRELAUNCH": Given([sees("vm: prelaunch"), reached("cont")], "-on cont:none"),
    "RUNNING": Given([RUNNING]),
    "PAUSED": Given([RUNNING, order("event=STOP"), sees("vm: paused")]),
    "STOPPING": Given(
        [RUNNING, say("stop vm"), sees("stopping: power button"), reached("powerdown")], "-on powerdown:none"
    ),
    "STUCK": Given([RUNNING, sink, say("kill vm"), sees(r"vm: stuck: .*still there")], clock=FAST, tarpit=True),
    "BACKOFF": Given(
        [sees("backoff: it starts again")], "-on start:exit=1", {"VM0_RESTART": "always"}, clock=SLOW
    ),
    "FAILED": Given([sees("vm: failed")], "-on start:exit=1"),
}


def held_launcher(name: str, said: str, *steps: Step) -> Given:
    """A launcher's report, two records long, is read after a QEMU that talks without being asked: the
    first record lets QMP pass. Only a PID 1 that was held up for long comes to that."""
    frozen = [meet_launcher, freeze, *steps, let_launch, reached("said"), thaw]
    words, before = f"-on 'start:{said};note=said' -on cont:none", [hold_launchers]
    return replace(STATES[name], steps=[sees("vm: starting"), *frozen], words=words, before=before)


def unprepared(name: str) -> Given:
    """The same state while the host's child still has something to say about the VM."""
    given = STATES[name]
    start = [say("start vm")] if given.starts else []
    symbols = {"VM0_HUGEPAGES": "2M", "VM0_NUMA_NODE": "0", **given.symbols}
    return replace(given, steps=[pass_by, *start, *given.steps], symbols=symbols, before=[hold_host])


def unfit(name: str, then: str = "") -> Cell:
    kind = Cell if then else Ignored
    return kind(then or name.lower(), [sees("HUGE-SHORT", then and f"vm: {then}")], [fail_host], unprepared(name))


def same(name: str, *cause: Step) -> Ignored:
    """What QEMU says means nothing now."""
    return Ignored(name.lower(), NOISE, list(cause) or None)


def no(name: str, why: str) -> Cell:
    """The operator is told WHY not."""
    return Cell(name.lower(), [sees(f"hvinit: vm: {why}")])


def late(name: str, then: str, said: str, **symbols: str | int | bool) -> Cell:
    return Cell(then, [sees(said)], [], replace(STATES[name], clock=10000, symbols=symbols), arrives=False)


NO_PROCESS = Unreachable("there is no process, and its descriptors are closed")
NO_TIMER = Unreachable("the timer is off in this state")
SILENT = Unreachable("what SIGKILL was sent to says nothing more, and all it had said was read before")
EVENTS: dict[str, list[Step]] = {
    "START": [say("start vm")],
    "STOP": [say("stop vm")],
    "KILL": [say("kill vm")],
    "READY": [order("return=status:prelaunch")],
    "RESUMED": [order("event=RESUME")],
    "PAUSED": [order("event=STOP")],
    "REFUSED": [order("error=no")],
    "LOST": [order("close")],
    "ENDED": [order("exit=0")],
}
IDLE = {
    "EXEC": NO_PROCESS, "READY": NO_PROCESS, "RESUMED": NO_PROCESS, "PAUSED": NO_PROCESS,
    "REFUSED": NO_PROCESS, "LOST": NO_PROCESS, "ENDED": NO_PROCESS,
}

CELLS: dict[str, dict[str, Cell | Unreachable]] = {
    "INVALID": {
        **IDLE,
        "START": no("INVALID", "its manifest has faults"),
        "STOP": no("INVALID", "it is not running"),
        "KILL": no("INVALID", "it is not running"),
        "TIMEOUT": NO_TIMER,
        "UNFIT": unfit("INVALID"),
    },
    "STOPPED": {
        **IDLE,
        "START": Cell("running", [sees("vm: starting", "vm: running")]),
        "STOP": no("STOPPED", "it is not running"),
        "KILL": no("STOPPED", "it is not running"),
        "TIMEOUT": NO_TIMER,
        "UNFIT": unfit("STOPPED", "failed"),
    },
    "STARTING": {
        "START": no("STARTING", "it is started already"),
        "STOP": Cell("stopped", [sees("stopping: killed while it was starting", "stopped: killed")]),
        "KILL": Cell("stopped", [sees("stopping: killed by the operator", "stopped: killed")]),
        "EXEC": Cell(
            "starting", [sees("exec QEMU"), reached("start")], [let_launch],
            Given([sees("vm: starting")], "-on start:none", before=[hold_launchers]),
        ),
        "READY": Cell(
            "prelaunch", [sees("vm: prelaunch")], None,
            replace(STATES["STARTING"], words="-on start:none -on cont:none"),
        ),
        "RESUMED": same("STARTING"),
        "PAUSED": same("STARTING"),
        "REFUSED": Cell("failed", [sees("QEMU-REFUSED", "stopping: killed for a fault", "vm: failed: .*no")]),
        "LOST": Cell("starting", [has("socket", 1)]),
        "TIMEOUT": late("STARTING", "failed", "QMP-LATE(?s:.*)vm: failed"),
        "ENDED": Cell("failed", [sees("QEMU exited with status 3")], [order("exit=3")]),
        "UNFIT": unfit("STARTING"),
    },
    "PRELAUNCH": {
        "START": no("PRELAUNCH", "it is started already"),
        "STOP": Cell("stopped", [sees("stopping: killed while it was starting", "stopped: killed")]),
        "KILL": Cell("stopped", [sees("stopping: killed by the operator", "stopped: killed")]),
        "EXEC": Ignored("prelaunch", [*NOISE, UNHEARD], [], held_launcher("PRELAUNCH", "return=status:prelaunch")),
        "READY": same("PRELAUNCH"),
        "RESUMED": Cell("running", [RUNNING]),
        "PAUSED": same("PRELAUNCH"),
        "REFUSED": Cell("failed", [sees("QEMU-REFUSED", "stopping: killed for a fault", "vm: failed: .*no")]),
        "LOST": Cell("prelaunch", [has("socket", 1)]),
        "TIMEOUT": late("PRELAUNCH", "failed", "QMP-LATE(?s:.*)vm: failed"),
        "ENDED": Cell("failed", [sees("QEMU exited with status 3")], [order("exit=3")]),
        "UNFIT": unfit("PRELAUNCH"),
    },
    "RUNNING": {
        "START": no("RUNNING", "it is started already"),
        "STOP": Cell("stopped", [sees("stopping: power button", "stopped: guest-shutdown")]),
        "KILL": Cell("stopped", [sees("stopping: killed by the operator", "stopped: killed")]),
        "EXEC": Ignored(
            "running", [*NOISE, UNHEARD], [],
            held_launcher("RUNNING", "return=status:prelaunch;event=RESUME"),
        ),
        "READY": same("RUNNING"),
        "RESUMED": same("RUNNING"),
        "PAUSED": Cell("paused", [sees("vm: paused")]),
        "REFUSED": same("RUNNING"),
        "LOST": Cell("running", [has("socket", 1)]),
        "TIMEOUT": Cell(
            "failed", [sees("it closed its monitor and runs on", "vm: failed")], [order("close")],
            replace(STATES["RUNNING"], clock=FAST),
        ),
        "ENDED": Cell("stopped", [sees("stopped: QEMU ended")]),
        "UNFIT": unfit("RUNNING"),
    },
    "PAUSED": {
        "START": no("PAUSED", "it is started already"),
        "STOP": Cell("stopped", [sees("stopping: quit", "stopped: host-qmp-quit")]),
        "KILL": Cell("stopped", [sees("stopping: killed by the operator", "stopped: killed")]),
        "EXEC": Ignored(
            "paused", [*NOISE, UNHEARD], [],
            held_launcher("PAUSED", "return=status:prelaunch;event=RESUME;event=STOP"),
        ),
        "READY": same("PAUSED"),
        "RESUMED": Cell("running", [RUNNING]),
        "PAUSED": same("PAUSED"),
        "REFUSED": same("PAUSED"),
        "LOST": Cell("paused", [has("socket", 1)]),
        "TIMEOUT": Cell(
            "failed", [sees("it closed its monitor and runs on", "vm: failed")], [order("close")],
            replace(STATES["PAUSED"], clock=FAST),
        ),
        "ENDED": Cell("stopped", [sees("stopped: QEMU ended")]),
        "UNFIT": unfit("PAUSED"),
    },
    "STOPPING": {
        "START": no("STOPPING", "it is being stopped already"),
        "STOP": no("STOPPING", "it is being stopped already"),
        "KILL": Cell("stopped", [sees("stopping: killed by the operator", "stopped: killed")]),
        "EXEC": Ignored(
            "stopped", [sees("stopped: killed"), UNHEARD], [],
            held_launcher("STOPPING", "none", say("kill vm")), arrives=False,
        ),
        "READY": same("STOPPING"),
        "RESUMED": same("STOPPING"),
        "PAUSED": same("STOPPING"),
        "REFUSED": same("STOPPING"),
        "LOST": Ignored("stopping", [has("socket", 1)]),
        "TIMEOUT": Cell(
            "stopped", [sees("did not obey the power button", "stopped: host-qmp-quit")], [],
            replace(STATES["STOPPING"], symbols={"VM0_STOP_TIMEOUT": 1}), arrives=False,
        ),
        "ENDED": Cell("stopped", [sees("vm: stopped")]),
        "UNFIT": unfit("STOPPING"),
    },
    "STUCK": {
        "START": no("STUCK", "the kernel does not let go of its QEMU"),
        "STOP": no("STUCK", "the kernel does not let go of its QEMU"),
        "KILL": Cell("stuck"),
        "EXEC": SILENT, "READY": SILENT, "RESUMED": SILENT, "PAUSED": SILENT, "REFUSED": SILENT,
        "LOST": SILENT,
        "TIMEOUT": NO_TIMER,
        "ENDED": Cell("stopped", [sees("stopped: killed")], [let_go]),
        "UNFIT": unfit("STUCK"),
    },
    "BACKOFF": {
        **IDLE,
        "START": Cell("backoff", [sees("vm: starting", "backoff: it starts again")]),
        "STOP": Cell("stopped", [sees("stopped: not started again")]),
        "KILL": Cell("stopped", [sees("stopped: not started again")]),
        "TIMEOUT": Cell(
            "backoff", [sees("vm: starting", "starts again in 2 s", "vm: starting", "starts again in 4 s")], [],
            replace(STATES["BACKOFF"], clock=1000), arrives=False,
        ),
        "UNFIT": unfit("BACKOFF"),
    },
    "FAILED": {
        **IDLE,
        "START": Cell("failed", [sees("vm: starting", "vm: failed")]),
        "STOP": no("FAILED", "it is not running"),
        "KILL": no("FAILED", "it is not running"),
        "TIMEOUT": NO_TIMER,
        "UNFIT": unfit("FAILED"),
    },
}
