# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person does at the appliance's console, in the appliance's own words."""

import base64
import itertools
import json
import re
import shlex
import time
from collections.abc import Callable

from .console import LIMIT, Console, LabError
from .machine import Trip

PROMPT = r"\nhvinit> "
SHELL_PROMPT = r"rescue# "
GUEST_PROMPT = r"guest# "
LEAVE = "\x1d"
# The appliance shows what was on a guest's console before: no two marks may be alike.
MARKS = itertools.count(100)

Progress = Callable[[str], None]


class Appliance:
    """TELL is called with each step that was reached."""

    def __init__(self, trip: Trip, tell: Progress) -> None:
        self.trip, self.tell = trip, tell
        self.console: Console = trip.console

    def await_init(self) -> None:
        self.console.expect(r"hvinit: init: started")
        self.tell("appliance: PID 1 has started")

    def await_vm(self, state: str, vm: str = "demo") -> str:
        """Waits until VM is in STATE (what its message begins with) and returns the message; fails
        at once when the VM fails instead."""
        match = self.console.expect(rf"hvinit: {vm}: ((?:{state}|failed|invalid)[^\r\n]*)[\r\n]")
        if not re.match(state, match[1]):
            self.console.expect(r"[\r\n]")  # its remedy
            raise LabError(f"{vm}: {match[1]}: see {self.console.log}")
        self.tell(f"{vm}: {match[1]}")
        return match[1]

    def await_lines(self, *patterns: str) -> str:
        """Waits until each of PATTERNS has come, in whatever order; what has come with them."""
        waited, came = set(patterns), ""
        while waited:
            came += self.console.expect("|".join(f"(?:{one})" for one in waited))[0] + "\n"
            waited = {one for one in waited if not re.search(one, came)}
        return came

    def await_proof(self, *vms: str) -> None:
        """Waits until the guests of VMS have said all they have to say, whichever does so first;
        fails at once when one of the VMs ends."""
        waited, any_vm = set(vms), "|".join(vms)
        ended = rf"hvinit: ({any_vm}): ((?:stopped|failed|invalid)[^\r\n]*)"
        while waited:
            match = self.console.expect(rf"\b({any_vm})\| proof: done|{ended}")
            if match[2]:
                log = self.console.log
                raise LabError(f"{match[2]}: {match[3]} before its proof was done: see {log}")
            waited.discard(match[1])
            self.tell(f"{match[1]}: the guest has told its proof")

    def ask(self, line: str, begin: str) -> str:
        """Types LINE at the prompt and returns what is printed from BEGIN to the next prompt."""
        self.console.send(line)
        self.console.expect(begin)
        return self.console.until(PROMPT)

    def json(self, line: str) -> str:
        """What LINE prints, which is an object in JSON. Messages may come between its lines, or into
        one of them: then it is typed again."""
        deadline = time.monotonic() + LIMIT
        while True:
            told = "{" + self.ask(line, r"\r\n{")
            try:
                json.loads(told)
            except ValueError:
                if time.monotonic() > deadline:
                    raise LabError(f"{line!r} never printed JSON: see {self.console.log}") from None
            else:
                return told

    def status(self) -> str:
        return self.ask("status", r"STATE[^\r\n]*VSMMUS\r\n")

    def status_of_machine(self) -> str:
        return self.ask("status", r"up \d+ s, [^\r\n]*\r\n")

    def shell(self, line: str, limit: float = LIMIT) -> str:
        """What the shell command LINE prints. Messages that come meanwhile are in "log host"."""
        self.console.send("shell")
        self.console.expect(SHELL_PROMPT)
        # The echo of the line must not look like the begin or the end of what it prints.
        self.console.send(f"echo begin-of-$((6 * 7)); {line}; echo end-of-$((6 * 7))")
        self.console.expect(r"begin-of-42\r\n")
        printed = self.console.until(r"end-of-42", limit)
        self.console.expect(SHELL_PROMPT)
        self.console.send("exit")
        self.console.expect(PROMPT)
        return printed

    def enter(self, vm: str = "demo") -> None:
        """Goes to VM's console, where a shell waits."""
        self.console.send(f"console {vm}")
        self.console.expect("leave with Ctrl-]")
        self.console.send("")
        self.console.expect(GUEST_PROMPT)

    def leave(self) -> None:
        self.console.send(LEAVE)
        self.console.expect(PROMPT)

    def guest(self, *lines: str, vm: str = "demo") -> str:
        """What the demo's guest in VM prints for the shell LINES, typed at its console."""
        self.enter(vm)
        mark = 2 * next(MARKS)
        begin, end = (f"echo {word}-of-$(({mark // 2} * 2))" for word in ("begin", "end"))
        self.console.send("; ".join([begin, *lines, end]))
        self.console.expect(rf"begin-of-{mark}\r\n")
        printed = self.console.until(f"end-of-{mark}")
        self.leave()
        return printed

    def await_log(self, pattern: str) -> str:
        """Asks for the host's log until PATTERN is in it, and returns the last place. It is for
        messages that may come while a shell has the console."""
        deadline = time.monotonic() + LIMIT
        while not (found := re.findall(pattern, self.ask("log host", r"log host\r\n"))):
            if time.monotonic() > deadline:
                raise LabError(f"{pattern!r} was never logged: see {self.console.log}")
        return str(found[-1])

    def argv(self, vm: str) -> list[str]:
        """The words that the appliance says it starts VM's QEMU with."""
        return shlex.split(self.ask(f"argv {vm}", rf"argv {vm}\r\n"))

    def record(self) -> str:
        """What the appliance knows of its machine."""
        return self.shell("/init record")

    def check(self) -> str:
        return self.shell("/init check /etc/hvinit/manifest")

    def running_argv(self, vm: str) -> list[str]:
        """The words that the QEMU of VM was really started with, as the kernel has them."""
        mine = f"busybox tr '\\0' '\\n' </proc/$p/cmdline | busybox grep -qxF guest={vm}"
        encoded = self.shell(
            f"for p in $(busybox pidof qemu-system-aarch64); do {mine} && "
            "busybox base64 /proc/$p/cmdline; done"
        )
        return base64.b64decode(encoded).decode().removesuffix("\0").split("\0")

    def kernel_log(self) -> str:
        return self.shell("busybox dmesg")

    def power_off(self) -> None:
        self.console.send("poweroff")
        self.trip.wait_off()
        self.tell("appliance: powered off")
