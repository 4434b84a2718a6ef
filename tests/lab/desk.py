# SPDX-License-Identifier: GPL-2.0-or-later
"""What somebody at a desk does with the build machine's hvinit and the record of a far machine."""

import re
import shlex
import subprocess
from pathlib import Path

from .paths import HVINIT

FINDINGS = 1  # the tool's exit status for them


def _ask(host: Path, *words: str | Path) -> str:
    done = subprocess.run([HVINIT, "--host", host, *words], capture_output=True, text=True)
    if done.returncode not in (0, FINDINGS):
        raise RuntimeError(f"hvinit {words}: status {done.returncode}: {done.stderr}")
    return done.stdout + done.stderr


def argv(host: Path, manifest: Path, vm: str) -> list[str]:
    """The words that VM's QEMU would be started with on the machine that HOST is the record of."""
    return shlex.split(_ask(host, "argv", manifest, vm))


def check(host: Path, manifest: Path) -> str:
    return _ask(host, "check", manifest)


def findings(said: str) -> set[tuple[str, str]]:
    """Subject and code of each finding in what check said."""
    return set(re.findall(r"hvinit: ([^:\n]+): [^\n]*\[([A-Z0-9-]+)\]", said))
