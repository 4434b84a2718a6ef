# SPDX-License-Identifier: GPL-2.0-or-later
"""What PID 1 has to bear, and how the machine goes down."""

import functools
import os
import signal
import termios
from collections.abc import Callable

from . import soak
from .console import Failed
from .machine import Machine, Symbols, await_that, manifest
from .steps import INITIATORS, hold_launchers

VM: Symbols = {"VM0_NAME": "vm", "VM0_MEMORY_MIB": 64}
PATIENT = {"VM0_STOP_TIMEOUT": 3600}
ESCAPE = "\x1d"
LFLAG = 3
SOAKED = 200  # restarts


def words(*orders: str, **symbols: str | int | bool) -> Symbols:
    """A VM whose stand-in does as the ORDERS say."""
    return VM | {"VM0_QEMU_ARGS": " ".join(f"-on '{text}'" for text in orders)} | symbols


def running(machine: Machine) -> None:
    machine.console.expect("vm: running")


# --- what QEMU does ---


def deaf_to_the_button_and_to_quit(build: str) -> None:
    with Machine(build, words("powerdown:none", "quit:none", VM0_STOP_TIMEOUT=1), clock=2000) as machine:
        running(machine)
        machine.console.send("stop vm")
        for line in ("did not obey the power button", "QEMU did not quit: kill", "vm: stopped: killed"):
            machine.console.expect(line)


def deaf_to_everything(build: str) -> None:
    with Machine(build, words("running:deaf;ignore=15", VM0_STOP_TIMEOUT=1), clock=2000) as machine:
        running(machine)
        machine.console.send("stop vm")
        machine.console.expect("vm: stopped: killed")


def frozen(build: str) -> None:
    with Machine(build, words("running:signal=19", VM0_STOP_TIMEOUT=1), clock=2000) as machine:
        running(machine)
        machine.console.send("stop vm")
        machine.console.expect("vm: stopped: killed")


def talks_nonsense(build: str) -> None:
    with Machine(build, VM) as machine:
        running(machine)
        for orders in ("raw=[]", "raw={", "raw={\"event\":", "raw={\"event\":{}}", "raw=\x01\x02"):
            machine.order(orders)
        machine.console.expect("it is no QMP message")
        machine.order("long=100000")
        machine.console.expect("it is too long")
        machine.order('half={"event":')
        machine.order('raw="STOP"}')
        machine.console.expect("vm: paused")


def talks_nonsense_without_end(build: str) -> None:
    with Machine(build, VM) as machine:
        running(machine)
        machine.order(";".join(["raw=no"] * 100 + ["event=STOP"]))
        machine.console.expect("vm: paused")
        assert machine.console.text().count("QMP-BAD") == 8


def tells_of_things_that_happen(build: str) -> None:
    with Machine(build, VM) as machine:
        running(machine)
        for event in ("RTC_CHANGE", "NIC_RX_FILTER_CHANGED", "VSERPORT_CHANGE"):
            machine.order(f"event={event}")
        machine.order("raw=no")
        machine.console.expect("QMP-BAD")
        assert machine.state() == "running"


def leaves_orphans(build: str) -> None:
    with Machine(build, VM) as machine:
        running(machine)
        machine.order(";".join(["orphan=end"] * 20 + ["exit=0"]))
        machine.console.expect("vm: stopped")
        await_that("all are reaped", lambda: not machine.children())


def leaves_a_launcher_killed(build: str) -> None:
    machine = Machine(build, VM)
    hold_launchers(machine)
    with machine:
        machine.console.expect("vm: starting")
        machine.swap(INITIATORS, "0\n")
        await_that("only the launcher is left", lambda: len(machine.children()) == 1)
        os.kill(next(iter(machine.children())), signal.SIGKILL)
        machine.console.expect(r"the launcher was killed by signal 9 \(Killed\)")
        assert machine.state() == "failed"


ENDS = {
    "event=SHUTDOWN:guest-shutdown;exit=0": ("stopped: guest-shutdown", "guest-shutdown"),
    "event=SHUTDOWN:guest-reset;exit=0": ("stopped: guest-reset", "guest-reset"),
    "event=GUEST_PANICKED;event=SHUTDOWN:guest-panic;exit=0": ("failed: .*has panicked", "guest-panic"),
    "event=WATCHDOG;exit=0": ("failed: .*watchdog has bitten", "guest-watchdog"),
    "event=SHUTDOWN:host-signal;exit=0": ("failed: .*sent QEMU a signal", "host-signal"),
    "signal=11": ("failed: .*signal 11", "crash"),
    "exit=3": ("failed: .*status 3", "exit"),
}


def remembers_how_it_ended(build: str) -> None:
    with Machine(build, VM) as machine:
        for orders, (said, _) in ENDS.items():
            running(machine)
            machine.order(orders)
            machine.console.expect(f"vm: {said}")
            machine.console.send("start vm")
        running(machine)
        history = machine.console.run("history vm")
        assert f"ended {len(ENDS)} times" in history
        for _, cause in ENDS.values():
            assert f"  {cause:16} 1" in history, cause


