# SPDX-License-Identifier: GPL-2.0-or-later
"""The words that QEMU is started with, to be changed one by one."""

import copy
import json
import shlex
from pathlib import Path
from typing import Any

from .paths import HVINIT, run

Json = dict[str, Any]


class Words:
    """QEMU's options in their order; the value of one that is JSON is a dict."""

    def __init__(self, text: str) -> None:
        """TEXT is what "hvinit argv" prints: the program, then an option a line."""
        self.program, *lines = text.splitlines()
        split = [(shlex.split(line) + [""])[:2] for line in lines]
        self.options: list[tuple[str, str | Json]] = [
            (name, json.loads(value) if value.startswith("{") else value) for name, value in split
        ]

    @classmethod
    def planned(cls, manifest: bytes, machine: Path, vm: str) -> "Words":
        """Those of VM in MANIFEST on the MACHINE that was recorded."""
        command = [HVINIT, "--host", machine, "argv", "-", vm]
        return cls(run(command, manifest.decode()).decode())

    def copy(self) -> "Words":
        return copy.deepcopy(self)

    def text(self) -> str:
        """One line for a shell."""
        line = [self.program]
        for name, value in self.options:
            line.append(name)
            if value != "":
                line.append(value if isinstance(value, str) else compact(value))
        return shlex.join(line)

    def all(self, name: str) -> list[str | Json]:
        return [value for option, value in self.options if option == name]

    def of(self, identity: str) -> Json:
        """The device or object with that id."""
        for _, value in self.options:
            if isinstance(value, dict) and value.get("id") == identity:
                return value
        raise KeyError(identity)

    def set(self, identity: str, **properties: Any) -> None:
        """Sets properties, in which "_" stands for "-"; None takes one away."""
        value = self.of(identity)
        for key, new in properties.items():
            key = key if key in value or key == "bypass_iommu" else key.replace("_", "-")
            value.pop(key, None)
            if new is not None:
                value[key] = new

    def option(self, name: str, value: str) -> None:
        """Gives option NAME another value."""
        self.options = [(o, value if o == name else v) for o, v in self.options]

    def drop_option(self, *names: str) -> None:
        self.options = [(o, v) for o, v in self.options if o not in names]

    def drop(self, *identities: str) -> None:
        self.options = [
            (o, v)
            for o, v in self.options
            if not (isinstance(v, dict) and v.get("id") in identities)
        ]

    def add(self, name: str, value: str | Json, before: str = "") -> None:
        """Adds an option, at the end or before the device or object with the id BEFORE."""
        at = len(self.options)
        for index, (_, other) in enumerate(self.options):
            if before and isinstance(other, dict) and other.get("id") == before:
                at = index
        self.options.insert(at, (name, value))


def compact(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"))
