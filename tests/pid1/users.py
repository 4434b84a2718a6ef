# SPDX-License-Identifier: GPL-2.0-or-later
"""The users of a machine in namespaces: launchers change theirs, so that several are needed."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

FIRST, COUNT = 63999, 9  # those of init/confine.h: the KVM group, and a user for each VM
ROOT_BASE = 0x60000000  # where a range begins that nobody on a machine has


@dataclass(frozen=True)
class Users:
    """Outer numbers: ROOT is the machine's root, BASE the first of COUNT others."""

    root: int
    base: int

    def write_maps(self, pid: int) -> None:
        """Gives PID's fresh user namespace its users and groups."""
        words = ["0", str(self.root), "1", str(FIRST), str(self.base), str(COUNT)]
        for kind in ("uid", "gid"):
            if os.geteuid() == 0:
                Path(f"/proc/{pid}/{kind}_map").write_text(
                    " ".join(words[:3]) + "\n" + " ".join(words[3:]) + "\n"
                )
            else:
                subprocess.run([f"new{kind}map", str(pid), *words], check=True)


def _range(name: str) -> int | None:
    """The begin of this user's range of subordinate users or groups, if it is large enough."""
    me = {pwd.getpwuid(os.getuid()).pw_name, str(os.getuid())}
    try:
        lines = Path(name).read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        owner, base, count = line.split(":")
        if owner in me and int(count) >= COUNT:
            return int(base)
    return None


def find() -> Users | str:
    """The users to take, or why there are none and what helps."""
    if os.geteuid() == 0:
        return Users(ROOT_BASE, ROOT_BASE + 1)
    if not shutil.which("newuidmap") or not shutil.which("newgidmap"):
        return "newuidmap is missing: install the package uidmap, or run as root"
    base = _range("/etc/subuid")
    if base is None or base != _range("/etc/subgid"):
        return f"no range of {COUNT} in /etc/subuid and the same in /etc/subgid: run usermod, or run as root"
    return Users(os.getuid(), base)