def gives_up(build: str) -> None:
    symbols = words("start:exit=1", VM0_RESTART="always", VM0_RESTART_LIMIT=2)
    with Machine(build, symbols, clock=2000) as machine:
        for line in ("again in 1 s", "again in 2 s", "it has ended 3 times", "vm: failed: start it again"):
            machine.console.expect(line)
        machine.console.send("start vm")
        machine.console.expect("again in 1 s")


def notices_one_that_is_stopped(build: str) -> None:
    with Machine(build, words(VM0_HANG_TIMEOUT=10), clock=2000) as machine:
        running(machine)
        machine.order("signal=19")
        for line in ("QEMU was stopped by signal 19", "QEMU-HUNG", "vm: failed: "):
            machine.console.expect(line)


# --- the console ---


def floods(echo: bool, build: str) -> None:
    with Machine(build, words("running:flood", VM0_CONSOLE_ECHO=echo)) as machine:
        machine.reached("running")
        await_that("the console answers", lambda: machine.state() == "running")
        machine.console.send("console vm")
        machine.console.expect("none of it is worth a look")
        machine.console.type(ESCAPE)
        machine.console.expect("vm: left its console")
        machine.console.send("kill vm")
        # The line that says so may be one of those that the flood leaves no room for.
        await_that("it has ended", lambda: machine.state() == "stopped")


def echoes(build: str) -> None:
    with Machine(build, VM) as machine:
        running(machine)
        machine.console.send("console vm")
        machine.console.expect("vm's console")
        machine.console.type("is anybody there?\r")
        machine.console.expect("is anybody there\\?")
        machine.order("exit=0")
        machine.console.expect("vm: its console is closed")
        machine.console.expect("hvinit> ")


def keeps_what_was_said(build: str) -> None:
    with Machine(build, words("running:say=a warning;print=a guest")) as machine:
        machine.reached("running")
        said = machine.console.run("log vm")
        assert "\na warning\n" in said and "\na guest\n" in said


# --- its own life ---


def restarts_without_a_trace(build: str) -> None:
    with Machine(build, words("running:exit=0")) as machine:
        machine.console.expect("vm: stopped: QEMU ended")
        await_that("the host is prepared", lambda: not machine.children())
        machine.console.ask("status")
        before = machine.descriptors()
        for _ in range(30):
            machine.console.send("start vm")
            machine.console.expect("vm: stopped: QEMU ended")
        machine.console.ask("status")
        assert machine.descriptors() == before
        assert not machine.children()


def allocates_nothing(build: str) -> None:
    """After boot, whatever is asked for. The sanitizers bring an allocator of their own: with them it
    is only that nothing breaks."""
    with Machine(build, words("running:exit=0")) as machine:
        machine.console.expect("vm: stopped: QEMU ended")
        await_that("the host is prepared", lambda: not machine.children())
        before = machine.errors().count("allocation")
        assert before or build == "asan", "it could be told"
        for line in ("start vm", "plan", "log vm", "log host", "check", "help"):
            machine.console.run(line)
        assert machine.errors().count("allocation") == before


def stays_as_it_is(build: str) -> None:
    """A small sample of "make soak"."""
    found = soak.faults([*soak.samples(build, SOAKED, 2)])
    assert not found, found


def goes_down(number: int, text: str, how: str, build: str) -> None:
    """By signal NUMBER; HOW the kernel tells it."""
    symbols: Symbols = VM | {"VM1_NAME": "other", "VM1_MEMORY_MIB": 64}
    with Machine(build, symbols, ("vm", "other")) as machine:
        await_that("both run", lambda: machine.console.ask("status").count(" running ") == 2)
        machine.signal(number)
        assert machine.end() == how
        said = machine.console.text()
        for name in ("vm", "other"):
            assert said.index(f"{name}: stopped: guest-shutdown") < said.index(f"host: {text}")


def goes_down_at_once(build: str) -> None:
    """The second time, guests are not waited for."""
    with Machine(build, words("powerdown:none") | PATIENT) as machine:
        running(machine)
        machine.signal(signal.SIGTERM)
        machine.reached("powerdown")
        machine.console.send("poweroff")
        machine.console.expect("vm: stopped: killed")
        machine.console.expect("host: power off")
        assert machine.end() == "signal 2"


def breaks_an_update_off(build: str) -> None:
    """What a command has mounted is unmounted when it has ended: the machine waits for that, and no longer."""
    with Machine(build, words("powerdown:none") | PATIENT) as machine:
        running(machine)
        machine.console.send("update --sha256 " + "0" * 64)
        machine.console.expect("looking for a medium")
        machine.signal(signal.SIGTERM)
        machine.reached("powerdown")
        assert "ended by signal" not in machine.console.text()
        machine.signal(signal.SIGTERM)
        machine.console.expect("vm: stopped: killed")
        machine.console.expect("the command ended by signal 9")
        machine.console.expect("host: reboot")
        assert "not done in" not in machine.console.text()
        assert machine.end() == "signal 1"


