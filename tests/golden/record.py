# SPDX-License-Identifier: GPL-2.0-or-later
"""The ways to and from a host record: recorded from a tree, and made into a .config."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

Compare = Callable[[Path, str], str]  # what is expected, and what was printed


def grow(root: Path, tree: Path) -> None:
    """Makes the files and links that TREE lists, a line each, and comments between them:

    PATH -> TARGET      a link
    PATH = HEX          a file of these bytes
    PATH                a file of the lines that follow, each after a "|"

    "@DEVICE@" is the number of the device that ROOT is on.
    """
    root.mkdir(exist_ok=True)
    number = root.stat().st_dev
    text = tree.read_text().replace("@DEVICE@", f"{os.major(number)}:{os.minor(number)}")
    file = None
    for line in text.splitlines():
        if line.startswith("|"):
            assert file, f"{tree}: a line of no file: {line}"
            with file.open("a") as out:
                out.write(line[1:] + "\n")
            continue
        if not line or line.startswith("#"):
            continue
        path, kind, rest = re.fullmatch(r"(\S+)(?: (->|=) (\S*))?", line).groups()
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if kind == "->":
            file.symlink_to(rest)
        else:
            file.write_bytes(bytes.fromhex(rest or ""))


def without_comments(record: str) -> str:
    """A record as "hvinit record" prints it: only the first line may begin so."""
    first, *rest = record.splitlines(keepends=True)
    return first + "".join(line for line in rest if not line.startswith("#"))


def merged(case: Path, work: Path, fragment: str) -> str:
    """What is wrong with a .config into which the fragment was merged."""
    config = work / "merged"
    (work / "fragment").write_text(fragment)
    env = os.environ | {"CONFIG_": "", "KCONFIG_CONFIG": str(config), "TMPDIR": str(work)}
    # It makes its temporary file where it is.
    base = (case / "config").resolve()
    merge = ["kconfig-merge", "-m", str(base), str(work / "fragment")]
    subprocess.run(merge, env=env, cwd=work, check=True, capture_output=True)
    done = subprocess.run(
        ["kconfig-conf", "--olddefconfig", "Kconfig"], env=env, check=True, capture_output=True,
        text=True, stdin=subprocess.DEVNULL,
    )
    got = set(config.read_text().splitlines())
    # Slots are hidden after the first empty one; the fragment's last says that it is.
    lost = [line for line in fragment.splitlines() if line[:1] == "V" and line not in got]
    faults = [line for line in done.stderr.splitlines() if "override" not in line]
    return "\n".join([*lost, *faults])


def check(hvinit: str, case: Path, work: Path, compare: Compare) -> Iterator[tuple[str, str]]:
    """What a case's tree is recorded as, and what .config its machine gives."""
    if (case / "tree").exists():
        root = work / "tree"
        grow(root, case / "tree")
        done = subprocess.run(
            [hvinit, "record", "--root", root], check=False, capture_output=True, text=True
        )
        expected = work / "expected"
        expected.write_text(without_comments((case / "machine").read_text()))
        yield "record of the tree", compare(expected, done.stdout + done.stderr)
    if (case / "kconfig").exists():
        words = [hvinit, "record", "--host", str(case / "machine"), "--kconfig"]
        done = subprocess.run(words, check=False, capture_output=True, text=True)
        yield "kconfig", compare(case / "kconfig", done.stdout + done.stderr)
        yield "kconfig, merged", merged(case, work, done.stdout)
