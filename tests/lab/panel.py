# SPDX-License-Identifier: GPL-2.0-or-later
"""The front panel over real serial lines, two of them: a password, commands and what is no command, a
paste, noise, a break, and a guest that floods its console; and the same commands for programs, on the
machine and in a guest."""

import os
import random
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import config
from .appliance import PROMPT, SHELL_PROMPT, Appliance
from .console import Console, patient
from .machine import Machine, Trip
from .progress import Progress
from .story import Story

NOISE = int(os.environ.get("LAB_NOISE_KIB", "64")) << 10
PASSWORD = "open sesame"
# Of that, by a few rounds only: what is emulated is slow.
HASH = "$6$rounds=1000$saltsalt$/IiX/CoEcxCZ9SksEXnbjfCT1LGvD4z5OpJkaFYl/T37OAwuKZ8I8BixDhruhPLkw6lS7dw/6wQWgQnGo7lLg/"
NOISE_LIMIT = 1800.0  # seconds: every byte is answered, by some line of the screen now and then
LINES = 100
LEAVE = "\x1d"
# What is typed, and how the answer begins.
LINES_TYPED = {
    "version": "hvinit 0",
    "ver": "hvinit 0",
    "status": "hvinit 0",
    "status demo": "VM +STATE",
    "help": "help \\[COMMAND\\]",
    "help kill": "kill VM",
    "devices": "DEVICE",
    "devices --json": "{",
    "plan": "demo",
    "argv demo": "/usr/bin/qemu-system-aarch64",
    "check": "kvm",
    "explain DEV-NONE": "### DEV-NONE",
    "record": "# hvinit host record",
    "manifest": "# hvinit manifest",
    "status --json": "{",
    "metrics": "# HELP hvinit_info",
    "history demo": "ended 0 times",
    "log demo": "--- demo: QEMU",
    "log host": "\\[ +0.0",
    "set HOST_LOG_LEVEL=3": "",
    "": "",
    "statsu": "hvinit: statsu: no such command; did you mean 'status'",
    "st": "hvinit: st: ambiguous: status start stop",
    "stop nobody": "hvinit: nobody: no such VM",
    "stop": "hvinit: usage: stop VM",
    "kil demo": "hvinit: kil: 'kill' must be typed in full",
    "attach demo 99": "hvinit: demo: its manifest has no device of that number",
    "quarantine 0000:00:00.0": "hvinit: 0000:00:00.0: it is no VM's device",
    "set HOST_SHELL=n": "hvinit: .*cannot be set there",
    "set VM0_CPUS=none": "hvinit: .*VM0_CPUS",
    "x" * 600: "hvinit: x+: no such command",
}


@dataclass
class Panel(Story):
    """What the story leaves behind."""

    second: str = ""


def panel(tell: Progress) -> Panel:
    words = {last: config.value(f"VM0_{last}") for last in ("KERNEL", "INITRD")}
    command_line = f"{config.value('VM0_CMDLINE')} demo.shell"
    flood = {f"VM1_{last}": word for last, word in words.items()}
    with tempfile.TemporaryDirectory() as folder:
        second = Path(folder) / "line"
        machine = Machine(
            "panel",
            config=config.changed(
                HOST_CONSOLE_PASSWORD=HASH, VM0_CTL=True, VM0_CMDLINE=command_line, VM1_NAME="flood", VM1_MEMORY_MIB=128,
                VM1_CMDLINE=command_line, VM1_CONSOLE_ECHO=False, VM1_CONSOLE_KIB=16, **flood,
            ),
            extra=[
                "-chardev", f"socket,id=second,path={second},server=on,wait=off",
                "-serial", "chardev:second",
            ],
            words="console=ttyAMA1 console=ttyAMA0",
        )  # fmt: skip
        seen = Panel(machine)
        with Trip(machine) as trip:
            appliance = Appliance(trip, tell)
            appliance.await_init()
            line = socket.socket(socket.AF_UNIX)
            line.connect(str(second))
            other = Console(patient(line), machine.folder / "second.log")
            _login(appliance, other, seen)
            appliance.await_proof("demo")
            for chapter in (_commands, _two, _follow, _programs, _readme, _guest, _paste, _flood, _break, _noise):
                chapter(appliance, other, seen)
                tell(f"panel: {chapter.__name__.strip('_')} is over")
            appliance.power_off()
            seen.console, seen.second = trip.console.text(), other.text()
    return seen


def _login(appliance: Appliance, other: Console, seen: Panel) -> None:
    """What is typed at the door is no command, and who is wrong waits."""
    console = appliance.console
    console.send("poweroff")
    console.expect("the password is wrong")
    console.send("version")
    console.expect("Password: ")
    for line in (console, other):
        _log_in(line)
    seen.answers["login"] = console.text()


def _log_in(line: Console) -> None:
    """What is typed while it waits is not read: then once more."""
    line.send(PASSWORD)
    while "wrong" in line.expect("hvinit: login: /dev/ttyAMA[01]: somebody has logged in|the password is wrong")[0]:
        line.expect("Password: ")
        line.send(PASSWORD)
    line.expect(PROMPT)


def _follow(appliance: Appliance, other: Console, seen: Panel) -> None:
    """At one the log is followed, and everything goes on at the other."""
    other.send("log host -f")
    other.expect("Ctrl-C comes back")
    for line, state in (("pause demo", "paused"), ("resume demo", "running")):
        appliance.console.send(line)
        appliance.console.expect(f"hvinit: demo: {state}")
        other.expect(f"hvinit: demo: {state}")
    other.send_bytes(b"\x03")
    other.expect(PROMPT)


