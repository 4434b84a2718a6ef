# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine with hvinit as its PID 1: namespaces, an invented root, a stand-in for QEMU."""

import contextlib
import errno
import functools
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from . import users
from .console import LIMIT, Console, Failed

Symbols = dict[str, str | int | bool]

HERE = Path(__file__).resolve().parents[2] / "build/pid1"
BUILDS = {"native": HERE / "hvinit", "asan": HERE / "hvinit-asan"}
LIBRARIES = ("lib", "lib64", "usr/lib", "usr/lib64")
FOLDERS = (
    "bin", "ctl/stuck", "dev", "etc/hvinit", "proc", "run", "sys/devices/system/cpu", "sys/fs/cgroup",
    "sys/bus/pci/devices", "sys/kernel/mm/hugepages/hugepages-2048kB", "tmp", "usr/bin",
    "sys/devices/system/node/node0/hugepages/hugepages-2048kB", "usr/share/qemu-efi-aarch64",
)
FILES = {
    "dev/kvm": "", "dev/null": "", "dev/console": "", "usr/bin/qemu-system-aarch64": "", "init": "",
    "sys/bus/pci/drivers_autoprobe": "1\n",
    "usr/share/qemu-efi-aarch64/QEMU_EFI.fd": "", "sys/devices/system/cpu/online": "0-7\n",
    "sys/devices/system/node/node0/cpulist": "0-7\n",
    "sys/devices/system/node/node0/meminfo": "Node 0 MemTotal: 8388608 kB\n",
    "sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages": "1000\n",
    "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "1000\n",
}
# A namespace of a user's has no control groups, and a build machine's kernel may be an old one.
WEAK: Symbols = {"HOST_ALLOW_WEAK_CONFINEMENT": True}
SANITIZERS = {
    "ASAN_OPTIONS": "log_path=/ctl/sanitizer:detect_leaks=0:handle_segv=0:handle_abort=0",
    "UBSAN_OPTIONS": "log_path=/ctl/sanitizer:print_stacktrace=1",
}
TAKEN = 0.002  # seconds between two looks at something that cannot be waited for


def manifest(symbols: Symbols) -> str:
    """The text of a manifest with SYMBOLS."""
    lines = []
    for name, value in symbols.items():
        if isinstance(value, bool):
            lines.append(f"{name}={'y' if value else 'n'}")
        else:
            lines.append(f'{name}="{value}"' if isinstance(value, str) else f"{name}={value}")
    body = "\n".join(lines) + "\n"
    digest = hashlib.sha256(body.encode()).hexdigest()
    return f"# hvinit manifest 1\n# sha256 {digest}\n{body}"


def await_that(what: str, holds: Callable[[], bool], limit: float = LIMIT) -> None:
    end = time.monotonic() + limit
    while not holds():
        if time.monotonic() > end:
            raise Failed(f"waited {limit:.0f} s in vain until {what}")
        time.sleep(TAKEN)


