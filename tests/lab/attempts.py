#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The attempts of tests/lab/trespass/trespass.def; run as a program it prints them in Markdown."""

import re
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).parent / "trespass/trespass.def"
ENTRY = re.compile(
    r'^KIND\("(?P<kind>[^"]+)"\)$|'
    r'^LOOK\((?P<look>\w+), "(?P<path>[^"]+)"\)$|'
    r'^ATTEMPT\((?P<name>\w+), (?P<error>\w+), (?P<layer>\w+), "(?P<what>[^"]+)"\)$',
    re.MULTILINE,
)
# What is asked of the kernel that was built stops nobody on another one: such attempts do not count.
NOT_BUILT = "NOT_BUILT"
LAYERS = {
    "ROOM": "root of its own",
    "READ_ONLY": "read-only mounts",
    "NOEXEC": "mounts without execution",
    "DESCRIPTORS": "descriptors closed",
    "CHANNEL": "PID 1's end takes none",
    "USER": "user without privileges",
    "SECUREBITS": "securebits",
    "SECCOMP": "seccomp",
    "LANDLOCK": "Landlock",
    "NET": "network namespace",
    "IPC": "IPC namespace",
    "CGROUP": "control group",
    "RLIMIT": "resource limit",
    "MDWE": "no new code (MDWE)",
    NOT_BUILT: "seccomp; not built",
}
KILLED = "KILLED"


@dataclass(frozen=True)
class Attempt:
    """It gives ERROR in the room, where LAYER stops it."""

    kind: str
    name: str
    error: str
    layer: str
    what: str

    @property
    def counts(self) -> bool:
        return self.layer != NOT_BUILT


def read() -> list[Attempt]:
    found: list[Attempt] = []
    kind = ""
    for entry in ENTRY.finditer(TABLE.read_text()):
        if entry["kind"]:
            kind = entry["kind"]
        elif entry["look"]:
            found.append(Attempt(kind, entry["look"], "ENOENT", "ROOM", f"open {entry['path']}"))
        else:
            found.append(Attempt(kind, *entry.group("name", "error", "layer", "what")))
    return found


ATTEMPTS = read()


def _row(attempt: Attempt) -> str:
    error = "killed" if attempt.error == KILLED else attempt.error
    return f"| `{attempt.name}` | {attempt.what} | {error} | {LAYERS[attempt.layer]} |"


def table() -> str:
    """A row for each attempt, below its kind."""
    rows = ["| attempt | what is tried | it gets | stopped by |", "|---|---|---|---|"]
    kind = ""
    for attempt in ATTEMPTS:
        if attempt.kind != kind:
            kind = attempt.kind
            rows.append(f"| **{kind}** | | | |")
        rows.append(_row(attempt))
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())
