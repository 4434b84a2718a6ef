# SPDX-License-Identifier: GPL-2.0-or-later
"""Looks at every board without compiling anything: boards.py RESULT.xml KCONFIG HVINIT

KCONFIG is what board/kconfig.sh has made, HVINIT the tool of the build machine. Of each board, its
kernel fragments go through the kernel's own Kconfig, and its defconfig through make, in a copy of
the tree, to a manifest that is checked. CROSS_COMPILE comes from the environment.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

Case = tuple[str, str, Callable[[], str]]  # what is looked at, how, and what is found

SETTING = re.compile(r"^(?:# )?(CONFIG_\w+)(?:=(.*)| is not set)$", re.MULTILINE)
# Every symbol that tinyconfig has already: they are there to be overridden.
SAID_OF_EACH = re.compile(r"warning: override: reassigning to symbol|^#|^$")
OBJECTS = re.compile(r"^obj-\$\((CONFIG_\w+)\)\s*[:+]?=\s*(.*)$", re.MULTILINE)
EXAMPLE = re.compile(r"^#(?=VM\d)", re.MULTILINE)  # before a line of a defconfig's example
REASON = re.compile(r"^(?:chosen|variant) (\S+)", re.MULTILINE)  # of a reasons.list
TREE = ("Makefile", "Kconfig", "board", "configs", "init", "rootfs", "tests")
PARTS = ("Kconfig", "README.md", "board.mk", "kernel.config")


class Board(NamedTuple):
    """What make knows of a board once its defconfig is .config."""

    name: str
    fragments: list[Path]
    cmdline: str


class Kernel(NamedTuple):
    """What Kconfig makes of fragments, and what it says of them."""

    config: dict[str, str]
    said: list[str]


def settings(text: str) -> dict[str, str]:
    """Symbols and values of a fragment or a .config; the last one of a symbol counts."""
    return {match[1]: match[2] or "n" for match in SETTING.finditer(text)}


# --- kernel ---


def configure(kconfig: Path, fragments: str) -> Kernel:
    """What a build would do first (configure in board/kernel.sh)."""
    clean = {key: value for key, value in os.environ.items() if "MAKE" not in key and key != "MFLAGS"}
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config")
        config.write_text((kconfig / "tiny.config").read_text() + fragments)
        done = subprocess.run(
            ["make", "-s", "-C", kconfig, "ARCH=arm64", f"KCONFIG_CONFIG={config}", "olddefconfig"],
            env=clean | {"KCONFIG_WARN_UNKNOWN_SYMBOLS": "1"}, check=False, capture_output=True,
            text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode:
            raise ValueError(done.stdout + done.stderr)
        said = [line for line in done.stderr.splitlines() if not SAID_OF_EACH.search(line)]
        return Kernel(settings(config.read_text()), said)


def lost(wanted: str, kernel: Kernel) -> str:
    return "".join(
        f"{symbol}: wanted {value}, olddefconfig made it {kernel.config.get(symbol, 'n')}\n"
        for symbol, value in settings(wanted).items()
        if kernel.config.get(symbol, "n") != value
    )


def complaints(kernel: Kernel) -> str:
    """What Kconfig says: symbols that are nowhere, values that cannot be."""
    return "".join(f"{line.partition('warning: ')[2] or line}\n" for line in kernel.said)


def symbols_of(kconfig: Path, module: str) -> set[str]:
    """The symbols that build a module, by the kernel's Makefiles."""
    name = re.compile(rf"\b{re.sub('[-_]', '[-_]', module)}\.o\b")
    found = set[str]()
    for makefile in kconfig.glob("[defilns]*/**/Makefile"):
        text = makefile.read_text(errors="replace").replace("\\\n", " ")
        found |= {match[1] for match in OBJECTS.finditer(text) if name.search(match[2])}
    return found


def not_modules(kconfig: Path, names: list[str], kernel: Kernel) -> str:
    """Names that the kernel does not have as modules."""
    return "".join(
        f"{name}: is no module of this kernel\n"
        for name in names
        if not any(kernel.config.get(symbol) == "m" for symbol in symbols_of(kconfig, name))
    )


# --- defconfig ---


