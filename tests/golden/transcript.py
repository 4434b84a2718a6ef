# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands and what they print: for inputs that Kconfig would never make."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import record

COMMAND = re.compile(r"^\$ (.+)$", re.MULTILINE)


def printed(hvinit: str, case: Path, work: Path) -> str:
    """The case's transcript as it would be now.

    Comments at its top stay. Each "$ " line is for a shell in a copy of the case's folder, where
    "hvinit" is the tool and "root", if the case has a tree, what that says (record.py).
    """
    folder = work / "transcript"
    shutil.copytree(case, folder)
    if (case / "tree").exists():
        record.grow(folder / "root", case / "tree")
    text = (case / "transcript").read_text()
    found = [text[: text.find("$ ")]]
    for command in COMMAND.findall(text):
        found += [f"$ {command}\n", _run(hvinit, command, folder)]
    return "".join(found)


def _run(hvinit: str, command: str, folder: Path) -> str:
    path = f"{Path(hvinit).resolve().parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", command], check=False, capture_output=True, text=True, cwd=folder,
        env=os.environ | {"PATH": path}, stdin=subprocess.DEVNULL,
    )
    status = f"exit status {done.returncode}\n" if done.returncode else ""
    return done.stdout + done.stderr + status


def check(hvinit: str, case: Path, work: Path, compare: record.Compare) -> Iterator[tuple[str, str]]:
    """What is different from a case's transcript."""
    if (case / "transcript").exists():
        yield "transcript", compare(case / "transcript", printed(hvinit, case, work))
