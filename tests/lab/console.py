# SPDX-License-Identifier: GPL-2.0-or-later
"""Drives the appliance's serial console: waits for what it prints, never for time to pass.

Limits are wall-clock and there only so that a hang ends; a slow machine must not fail by them.
"""

import contextlib
import os
import queue
import re
import socket
import threading
from pathlib import Path

import pexpect
from pexpect import fdpexpect

LIMIT = 300.0  # seconds
EXCERPT = 15  # lines of the console shown when an expectation fails


def plain(text: str) -> str:
    """TEXT without carriage returns and without what steers a terminal (ECMA-48 CSI)."""
    return re.sub(r"\x1b\[[0-9;?=]*[A-Za-z]|\r", "", text)


class LabError(Exception):
    """What was waited for did not come; the message names the log."""


def patient(line: socket.socket) -> socket.socket:
    """LINE, but one that holds all that comes until it is read: L0 stops when a line of its is full."""
    ours, theirs = socket.socketpair()
    come: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def take() -> None:
        with contextlib.suppress(OSError):
            while data := line.recv(65536):
                come.put(data)

    def give() -> None:
        with contextlib.suppress(OSError):
            while True:
                theirs.sendall(come.get())

    def send() -> None:
        with contextlib.suppress(OSError):
            while data := theirs.recv(65536):
                line.sendall(data)

    for work in (take, give, send):
        threading.Thread(target=work, daemon=True).start()
    return ours


class Console:
    """LOG is the whole transcript, which L0 writes."""

    def __init__(self, line: socket.socket, log: Path) -> None:
        self._line = line
        self._spawn = fdpexpect.fdspawn(line.fileno(), encoding="utf-8", codec_errors="replace")
        self.log = log
        self._spawn.logfile_read = self
        self._seen: list[str] = []

    def write(self, text: str) -> None:
        """Called by pexpect with everything that arrives."""
        self._seen.append(text)

    def flush(self) -> None:
        """Called by pexpect after write(); the transcript is in memory."""

    def text(self) -> str:
        """All that has arrived so far, as plain lines."""
        return plain("".join(self._seen))

    def expect(self, pattern: str, limit: float = LIMIT) -> re.Match[str]:
        """Waits for PATTERN, in what has come since the last match; line ends are as they came,
        and a dot matches them too."""
        try:
            self._spawn.expect(pattern, timeout=limit)
        except pexpect.TIMEOUT:
            raise self._error(f"waited {limit:.0f} s in vain for {pattern!r}") from None
        except pexpect.EOF:
            raise self._error(f"L0 ended while {pattern!r} was waited for") from None
        match = self._spawn.match
        assert isinstance(match, re.Match)
        return match

    def until(self, pattern: str, limit: float = LIMIT) -> str:
        """Waits for PATTERN and returns what came between the last match and this one."""
        self.expect(pattern, limit)
        assert isinstance(self._spawn.before, str)
        return plain(self._spawn.before)

    def expect_end(self, limit: float = LIMIT) -> None:
        """Waits until L0 has closed the line: the machine is off."""
        try:
            self._spawn.expect(pexpect.EOF, timeout=limit)
        except pexpect.TIMEOUT:
            raise self._error(f"L0 did not end within {limit:.0f} s") from None

    def send(self, line: str) -> None:
        os.write(self._line.fileno(), line.encode() + b"\r")

    def send_bytes(self, data: bytes) -> None:
        """Sends much: in a thread of its own, for the line carries it only while it is read from."""
        threading.Thread(target=self._line.sendall, args=[data], daemon=True).start()

    def _error(self, what: str) -> LabError:
        last = "\n".join(f"    {line}" for line in self.text().splitlines()[-EXCERPT:])
        return LabError(f"{what}\nthe last lines of {self.log}:\n{last}")