def output(*command: str | Path, cwd: Path | None = None) -> str:
    """What a command that must succeed prints."""
    clean = {key: value for key, value in os.environ.items() if "MAKE" not in key and key != "MFLAGS"}
    done = subprocess.run(
        command, cwd=cwd, env=clean, check=False, capture_output=True, text=True,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode or "warning" in done.stderr:
        raise ValueError(f"{' '.join(map(str, command))}:\n{done.stdout}{done.stderr}")
    return done.stdout


def copy_tree(folder: Path) -> Path:
    """A tree to configure in: this one's .config is its owner's."""
    tree = folder / "tree"
    tree.mkdir()
    for name in TREE:
        here = Path(name)
        if here.is_dir():
            shutil.copytree(here, tree / name, ignore=shutil.ignore_patterns("corpus"))
        else:
            shutil.copy(here, tree / name)
    return tree


def asked_for(tree: Path) -> Board:
    """What the tree's next build would be for."""
    words = "words: ; @printf '%s\\n' '$(BOARD)' '$(KERNEL_FRAGMENTS)' '$(KERNEL_CMDLINE)'"
    told = output("make", "-s", f"--eval={words}", "words", cwd=tree).splitlines()
    return Board(told[0], [Path(path) for path in told[1].split()], told[2])


def checked(hvinit: Path, tree: Path) -> str:
    """The manifest that the tree's .config gives; no machine could refuse it."""
    manifest = tree / "manifest"
    manifest.write_text(output(hvinit, "manifest", tree / ".config"))
    output(hvinit, "check", "--no-machine", manifest)
    return manifest.read_text()


def defconfig(hvinit: Path, path: Path, name: str) -> tuple[Board, list[str]]:
    """Makes .config of it as a user does: the board, and its HOST_MODULES."""
    with tempfile.TemporaryDirectory() as folder:
        tree = copy_tree(Path(folder))
        output("make", "-s", path.name, cwd=tree)
        board = asked_for(tree)
        if board.name != name:
            raise ValueError(f"{path}: is for the board {board.name}, want {name}")
        if "rdinit=/init" not in board.cmdline.split():
            raise ValueError(f"board/{name}/board.mk: the command line starts no hvinit")
        modules = re.search(r'^HOST_MODULES="(.*)"$', checked(hvinit, tree), re.MULTILINE)
        return board, modules[1].split() if modules else []


def example(hvinit: Path, path: Path) -> str:
    """The example is a VM that could be had, once its lines are in force."""
    text = EXAMPLE.sub("", path.read_text())
    if text == path.read_text():
        return f"{path}: no example of a virtual machine is in it\n"
    with tempfile.TemporaryDirectory() as folder:
        tree = copy_tree(Path(folder))
        (tree / path).write_text(text)
        output("make", "-s", path.name, cwd=tree)
        manifest = checked(hvinit, tree).splitlines()
    lines = [line[1:] for line in path.read_text().splitlines() if EXAMPLE.match(line)]
    return "".join(f"{line}: is not in the manifest\n" for line in lines if line not in manifest)


# --- cases ---


def parts(name: str) -> str:
    missing = [part for part in PARTS if not Path("board", name, part).exists()]
    return "".join(f"board/{name}/{part}: is missing\n" for part in missing)


def tells(found: str, part: str) -> str:
    """A check must find what is wrong."""
    return "" if part in found else f"want {part!r}, it found {found!r}"


def reasons(name: str) -> list[str]:
    """Modules of which the board says what they are in its image for."""
    path = Path("board", name, "reasons.list")
    return REASON.findall(path.read_text()) if path.exists() else []


def board_cases(name: str, kconfig: Path, hvinit: Path) -> list[Case]:
    path = Path("configs", name.replace("-", "_") + "_defconfig")
    board, modules = defconfig(hvinit, path, name)
    wanted = "".join(fragment.read_text() for fragment in board.fragments)
    kernel = configure(kconfig, wanted)
    cases: list[Case] = [
        (f"board/{name}", "is complete", lambda: parts(name)),
        (str(path), "becomes .config and a manifest", str),
        (f"board/{name}", "keeps every symbol", lambda: lost(wanted, kernel)),
        (f"board/{name}", "names symbols that exist", lambda: complaints(kernel)),
        (str(path), "names modules that are built", lambda: not_modules(kconfig, modules, kernel)),
    ]
    if reasons(name):
        cases.append((f"board/{name}", "has reasons for modules that are built",
                      lambda: not_modules(kconfig, reasons(name), kernel)))  # fmt: skip
    if name != "qemu-virt":  # its demo is a VM
        cases.append((str(path), "has an example", lambda: example(hvinit, path)))
    return cases


def own_cases(kconfig: Path) -> list[Case]:
    """What the checks above must find."""
    wrong = "CONFIG_SATA_AHCI=m\nCONFIG_NO_SUCH_THING=y\n# CONFIG_NOR_THIS is not set\n"
    kernel = configure(kconfig, wrong)  # tinyconfig has no ATA
    what = "tests/boards.py"
    return [
        (what, "tells a lost symbol", lambda: tells(lost(wrong, kernel), "CONFIG_SATA_AHCI: wanted m")),
        (what, "tells a strange symbol", lambda: tells(complaints(kernel), "unknown symbol: NO_SUCH_THING")),
        (what, "tells one that is off", lambda: tells(complaints(kernel), "unknown symbol: NOR_THIS")),
        (what, "tells a missing module", lambda: tells(not_modules(kconfig, ["ahci"], kernel), "ahci: is no")),
    ]


def attempt(case: Case) -> str:
    try:
        return case[2]()
    except (OSError, ValueError) as error:
        return f"{case[1]}: {error}"


def cases_of(name: str, kconfig: Path, hvinit: Path) -> list[Case]:
    """A board that cannot even be configured is one failed test."""
    try:
        return board_cases(name, kconfig, hvinit)
    except (OSError, ValueError) as error:
        text = str(error)
        return [(f"board/{name}", "can be configured", lambda: text)]


def main(result: Path, kconfig: Path, hvinit: Path) -> int:
    names = sorted(path.parent.name for path in Path("board").glob("*/board.mk"))
    suite = ElementTree.Element("testsuite", name="boards")
    failed = 0
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        lists = [*pool.map(lambda name: cases_of(name, kconfig, hvinit), names), own_cases(kconfig)]
        cases = [case for some in lists for case in some]
        for (what, how, _), found in zip(cases, pool.map(attempt, cases)):
            test = ElementTree.SubElement(suite, "testcase", classname=what, name=how)
            if found:
                failed += 1
                print(f"--- {what}: {how}\n{found.rstrip()}")
                ElementTree.SubElement(test, "failure", message=how).text = found
    print(f"  boards           {len(cases) - failed} passed, {failed} failed")
    result.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(suite).write(result, encoding="utf-8", xml_declaration=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve()))
