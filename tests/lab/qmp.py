# SPDX-License-Identifier: GPL-2.0-or-later
"""Asks L0 itself, over its QMP monitor: what a person does at the machine's case, not its console."""

import json
import socket
from typing import Any

LIMIT = 60.0  # seconds for an answer


class QmpError(Exception):
    """L0 did not do what it was asked."""


class Qmp:
    """LINE is connected to a monitor in control mode."""

    def __init__(self, line: socket.socket) -> None:
        line.settimeout(LIMIT)
        self._file = line.makefile("rw", encoding="utf-8", newline="\n")
        self._ready = False
        self._events: list[dict[str, Any]] = []

    def _read(self) -> dict[str, Any]:
        text = self._file.readline()
        if not text:
            raise QmpError("L0 has closed its monitor")
        message: dict[str, Any] = json.loads(text)
        return message

    def _answer(self) -> dict[str, Any]:
        """The next message that is no event; those are kept."""
        while "event" in (message := self._read()):
            self._events.append(message)
        return message

    def _ask(self, command: str, **arguments: Any) -> Any:
        self._file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._file.flush()
        answer = self._answer()
        if "return" not in answer:
            raise QmpError(f"{command}: {answer.get('error')}")
        return answer["return"]

    def ask(self, command: str, **arguments: Any) -> Any:
        if not self._ready:
            self._answer()  # the greeting
            self._ask("qmp_capabilities")
            self._ready = True
        return self._ask(command, **{name.replace("_", "-"): it for name, it in arguments.items()})

    def await_event(self, name: str, **data: Any) -> None:
        """Waits for an event of that NAME and DATA, which may have come already, and forgets all
        that came before it."""
        while True:
            message = self._events.pop(0) if self._events else self._read()
            if message.get("event") == name and data.items() <= message["data"].items():
                return
