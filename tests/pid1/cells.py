# SPDX-License-Identifier: GPL-2.0-or-later
"""A case for each cell of the table of states and events in init/: how the state is reached, how the
event is caused, and what has to come of it. test_cells.py compares this table with that one."""

from dataclasses import dataclass, field, replace

from .machine import Symbols
from .steps import (
    Step, fail_host, freeze, has, hold_host, hold_launchers, let_go, let_launch, meet_launcher, order, pass_by, reached, said, say, sees, sink, thaw,
)

FAST, SLOW = 2000, 5  # percent of the clock's speed
LEFT = 3  # sockets without the monitor: the serial console, that of uevents, and that of ctl
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
        [sees("backoff: it starts again")], "-on start:exit=1", {"VM0_RESTART": "always", "VM0_RESTART_LIMIT": 0}, clock=SLOW
    ),
    "FAILED": Given([sees("vm: failed")], "-on start:exit=1"),
}


def held_launcher(name: str, words: str, *steps: Step) -> Given:
    """A launcher's report, two records long, is read after a QEMU that talks without being asked: the
    first record lets QMP pass. Only a PID 1 that was held up for long comes to that."""
    frozen = [meet_launcher, freeze, *steps, let_launch, reached("said"), thaw]
    orders, before = f"-on 'start:{words};note=said' -on cont:none", [hold_launchers]
    settled = [] if name == "STOPPING" else [sees(f"vm: {name.lower()}")]
    return replace(STATES[name], steps=[sees("vm: starting"), *frozen, *settled], words=orders, before=before)


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


def late(name: str, then: str, words: str, **symbols: str | int | bool) -> Cell:
    return Cell(then, [sees(words)], [], replace(STATES[name], clock=FAST, symbols=symbols), arrives=False)


NO_PROCESS = Unreachable("there is no process, and its descriptors are closed")
NO_TIMER = Unreachable("the timer is off in this state")
NO_DEVICES = Unreachable("the timer is for devices that are given back, and there are none here")
NOT_ASKED = Unreachable("only a QEMU whose guest runs or is paused is asked whether it answers")
WITH_THE_END = Unreachable("a group is empty when its processes have ended, a moment before or after ENDED")
NO_GROUP = Unreachable("nobody listens to a group that is empty")
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
    "RESTART": [say("restart vm")],
    "PAUSE": [say("pause vm")],
    "RESUME": [say("resume vm")],
    "RESET": [say("reset vm")],
}
IDLE = {
    "EXEC": NO_PROCESS, "READY": NO_PROCESS, "RESUMED": NO_PROCESS, "PAUSED": NO_PROCESS,
    "REFUSED": NO_PROCESS, "LOST": NO_PROCESS, "ENDED": NO_PROCESS, "HUNG": NOT_ASKED, "EMPTY": NO_GROUP,
}


def idle(name: str) -> dict[str, Cell | Unreachable]:
    """What is so without a process."""
    nothing = no(name, "it is not running")
    return {**IDLE, "PAUSE": nothing, "RESUME": nothing, "RESET": nothing}


def busy(name: str, why: str) -> dict[str, Cell | Unreachable]:
    """What cannot be asked for while a guest does not run."""
    return {event: no(name, why) for event in ("PAUSE", "RESUME", "RESET")}


def hung(name: str) -> Cell:
    """It reads no more, and somebody wants an answer."""
    given = replace(STATES[name], symbols={"VM0_HANG_TIMEOUT": 60}, clock=FAST)
    return Cell("failed", [sees("QEMU-HUNG", "vm: failed: talk to QEMU")], [order("deaf")], given)

