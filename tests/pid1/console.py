# SPDX-License-Identifier: GPL-2.0-or-later
"""The operator's console: a pseudo-terminal. Waits for what is printed, never for time to pass."""

import os
import re
import time

import pexpect
from pexpect import fdpexpect

LIMIT = 60.0  # seconds; only so that a hang ends
EXCERPT = 25  # lines shown when an expectation fails
MARK = "mark-"


def plain(text: str) -> str:
    """TEXT without carriage returns and without what steers a terminal (ECMA-48 CSI)."""
    return re.sub(r"\x1b\[[0-9;?=]*[A-Za-z]|\r", "", text)


class Failed(Exception):
    """What was waited for did not come."""


class Console:
    """MASTER is the terminal's other end."""

    def __init__(self, master: int) -> None:
        self._master = master
        self._spawn = fdpexpect.fdspawn(master, encoding="utf-8", codec_errors="replace")
        self._spawn.logfile_read = self
        self._seen: list[str] = []
        self._marks = 0

    def write(self, text: str) -> None:
        """Called by pexpect with everything that arrives."""
        self._seen.append(text)

    def flush(self) -> None:
        """Called by pexpect after write(); the transcript is in memory."""

    def text(self) -> str:
        """All that has arrived so far, as plain lines."""
        return plain("".join(self._seen))

    def expect(self, pattern: str, limit: float = LIMIT) -> re.Match[str]:
        """Waits for PATTERN in what has come since the last match."""
        try:
            self._spawn.expect(pattern, timeout=limit)
        except pexpect.TIMEOUT:
            raise self.failed(f"waited {limit:.0f} s in vain for {pattern!r}") from None
        except pexpect.EOF:
            raise self.failed(f"the machine ended while {pattern!r} was waited for") from None
        match = self._spawn.match
        assert isinstance(match, re.Match)
        return match

    def send(self, line: str) -> None:
        os.write(self._master, line.encode() + b"\r")

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def ask(self, line: str) -> str:
        """What a command answers, and whatever else is printed meanwhile: all that comes before the
        complaint about a command that there is not."""
        self._marks += 1
        mark = f"{MARK}{self._marks}"
        self.send(line)
        self.send(mark)
        self.expect(rf"hvinit: {mark}: no such command")
        assert isinstance(self._spawn.before, str)
        return plain(self._spawn.before)

    def run(self, line: str, limit: float = LIMIT) -> str:
        """The same for a command that a child carries out. What is typed meanwhile is dropped, so it is
        typed again."""
        self.send(line)
        end = time.monotonic() + limit
        while True:
            self._marks += 1
            mark = f"{MARK}{self._marks}"
            self.send(mark)
            try:
                self.expect(rf"hvinit: {mark}: no such command", 0.2)
            except Failed:
                if time.monotonic() > end:
                    raise
                continue
            assert isinstance(self._spawn.before, str)
            return plain(self._spawn.before)

    def drain(self) -> None:
        """Takes in what has come, so that a machine that prints a lot is not held up."""
        try:
            self._spawn.expect(pexpect.EOF, timeout=0.01)
        except pexpect.TIMEOUT:
            pass

    def until_end(self, limit: float = LIMIT) -> None:
        """Waits until nobody has the terminal open any more."""
        try:
            self._spawn.expect(pexpect.EOF, timeout=limit)
        except pexpect.TIMEOUT:
            raise self.failed(f"the machine did not end within {limit:.0f} s") from None

    def failed(self, what: str) -> Failed:
        last = "\n".join(f"    {line}" for line in self.text().splitlines()[-EXCERPT:])
        return Failed(f"{what}\nthe console's last lines:\n{last}")