def _programs(appliance: Appliance, other: Console, seen: Panel) -> None:
    seen.answers["ctl status"] = appliance.shell("hvinit ctl status --json")
    seen.answers["ctl metrics"] = appliance.shell("hvinit ctl metrics")
    lines = ("version", "start demo", "start", "console demo")
    seen.answers["ctl codes"] = appliance.shell("; ".join(f"hvinit ctl {line}; echo code=$?" for line in lines))

    def until(text: str) -> str:
        return f"until busybox grep -q {text} /tmp/events; do :; done"

    seen.answers["ctl events"] = appliance.shell(
        f"hvinit ctl events >/tmp/events & {until('begin')}; hvinit ctl pause demo; {until('paused')}; "
        f"hvinit ctl resume demo; {until('running.*paused')}; kill $!; busybox cat /tmp/events"
    )


def _readme(appliance: Appliance, other: Console, seen: Panel) -> None:
    """What the README shows, on the line that the kernel does not write to: its words would come between."""
    other.send("shell")
    other.expect(SHELL_PROMPT)
    other.send("hvinit ctl start demo; echo $?")
    other.expect(SHELL_PROMPT)
    other.send("hvinit ctl events")
    other.expect("begin")
    for line, state in (("pause demo", "paused"), ("resume demo", "running")):
        appliance.console.send(line)
        # To its end: Ctrl-C throws away what the terminal has not printed yet.
        other.expect(f'"state": "{state}".*"why": ""}}')
        appliance.console.expect(f"hvinit: demo: {state}")
        appliance.console.expect(PROMPT)
    other.send_bytes(b"\x03")
    other.expect(SHELL_PROMPT)
    other.send("exit")
    other.expect(PROMPT)
    for line in ("sta demo", "statsu", "status demo"):
        other.send(line)
        other.expect(PROMPT)


def _guest(appliance: Appliance, other: Console, seen: Panel) -> None:
    """Its programs ask over the port, and change nothing."""
    seen.answers["guest"] = appliance.guest(
        "modprobe virtio_console", "until cat /sys/class/virtio-ports/*/name 2>/dev/null; do :; done",
        "exec 3<>/dev/$(ls /sys/class/virtio-ports)", "echo status --json >&3", "sed '/^}$/q' <&3",
        "echo kill demo >&3", "head -n 1 <&3",
    )


def _commands(appliance: Appliance, other: Console, seen: Panel) -> None:
    for line, begin in LINES_TYPED.items():
        seen.answers[line] = appliance.ask(line, rf"\r\n{begin}" if begin else rf"{line}\r")


def _two(appliance: Appliance, other: Console, seen: Panel) -> None:
    """What is typed at one is not on the other; Tab and the past work on both."""
    other.send("")
    other.expect(PROMPT)
    other.send_bytes(b"stat\tde\t\r")
    other.expect("VM +STATE")
    other.expect(PROMPT)
    other.send_bytes(b"shell\r")
    other.expect("rescue# ")
    other.send("busybox tty")
    other.expect("/dev/ttyAMA1")
    appliance.ask("version", "hvinit 0")
    other.send("exit")
    other.expect(PROMPT)
    # The past is everybody's: before "version" and "shell" comes what is wanted.
    other.send_bytes(b"\x10\x10\x10\r")
    other.expect("status demo")
    other.expect("VM +STATE")
    other.expect(PROMPT)


def _paste(appliance: Appliance, other: Console, seen: Panel) -> None:
    """Each a child of its own, so that nearly all of them are typed ahead."""
    begin = len(appliance.console.text())
    appliance.console.send_bytes(b"explain DEV-NONE\r" * LINES)
    for _ in range(LINES):
        appliance.console.expect("### DEV-NONE")
        appliance.console.expect(PROMPT)
    seen.answers["paste"] = appliance.console.text()[begin:]


def _flood(appliance: Appliance, other: Console, seen: Panel) -> None:
    """One guest floods its console, which nobody looks at, then somebody does."""
    other.send("console flood")
    other.expect("leave with Ctrl-]")
    other.send("")
    other.expect("guest# ")
    other.send("while :; do echo 0123456789012345678901234567890123456789; done")
    other.expect("0123456789\r\n")
    seen.answers["guest beside the flood"] = appliance.guest("echo it lives")
    seen.answers["status beside the flood"] = appliance.status()
    other.send_bytes(LEAVE.encode())
    other.expect("flood: left its console")
    other.expect(PROMPT)
    seen.answers["descriptors"] = appliance.shell("busybox grep VmRSS /proc/1/status")
    appliance.console.send("kill flood")
    appliance.console.expect("hvinit: flood: stopped")
    other.expect("hvinit: flood: stopped")


def _break(appliance: Appliance, other: Console, seen: Panel) -> None:
    """A key behind a break is one of the kernel's, if it is let: "b" would reboot the machine."""
    appliance.trip.qmp.ask("chardev-send-break", id="serial")
    appliance.console.send_bytes(b"b\x15")
    seen.answers["after the break"] = appliance.ask("version", "hvinit 0")
    seen.answers["json"] = appliance.json("devices --json")


def _noise(appliance: Appliance, other: Console, seen: Panel) -> None:
    """All bytes but those that end a line: what a wrong speed makes of another machine's output."""
    source = random.Random(NOISE)
    noise = bytes(source.choice(_QUIET) for _ in range(NOISE))
    console = appliance.console
    console.send_bytes(noise + b"\x03\x1d\x03version\r")
    # A Ctrl-D where a line would begin has shut the door.
    if "wrong" in console.expect("hvinit 0|the password is wrong", NOISE_LIMIT)[0]:
        console.expect("Password: ")
        console.send(PASSWORD)
        console.expect("somebody has logged in")
    console.expect(PROMPT)
    seen.answers["status after the noise"] = appliance.status()


_QUIET = bytes(set(range(256)) - set(b"\r\n"))