CELLS: dict[str, dict[str, Cell | Unreachable]] = {
    "INVALID": {
        **idle("INVALID"),
        "START": no("INVALID", "its manifest has faults"),
        "STOP": no("INVALID", "it is not running"),
        "KILL": no("INVALID", "it is not running"),
        "RESTART": no("INVALID", "its manifest has faults"),
        "TIMEOUT": NO_TIMER,
        "UNFIT": unfit("INVALID"),
    },
    "STOPPED": {
        **idle("STOPPED"),
        "START": Cell("running", [sees("vm: starting", "vm: running")]),
        "STOP": no("STOPPED", "it is not running"),
        "KILL": no("STOPPED", "it is not running"),
        "RESTART": Cell("running", [sees("vm: starting", "vm: running")]),
        "TIMEOUT": NO_DEVICES,
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
        "LOST": Cell("starting", [has("socket", LEFT)]),
        "TIMEOUT": late("STARTING", "failed", "QMP-LATE(?s:.*)vm: failed"),
        "ENDED": Cell("failed", [sees("QEMU exited with status 3")], [order("exit=3")]),
        "RESTART": Cell("starting", [sees("stopping: killed while it was starting", "stopped: killed", "vm: starting")]),
        **busy("STARTING", "its guest does not run yet"),
        "HUNG": NOT_ASKED,
        "EMPTY": WITH_THE_END,
        "UNFIT": unfit("STARTING"),
    },
    "PRELAUNCH": {
        "START": no("PRELAUNCH", "it is started already"),
        "STOP": Cell("stopped", [sees("stopping: killed while it was starting", "stopped: killed")]),
        "KILL": Cell("stopped", [sees("stopping: killed by the operator", "stopped: killed")]),
        "EXEC": Cell("prelaunch", [said("exec QEMU")], [], held_launcher("PRELAUNCH", "return=status:prelaunch")),
        "READY": same("PRELAUNCH"),
        "RESUMED": Cell("running", [RUNNING]),
        "PAUSED": same("PRELAUNCH"),
        "REFUSED": Cell("failed", [sees("QEMU-REFUSED", "stopping: killed for a fault", "vm: failed: .*no")]),
        "LOST": Cell("prelaunch", [has("socket", LEFT)]),
        "TIMEOUT": late("PRELAUNCH", "failed", "QMP-LATE(?s:.*)vm: failed"),
        "ENDED": Cell("failed", [sees("QEMU exited with status 3")], [order("exit=3")]),
        "RESTART": Cell("prelaunch", [sees("stopping: killed while it was starting", "stopped: killed", "vm: prelaunch")]),
        **busy("PRELAUNCH", "its guest does not run yet"),
        "HUNG": NOT_ASKED,
        "EMPTY": WITH_THE_END,
        "UNFIT": unfit("PRELAUNCH"),
    },
    "RUNNING": {
        "START": no("RUNNING", "it is started already"),
        "STOP": Cell("stopped", [sees("stopping: power button", "stopped: guest-shutdown")]),
        "KILL": Cell("stopped", [sees("stopping: killed by the operator", "stopped: killed")]),
        "EXEC": Cell(
            "running", [said("exec QEMU")], [],
            held_launcher("RUNNING", "return=status:prelaunch;event=RESUME"),
        ),
        "READY": same("RUNNING"),
        "RESUMED": same("RUNNING"),
        "PAUSED": Cell("paused", [sees("vm: paused")]),
        "REFUSED": same("RUNNING"),
        "LOST": Cell("running", [has("socket", LEFT)]),
        "TIMEOUT": Cell(
            "failed", [sees("it closed its monitor and runs on", "vm: failed")], [order("close")],
            replace(STATES["RUNNING"], clock=FAST),
        ),
        "ENDED": Cell("stopped", [sees("stopped: QEMU ended")]),
        "RESTART": Cell("running", [sees("stopping: power button", "stopped: guest-shutdown", "vm: running")]),
        "PAUSE": Cell("paused", [sees("vm: paused")]),
        "RESUME": no("RUNNING", "it is running"),
        "RESET": Cell("running", [reached("command")]),
        "HUNG": hung("RUNNING"),
        "EMPTY": WITH_THE_END,
        "UNFIT": unfit("RUNNING"),
    },
    "PAUSED": {
        "START": no("PAUSED", "it is started already"),
        "STOP": Cell("stopped", [sees("stopping: quit", "stopped: host-qmp-quit")]),
        "KILL": Cell("stopped", [sees("stopping: killed by the operator", "stopped: killed")]),
        "EXEC": Cell(
            "paused", [said("exec QEMU")], [],
            held_launcher("PAUSED", "return=status:prelaunch;event=RESUME;event=STOP"),
        ),
        "READY": same("PAUSED"),
        "RESUMED": Cell("running", [RUNNING]),
        "PAUSED": same("PAUSED"),
        "REFUSED": same("PAUSED"),
        "LOST": Cell("paused", [has("socket", LEFT)]),
        "TIMEOUT": Cell(
            "failed", [sees("it closed its monitor and runs on", "vm: failed")], [order("close")],
            replace(STATES["PAUSED"], clock=FAST),
        ),
        "ENDED": Cell("stopped", [sees("stopped: QEMU ended")]),
        "RESTART": Cell("running", [sees("stopping: quit", "stopped: host-qmp-quit", "vm: running")]),
        "PAUSE": no("PAUSED", "it is paused already"),
        "RESUME": Cell("running", [RUNNING]),
        "RESET": Cell("paused", [reached("command")]),
        "HUNG": hung("PAUSED"),
        "EMPTY": WITH_THE_END,
        "UNFIT": unfit("PAUSED"),
    },
    "STOPPING": {
        "START": no("STOPPING", "it is being stopped already"),
        "STOP": no("STOPPING", "it is being stopped already"),
        "KILL": Cell("stopped", [sees("stopping: killed by the operator", "stopped: killed")]),
        "EXEC": Cell(
            "stopped", [said("exec QEMU"), said("stopped: killed")], [],
            held_launcher("STOPPING", "none", say("kill vm")), arrives=False,
        ),
        "READY": same("STOPPING"),
        "RESUMED": same("STOPPING"),
        "PAUSED": same("STOPPING"),
        "REFUSED": same("STOPPING"),
        "LOST": Ignored("stopping", [has("socket", LEFT)]),
        "TIMEOUT": Cell(
            "stopped", [sees("did not obey the power button", "stopped: host-qmp-quit")], [],
            replace(STATES["STOPPING"], symbols={"VM0_STOP_TIMEOUT": 1}), arrives=False,
        ),
        "ENDED": Cell("stopped", [sees("vm: stopped")]),
        "RESTART": Cell("stopping"),
        **busy("STOPPING", "it is being stopped already"),
        "HUNG": NOT_ASKED,
        "EMPTY": WITH_THE_END,
        "UNFIT": unfit("STOPPING"),
    },
    "STUCK": {
        "START": no("STUCK", "the kernel does not let go of its QEMU"),
        "STOP": no("STUCK", "the kernel does not let go of its QEMU"),
        "KILL": Cell("stuck"),
        "EXEC": SILENT, "READY": SILENT, "RESUMED": SILENT, "PAUSED": SILENT, "REFUSED": SILENT,
        "LOST": SILENT,
        "RESTART": no("STUCK", "the kernel does not let go of its QEMU"),
        **busy("STUCK", "the kernel does not let go of its QEMU"),
        "HUNG": NOT_ASKED,
        "EMPTY": WITH_THE_END,
        "TIMEOUT": NO_TIMER,
        "ENDED": Cell("stopped", [sees("stopped: killed")], [let_go]),
        "UNFIT": unfit("STUCK"),
    },
    "BACKOFF": {
        **idle("BACKOFF"),
        "START": Cell("backoff", [sees("vm: starting", "backoff: it starts again")]),
        "STOP": Cell("stopped", [sees("stopped: not started again")]),
        "KILL": Cell("stopped", [sees("stopped: not started again")]),
        "TIMEOUT": Cell(
            "backoff", [sees("vm: starting", "starts again in 2 s", "vm: starting", "starts again in 4 s")], [],
            replace(STATES["BACKOFF"], clock=500), arrives=False,
        ),
        "RESTART": Cell("backoff", [sees("vm: starting", "backoff: it starts again")]),
        "UNFIT": unfit("BACKOFF"),
    },
    "FAILED": {
        **idle("FAILED"),
        "START": Cell("failed", [sees("vm: starting", "vm: failed")]),
        "STOP": no("FAILED", "it is not running"),
        "KILL": no("FAILED", "it is not running"),
        "RESTART": Cell("failed", [sees("vm: starting", "vm: failed")]),
        "TIMEOUT": NO_DEVICES,
        "UNFIT": unfit("FAILED"),
    },
}
