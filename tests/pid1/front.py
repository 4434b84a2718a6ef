# SPDX-License-Identifier: GPL-2.0-or-later
"""Who else speaks to PID 1: programs on the machine and in a guest, and people who must know a password."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import jsonschema

from .console import LIMIT
from .machine import SANITIZERS, Machine, Symbols, await_that
from .stories import VM, running, words

SCHEMAS = Path(__file__).resolve().parents[2] / "docs/schema"
PROGRAMS = 4  # at once
# Of "open sesame", by a few rounds only.
HASH = "$6$rounds=1000$saltsalt$/IiX/CoEcxCZ9SksEXnbjfCT1LGvD4z5OpJkaFYl/T37OAwuKZ8I8BixDhruhPLkw6lS7dw/6wQWgQnGo7lLg/"


def fits(name: str, text: str) -> dict:
    """TEXT, which is as the schema NAME says."""
    value = json.loads(text)
    jsonschema.validate(value, json.loads((SCHEMAS / f"{name}.schema.json").read_text()))
    return value


def answers_programs(build: str) -> None:
    with Machine(build, VM) as machine:
        running(machine)
        done = machine.ctl("status", "vm")
        assert (done.returncode, done.stderr) == (0, ""), done
        assert re.search(r"^vm +running ", done.stdout, re.MULTILINE) and "\r" not in done.stdout
        refused = machine.ctl("start", "vm")
        assert (refused.returncode, refused.stdout) == (1, "hvinit: vm: it is started already\n"), refused
        wrong = machine.ctl("start")
        assert (wrong.returncode, wrong.stdout) == (2, "hvinit: usage: start VM\n"), wrong
        assert machine.ctl("explain", "NO-SUCH-CODE").returncode == 1
        assert machine.ctl("log", "host").stdout.count("vm: running") == 1
        assert machine.ctl("x" * 600).returncode == 2
        assert machine.ctl("stop", "vm").returncode == 0
        machine.console.expect("vm: stopped")
        # Who asked may go down with the machine before it hears that it was done.
        machine.ctl("poweroff")
        assert machine.end() == "signal 2"


def tells_programs_how_it_is(build: str) -> None:
    with Machine(build, VM | {"VM1_NAME": "other", "VM1_MEMORY_MIB": 64}, ("vm", "other")) as machine:
        await_that("both run", lambda: machine.console.ask("status").count(" running ") == 2)
        machine.order("exit=7", "other")
        await_that("one has ended", lambda: machine.state("other") in ("failed", "backoff"))
        status = fits("status", machine.ctl("status", "--json").stdout)
        vm, other = status["vms"]
        assert (vm["name"], vm["state"], vm["starts"], other["name"]) == ("vm", "running", 1, "other")
        assert vm["pid"] in {int(line.split()[1]) for line in namespace_pids(machine)} and vm["to_running_ms"] is not None
        assert sum(other["ends"].values()) == 1
        assert [one["name"] for one in fits("status", machine.ctl("status", "other", "--json").stdout)["vms"]] == ["other"]
        metrics = machine.ctl("metrics").stdout
        assert 'hvinit_vm_state{vm="vm",state="running"} 1\n' in metrics
        assert 'hvinit_vm_state{vm="vm",state="failed"} 0\n' in metrics
        assert re.search(r'^hvinit_vm_ends_total{vm="other",cause="[a-z-]+"} 1$', metrics, re.MULTILINE)
        assert re.search(r'^hvinit_vm_time_to_running_seconds{vm="vm"} \d+\.\d{3}$', metrics, re.MULTILINE)


def namespace_pids(machine: Machine) -> list[str]:
    """"OUTSIDE INSIDE" of each child of PID 1."""
    found = []
    for child in machine.children():
        match = re.search(r"^NSpid:\s*(\d+).*\s(\d+)$", Path(f"/proc/{child}/status").read_text(), re.MULTILINE)
        if match:
            found.append(f"{match[1]} {match[2]}")
    return found


def answers_who_reads_slowly(build: str) -> None:
    """All of it, its end included, though it is more than PID 1 and the kernel keep for a reader."""
    with Machine(build, words("running:flood", VM0_CONSOLE_KIB=1024)) as machine:
        machine.reached("running")
        await_that("there is a lot", lambda: fits("status", machine.ctl("status", "--json").stdout)["vms"][0]["console_bytes"] > 1 << 20)
        machine.console.send("pause vm")
        machine.console.expect("vm: paused")
        slow = subprocess.Popen(machine.inside("/init", "ctl", "log", "vm"), env=SANITIZERS, stdout=subprocess.PIPE)
        assert slow.stdout
        first = slow.stdout.read(1)
        # Others are served meanwhile, and the answer waits.
        for _ in range(5):
            assert machine.ctl("status").returncode == 0
        text = first + slow.stdout.read()
        assert slow.wait(LIMIT) == 0
        assert len(text) > 900 << 10 and b"dropped" not in text, (len(text), text[-200:])


def serves_the_next_guest(build: str) -> None:
    """Whatever its port was at when QEMU ended, nothing is left of it."""
    with Machine(build, VM | {"VM0_CTL": True, "VM0_RESTART": "always", "VM0_RESTART_LIMIT": 100}, clock=2000) as machine:
        running(machine)
        before = None
        for times, orders in enumerate(["exit=0", "ask=version;exit=0", "ask=devices;signal=9", "ask=version;ask=status;exit=0"] * 3, 2):
            machine.order(orders)
            machine.reached("running", times)
            await_that("it runs", lambda: machine.state() == "running")
            before = before or len(machine.descriptors())
            assert len(machine.descriptors()) == before
        machine.order("ask=version;note=end")
        machine.reached("end")


class Follower:
    """hvinit ctl WORDS, which has no end of its own."""

    def __init__(self, machine: Machine, *words: str) -> None:
        self._process = subprocess.Popen(
            machine.ctl_words(*words), env=SANITIZERS, text=True, stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def __enter__(self) -> "Follower":
        return self

    def __exit__(self, *_: object) -> None:
        # It is a child of nsenter's, with another pid inside.
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.communicate(timeout=LIMIT)

    def line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()

    def until(self, holds: Callable[[str], bool]) -> str:
        while not holds(line := self.line()):
            assert line, "it has ended"
        return line


def tells_programs_what_happens(build: str) -> None:
    with Machine(build, VM | {"VM0_AUTOSTART": False}) as machine, Follower(machine, "events") as events:
        assert fits("event", events.line())["event"] == "begin"
        machine.console.send("start vm")
        machine.console.expect("vm: running")
        machine.order("event=SHUTDOWN:guest-shutdown;exit=0")
        machine.console.expect("vm: stopped")
        machine.console.send("start vm")
        seen = []
        while not seen or seen[-1].get("cause") is None:
            seen.append(fits("event", events.line()))
        states = [one["state"] for one in seen if one["event"] == "vm"]
        assert states == ["starting", "prelaunch", "running", "stopped"], states
        assert seen[-1]["cause"] == "guest-shutdown"
        assert [one["before"] for one in seen if one["event"] == "vm"] == ["stopped", *states[:-1]]
        assert [one["up_ms"] for one in seen] == sorted(one["up_ms"] for one in seen)
        machine.console.send("poweroff")
        assert fits("event", events.until(lambda line: '"machine"' in line))["what"] == "poweroff"


def leaves_no_state_out(build: str) -> None:
    """Each event begins where the one before has ended."""
    symbols = {"VM0_RESTART": "always", "VM0_AUTOSTART": False}
    with Machine(build, VM | symbols, clock=2000) as machine, Follower(machine, "events") as events:
        assert fits("event", events.line())["event"] == "begin"
        machine.console.send("start vm")
        machine.reached("running")
        for times in (2, 3):
            machine.order("signal=11")
            machine.reached("running", times)
        state, seen = "stopped", []
        while seen.count("running") < 3:
            event = fits("event", events.line())
            if event["event"] == "vm":
                assert event["before"] == state, (event, state)
                state = event["state"]
                seen.append(state)
        assert "backoff" in seen


def follows_a_log(build: str) -> None:
    with Machine(build, VM) as machine, Follower(machine, "log", "vm", "-f") as log:
        running(machine)
        machine.order("print=first words;print=\033[2Jsecond words")
        log.until(lambda line: line == "first words\n")
        assert log.line() == "second words\n"
        machine.console.send("log host -f")
        machine.console.expect("Ctrl-C comes back")
        machine.order("exit=1")
        machine.console.expect("vm: (failed|backoff)")
        machine.console.type("\x03")
        machine.console.expect("hvinit> ")
        assert "up " in machine.console.ask("status")


def serves_so_many_programs(build: str) -> None:
    with Machine(build, VM) as machine:
        running(machine)
        before = len(machine.descriptors())
        followers = [Follower(machine, "events") for _ in range(PROGRAMS)]
        await_that("they all follow", lambda: len(machine.descriptors()) == before + PROGRAMS)
        turned_away = machine.ctl("status")
        assert turned_away.returncode == 1 and "too many programs" in turned_away.stdout, turned_away
        for follower in followers:
            with follower:
                pass
        await_that("they are gone", lambda: len(machine.descriptors()) == before)
        assert machine.ctl("status").returncode == 0


def answers_a_guest(build: str) -> None:
    with Machine(build, VM | {"VM0_CTL": True}) as machine:
        running(machine)
        machine.order("ask=status vm --json;ask=kill vm;ask=poweroff;ask=metrics;note=end")
        machine.reached("end")
        said = (machine.root / "ctl/vm.log").read_text()
        answers = re.split(r"answered (\d)\n", said[said.index("{"):])
        assert fits("status", answers[0])["vms"][0]["state"] == "running"
        assert answers[1:6] == [
            "0", "hvinit: kill: not for a guest\n", "1", "hvinit: poweroff: not for a guest\n", "1",
        ], answers
        assert "hvinit_up_seconds" in answers[6] and answers[7] == "0"
        assert machine.state() == "running"
        machine.console.send("restart vm")
        machine.reached("running", 2)
        machine.order("ask=version;note=again")
        machine.reached("again")
        assert (machine.root / "ctl/vm.log").read_text().endswith("answered 0\nagain\n")


def bears_a_guest_that_asks_for_ever(build: str) -> None:
    """It keeps neither PID 1 nor its console from anything."""
    with Machine(build, VM | {"VM0_CTL": True}) as machine:
        running(machine)
        machine.order(";".join(["ask=devices"] * 200) + ";note=end")
        for _ in range(5):
            assert machine.state() == "running"
        machine.console.send("kill vm")
        machine.console.expect("vm: stopped")
        assert machine.ctl("status").returncode == 0


def asks_for_a_password(build: str) -> None:
    symbols: Symbols = VM | {"HOST_CONSOLE_PASSWORD": HASH}
    with Machine(build, symbols, clock=2000) as machine:
        running(machine)
        machine.console.send("kill vm")
        machine.console.expect("the password is wrong")
        machine.console.expect("Password: ")
        machine.console.send("open sesame")
        machine.console.expect("somebody has logged in")
        assert machine.state() == "running"
        shown = machine.console.run("manifest")
        assert 'HOST_CONSOLE_PASSWORD="(not shown)"' in shown and "saltsalt" not in shown
        assert "saltsalt" not in machine.console.run("log host") and "sesame" not in machine.console.text()
        machine.console.send("logout")
        machine.console.expect("Password: ")
        # Who is root on the machine needs none.
        assert machine.ctl("version").returncode == 0


def tears_no_line(build: str) -> None:
    """What a command's child prints, by a guest that floods."""
    with Machine(build, words("running:flood", VM0_CONSOLE_ECHO=True)) as machine:
        machine.reached("running")
        for _ in range(5):
            said = [line for line in machine.console.run("status --json").splitlines() if "vm| " not in line]
            fits("status", "\n".join(said[said.index("{"):said.index("}") + 1]))


FRONT: dict[str, Callable[[str], None]] = {
    story.__name__: story
    for story in (
        answers_programs, tells_programs_how_it_is, tells_programs_what_happens, follows_a_log,
        serves_so_many_programs, answers_who_reads_slowly, serves_the_next_guest, leaves_no_state_out, answers_a_guest, bears_a_guest_that_asks_for_ever, asks_for_a_password,
        tears_no_line,
    )
}