def ends_with_its_last_vm(build: str) -> None:
    with Machine(build, VM | {"HOST_ON_LAST_VM": "poweroff"}) as machine:
        running(machine)
        machine.order("event=SHUTDOWN:guest-shutdown;exit=0")
        machine.console.expect("vm: stopped: guest-shutdown")
        assert machine.end() == "signal 2"


def bears_a_bad_manifest(text: str, build: str) -> None:
    with Machine(build, {}, text=text) as machine:
        machine.console.expect("safe mode: the manifest cannot be trusted")
        machine.console.expect("safe mode: no VM is started")
        assert "hvinit 0" in machine.console.ask("version")
        assert "[UPDATE-DRIVERS]" in machine.console.ask("update --sha256 " + "0" * 64)
        machine.console.send("poweroff")
        assert machine.end() == "signal 2"


def says_last_words(number: int, name: str, build: str) -> None:
    with Machine(build, VM, clock=2000) as machine:
        running(machine)
        machine.signal(number)
        assert machine.end() == "signal 1"
        assert f"PID 1: fault in itself: {name}" in machine.errors()


def halts_after_a_fault(build: str) -> None:
    with Machine(build, VM | {"HOST_ON_FATAL": "halt"}) as machine:
        running(machine)
        machine.signal(signal.SIGSEGV)
        await_that("it has said why", lambda: "bad address" in machine.errors())
        await_that("the terminal is as it was", lambda: bool(machine.terminal()[LFLAG] & termios.ICANON))
        try:
            machine.console.expect("hvinit> ", limit=0.2)
            machine.console.send("status")
            machine.console.expect("VMs with a process", limit=0.2)
        except Failed:
            return
        raise AssertionError("it goes on as if nothing had happened")


def runs_eight(build: str) -> None:
    names = tuple(f"vm{slot}" for slot in range(8))
    symbols: Symbols = {}
    for slot, name in enumerate(names):
        symbols |= {f"VM{slot}_NAME": name, f"VM{slot}_MEMORY_MIB": 64, f"VM{slot}_START_ORDER": slot // 4}
    with Machine(build, symbols, names) as machine:
        await_that("all run", lambda: machine.console.ask("status").count(" running ") == 8)
        said = machine.console.text()
        assert max(said.index(f"vm{n}: running") for n in range(4)) < said.index("vm4: starting")
        machine.order("signal=11", "vm3")
        machine.console.expect("vm3: failed: .*signal 11")
        status = machine.console.ask("status")
        assert status.count(" running ") == 7
        uids = {machine.user(process) for process in machine.children()}
        assert len(uids) == 7 and machine.user(machine.pid) not in uids
        machine.console.send("poweroff")
        assert machine.end() == "signal 2"


GOOD = manifest(VM)
Story = Callable[[str], None]
STORIES: dict[str, Story] = {
    story.__name__: story
    for story in (
        deaf_to_the_button_and_to_quit, deaf_to_everything, frozen, talks_nonsense, talks_nonsense_without_end,
        tells_of_things_that_happen, remembers_how_it_ended, gives_up, notices_one_that_is_stopped,
        leaves_orphans, leaves_a_launcher_killed, echoes, keeps_what_was_said,
        restarts_without_a_trace, allocates_nothing, stays_as_it_is, goes_down_at_once,
        breaks_an_update_off,
        ends_with_its_last_vm, halts_after_a_fault, runs_eight,
    )
} | {
    "floods": functools.partial(floods, False),
    "floods_the_operator": functools.partial(floods, True),
    "reboots_by_sigterm": functools.partial(goes_down, signal.SIGTERM, "reboot", "signal 1"),
    "reboots_by_sigint": functools.partial(goes_down, signal.SIGINT, "reboot", "signal 1"),
    "halts_by_sigusr1": functools.partial(goes_down, signal.SIGUSR1, "halt", "signal 2"),
    "powers_off_by_sigusr2": functools.partial(goes_down, signal.SIGUSR2, "power off", "signal 2"),
    "powers_off_by_sigpwr": functools.partial(goes_down, signal.SIGPWR, "power off", "signal 2"),
    "bears_an_edited_manifest": functools.partial(bears_a_bad_manifest, GOOD.replace("64", "65")),
    "bears_an_empty_manifest": functools.partial(bears_a_bad_manifest, ""),
    "bears_noise_for_a_manifest": functools.partial(bears_a_bad_manifest, "\x00\x01\x02" * 1000),
    "bears_an_unknown_symbol": functools.partial(bears_a_bad_manifest, manifest({"NOBODY": 1})),
    "says_last_words_on_sigsegv": functools.partial(says_last_words, signal.SIGSEGV, "bad address"),
    "says_last_words_on_sigabrt": functools.partial(says_last_words, signal.SIGABRT, "abort"),
    "says_last_words_on_sigbus": functools.partial(says_last_words, signal.SIGBUS, "bus error"),
    "says_last_words_on_sigfpe": functools.partial(says_last_words, signal.SIGFPE, "arithmetic fault"),
}
