# SPDX-License-Identifier: GPL-2.0-or-later
"""Supervisors to measure hvinit beside, each with services that live for a second and are started
again: s6 (s6-svscan with an s6-supervise for each service) and busybox init as PID 1 of namespaces."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pid1 import users
from pid1.machine import await_that

HERE = Path("build/bench").absolute()
CRADLE = Path("build/pid1/cradle").absolute()
BUSYBOX = "/usr/bin/busybox" if Path("/usr/bin/busybox").exists() else "/bin/busybox"


@dataclass(frozen=True)
class Peer:
    """A supervisor at work: its processes, and where its services write when they begin and end."""

    pids: list[int]
    logs: list[Path]


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _fill(root: Path, owner: int) -> None:
    for path in (root, *root.rglob("*")):
        os.chown(path, owner, owner, follow_symlinks=False)


@contextmanager
def busybox(services: int, lives_ms: int) -> Iterator[Peer]:
    who = users.find()
    assert isinstance(who, users.Users), who
    root = Path(tempfile.mkdtemp(prefix="hvinit-bench-"))
    root.chmod(0o755)
    for folder in ("dev", "etc", "proc", "log"):
        (root / folder).mkdir()
    for name in ("dev/null", "dev/console", "init", "stamp"):
        (root / name).touch()
    logs = [root / "log" / str(number) for number in range(services)]
    lines = [f"::respawn:/stamp /log/{number} {lives_ms}\n" for number in range(services)]
    (root / "etc/inittab").write_text("".join(lines))
    _fill(root, who.root)
    binds = {BUSYBOX: "/init", str(HERE / "stamp"): "/stamp", "/dev/null": "/dev/null"}
    words = [str(CRADLE), str(root), "-p", *(f"{source}={place}" for source, place in binds.items())]
    with subprocess.Popen([*words, "--", "/init"], text=True, bufsize=1, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as cradle:
        assert cradle.stdin and cradle.stdout
        cradle.stdout.readline()
        who.write_maps(cradle.pid)
        cradle.stdin.write("mapped\n")
        cradle.stdin.flush()
        said = cradle.stdout.readline().split()
        assert said[:1] == ["pid"], said
        yield Peer([int(said[1])], logs)
        cradle.stdin.close()
        cradle.stdout.read()
    shutil.rmtree(root)


@contextmanager
def s6(services: int, idle: bool = False) -> Iterator[Peer]:
    # In memory, where it keeps its state on a machine: it writes at every end of a service.
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="hvinit-bench-", dir=memory))
    for number in range(services):
        (folder / f"service{number}").mkdir()
        run = folder / f"service{number}/run"
        if idle:
            run.write_text("#!/bin/sh\nexec sleep 1000\n")
            run.chmod(0o755)
        else:
            run.symlink_to(HERE / "stamp")
            (run.parent / "notification-fd").write_text("3\n")
    # A service is started in its folder, and with its name for an argument.
    logs = [folder / f"service{number}/service{number}" for number in range(services)]
    with subprocess.Popen(["s6-svscan", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as scan:
        await_that("each service has its s6-supervise", lambda: len(children(scan.pid)) == services)
        yield Peer([scan.pid, *children(scan.pid)], logs)
        subprocess.run(["s6-svscanctl", "-t", str(folder)], check=True)
    shutil.rmtree(folder)