def _writer(fifo: Path) -> int:
    """A descriptor to write to FIFO with, as soon as somebody reads."""
    opened: list[int] = []

    def try_it() -> bool:
        try:
            opened.append(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
        return bool(opened)

    await_that(f"somebody reads {fifo.name}", try_it)
    return opened[0]


def _feed(fifo: int, text: str) -> None:
    os.write(fifo, text.encode())
    os.close(fifo)


@functools.cache
def cgroups() -> Path | None:
    """Where control groups of version 2 are, if this user can make one."""
    found = re.search(r"^\S+ (\S+) cgroup2 ", Path("/proc/mounts").read_text(), re.MULTILINE)
    return Path(found[1]) if found and os.access(found[1], os.W_OK) else None


class Machine:
    """BUILD is one of BUILDS, or a program; VMS are the names of VMs that can be given orders; CLOCK is the speed
    of hvinit's clock in percent. With TARPIT the folder /ctl/stuck is one that holds who looks into it."""

    def __init__(
        self, build: str, symbols: Symbols, vms: tuple[str, ...] = ("vm",),
        clock: int = 100, tarpit: bool = False, text: str | None = None,
    ) -> None:
        who = users.find()
        assert isinstance(who, users.Users), who
        self._users = who
        self._asan = build == "asan"
        self._words = [str(BUILDS.get(build, Path(build)))]
        self._text = manifest(WEAK | symbols) if text is None else text
        self._vms, self._clock, self._tarpit = vms, clock, tarpit
        self._held: int | None = None
        self.root = Path(tempfile.mkdtemp(prefix="hvinit-pid1-"))
        self._cgroup: Path | None = None
        self._ended = ""
        self._prepare()

    # --- the invented root ---

    def _prepare(self) -> None:
        for folder in FOLDERS:
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        for name, text in FILES.items():
            (self.root / name).write_text(text)
        (self.root / "etc/hvinit/manifest").write_text(self._text)
        for vm in self._vms:
            os.mkfifo(self.root / "ctl" / vm)
            (self.root / "ctl" / f"{vm}.log").touch()
            for path in (self.root / "ctl" / vm, self.root / "ctl" / f"{vm}.log"):
                path.chmod(0o666)
        for name in LIBRARIES:
            here = Path("/", name)
            if here.is_symlink():
                (self.root / name).symlink_to(os.readlink(here))
            elif here.is_dir():
                (self.root / name).mkdir(parents=True, exist_ok=True)

    def _binds(self, console: str) -> list[str]:
        pairs = {console: "/dev/console", "/dev/null": "/dev/null"}
        pairs[self._words[0]] = "/init"
        pairs[str(HERE / "standin")] = "/usr/bin/qemu-system-aarch64"
        for name in LIBRARIES:
            if Path("/", name).is_dir() and not Path("/", name).is_symlink():
                pairs[f"/{name}"] = f"/{name}"
        return [f"{source}={place}" for source, place in pairs.items()]

    def _own(self) -> None:
        """Root of the machine is nobody here."""
        if self._users.root == os.geteuid():
            return
        self.root.chmod(0o755)
        for path in (self.root, *self.root.rglob("*")):
            os.chown(path, self._users.root, self._users.root, follow_symlinks=False)

    def _make_cgroup(self) -> None:
        above = cgroups()
        if above is None:
            return
        self._cgroup = above / self.root.name
        self._cgroup.mkdir()
        for path in (self._cgroup, *self._cgroup.iterdir()):
            os.chown(path, self._users.root, self._users.root)

    # --- power on and off ---

    def __enter__(self) -> Self:
        master, slave = os.openpty()
        os.chown(os.ttyname(slave), self._users.root, -1)
        self._own()
        self._make_cgroup()
        words = [str(HERE / "cradle"), str(self.root)]
        words += ["-p"] * self._asan + ["-f", "/ctl/stuck"] * self._tarpit
        environment = {"HVINIT_CLOCK": str(self._clock), **SANITIZERS}
        self._errors = (self.root / "ctl/errors").open("w+")
        self._cradle = subprocess.Popen(
            [*words, *self._binds(os.ttyname(slave)), "--", "/init"], env=environment, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
        )
        self._master = master
        self.console = Console(master)
        if self._said() != "unshared":
            raise Failed(f"no namespaces: {self.errors()}")
        self._users.write_maps(self._cradle.pid)
        if self._cgroup:
            (self._cgroup / "cgroup.procs").write_text(str(self._cradle.pid))
        self._say("mapped")
        said = self._said()
        if not said.startswith("pid "):
            raise Failed(f"no machine: {said} {self.errors()}")
        self.pid = int(said.split()[1])
        self.console.expect("init: started")
        os.close(slave)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._cradle.stdin and self._cradle.stdout
        self._cradle.stdin.close()
        self._cradle.stdout.read()
        self._cradle.wait()
        self._cradle.stdout.close()
        os.close(self._master)
        found = self.complaints()
        self._errors.close()
        if self._cgroup:
            for path in sorted((p for p in self._cgroup.rglob("*") if p.is_dir()), reverse=True):
                path.rmdir()
            self._cgroup.rmdir()
        shutil.rmtree(self.root)
        if found:
            raise Failed(found)

    def _say(self, line: str) -> None:
        assert self._cradle.stdin
        self._cradle.stdin.write(line + "\n")
        self._cradle.stdin.flush()

    def _said(self) -> str:
        assert self._cradle.stdout
        return self._cradle.stdout.readline().strip()

    def errors(self) -> str:
        self._errors.seek(0)
        return self._errors.read()

    def complaints(self) -> str:
        """What the sanitizers and the C library have said."""
        logs = sorted((self.root / "ctl").glob("sanitizer.*"))
        return "".join(path.read_text(errors="replace") for path in logs)

    def end(self) -> str:
        """Waits until PID 1 has ended; how: "signal 1" is a reboot, "signal 2" off or halted."""
        self.console.until_end()
        return self._said()

    # --- what happens to it ---

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def freeze(self) -> None:
        """PID 1 sees what happens from now on only when it is thawed."""
        self.signal(signal.SIGSTOP)
        await_that("PID 1 has stopped", lambda: self.field("State").startswith("T"))

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def caught(self) -> None:
        """Waits until somebody has looked into /ctl/stuck."""
        said = self._said()
        if not said.startswith("caught"):
            raise Failed(f"nobody was caught: {said}")

    def release(self) -> None:
        """The folder /ctl/stuck lets go."""
        self._say("let go")

    def order(self, text: str, vm: str = "vm") -> None:
        """Tells the stand-in of VM what to do."""
        _feed(_writer(self.root / "ctl" / vm), text + "\n")

    def reached(self, point: str, times: int = 1, vm: str = "vm") -> None:
        """Waits until the stand-in of VM has come to a point for so many times."""
        log = self.root / "ctl" / f"{vm}.log"
        await_that(
            f"{vm} has come to {point} {times} times; it has been at {log.read_text().split()}",
            lambda: log.read_text().splitlines().count(point) >= times,
        )

    def hold(self, name: str) -> None:
        """Before power on: who reads file NAME of the invented /sys waits until let_read()."""
        (self.root / name).unlink(missing_ok=True)
        os.mkfifo(self.root / name)

    def swap(self, name: str, text: str) -> None:
        """Who reads NAME now goes on waiting; those who come from now on read TEXT."""
        self._held = _writer(self.root / name)
        (self.root / name).unlink()
        (self.root / name).write_text(text)

    def let_read(self, name: str, text: str) -> None:
        _feed(_writer(self.root / name) if self._held is None else self._held, text)
        self._held = None

    # --- programs on it ---

    def inside(self, *words: str) -> list[str]:
        """The command line of a program that sees the machine from within, and is root there."""
        return ["nsenter", f"--target={self.pid}", "--user", "--pid", "--mount", "--root", "--setuid=0", "--setgid=0", *words]

    def ctl_words(self, *words: str) -> list[str]:
        """What runs hvinit ctl WORDS, as soon as PID 1 listens for it."""
        socket = Path("/proc", str(self.pid), "root", "run/hvinit/ctl")
        await_that("PID 1 listens for hvinit ctl", socket.exists)
        return self.inside("/init", "ctl", *words)

    def ctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        """hvinit ctl WORDS"""
        return subprocess.run(
            self.ctl_words(*words), env=SANITIZERS, text=True, capture_output=True, timeout=LIMIT,
        )

    # --- what it is like ---

    def field(self, name: str) -> str:
        """PID 1's field NAME in /proc/PID/status."""
        found = re.search(rf"^{name}:\s*(.*)$", Path(f"/proc/{self.pid}/status").read_text(), re.MULTILINE)
        assert found, name
        return found[1]

    def descriptors(self) -> list[str]:
        """What PID 1 has open."""
        found = []
        for path in Path(f"/proc/{self.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # it has just been closed
                found.append(os.readlink(path))
        return sorted(found)

    def children(self) -> dict[int, str]:
        """PID 1's children and the state of each: one letter."""
        states = {}
        for child in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
            try:
                stat = Path(f"/proc/{child}/stat").read_text()
            except OSError:
                continue
            states[int(child)] = stat.rpartition(")")[2].split()[0]
        return states

    def user(self, pid: int) -> int:
        """Whose process PID is, as numbered outside."""
        return os.stat(f"/proc/{pid}").st_uid

    def terminal(self) -> list[object]:
        """The terminal's settings (termios)."""
        return termios.tcgetattr(self._master)

    def state(self, vm: str = "vm") -> str:
        """As the command "status" has it."""
        found = re.search(rf"^{vm} +([a-z]+) ", self.console.ask("status"), re.MULTILINE)
        if not found:
            raise self.console.failed(f"no state of {vm}")
        return found[1]

    def process(self, vm: str = "vm") -> int:
        """VM's process as the machine numbers it, or 0."""
        found = re.search(rf"^{vm} +[a-z]+ +\d+ s +(\d+)", self.console.ask("status"), re.MULTILINE)
        if not found:
            raise self.console.failed(f"no process of {vm}")
        return int(found[1])
