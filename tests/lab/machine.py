# SPDX-License-Identifier: GPL-2.0-or-later
"""One L0 machine with the appliance's boot drive and fresh lab drives, from start to end."""

import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from . import addon, esp, iort, l0, trace
from .console import Console, LabError
from .disk import SIZE, Disk
from .paths import LAB, MANIFEST, PRODUCT
from .qmp import Qmp
from .topology import FIRST_LIGHT, Topology


class Machine:
    """Prepares everything in a folder of its own, kept for a look afterwards.

    CONFIG, if given, is the text of a .config whose manifest takes the place of the product's.
    OVERRIDE says whether the kernel gets the IORT that makes nesting possible. LOADER is what the
    drive of that name boots a guest with, by the guest's own firmware. FILES (name to content) are
    put into the appliance's root. EXTRA are more words for L0, WORDS for the kernel.
    """

    def __init__(
        self,
        name: str,
        topology: Topology = FIRST_LIGHT,
        accel: tuple[str, ...] = l0.INTERACTIVE,
        config: str = "",
        override: bool = True,
        loader: tuple[str, Path] | None = None,
        files: dict[str, bytes] | None = None,
        extra: Sequence[str] = (),
        words: str = "",
    ) -> None:
        self.topology, self.accel, self.extra = topology, accel, extra
        self.folder = LAB / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.log = self.folder / "console.log"
        self.l0_log = self.folder / "l0.log"
        self.boot_image = self.folder / "boot.img"
        self.disks = {name: Disk(self.folder / f"{name}.img") for name in topology.drives()}
        if loader:
            disk = self.disks[loader[0]]
            disk.start = esp.make(disk.path, loader[1], [], SIZE)
        for disk in self.disks.values():
            disk.refill()
        self.manifest = self.folder / "manifest" if config else MANIFEST
        addons = []
        if override:
            addons.append(addon.override(self.folder / "iort.addon.efi", iort.overriding(topology)))
        if config:
            addons.append(addon.manifest(self.folder / "manifest.addon.efi", config))
        if words:
            addons.append(addon.cmdline(self.folder / "cmdline.addon.efi", words))
        if files:
            addons.append(addon.files(self.folder / "files.addon.efi", files))
        esp.make(self.boot_image, PRODUCT, addons)

    def words(self, serial: str) -> list[str]:
        """L0's command line, with chardev SERIAL as the appliance's serial line."""
        words = [*l0.machine(self.topology, self.accel), *l0.boot_drive(self.boot_image)]
        for name, disk in self.disks.items():
            words += l0.drive(f"drive-{name}", disk.path)
        words += ["-chardev", f"{serial},id=serial,logfile={self.log}", "-serial", "chardev:serial"]
        return [*words, *self.extra, *trace.EVENTS]


def _line() -> tuple[socket.socket, socket.socket]:
    """Our end and L0's."""
    ours, theirs = socket.socketpair()
    os.set_inheritable(theirs.fileno(), True)
    return ours, theirs


class Trip:
    """A running Machine: its console, its monitor, and the tally of what its SMMUs translate."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def __enter__(self) -> "Trip":
        ours, theirs = _line()
        monitor, its_monitor = _line()
        words = self.machine.words(f"socket,fd={theirs.fileno()}")
        words += ["-chardev", f"socket,id=qmp,fd={its_monitor.fileno()}"]
        words += ["-object", "monitor-qmp,id=monitor,chardev=qmp"]
        self._l0 = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=[theirs.fileno(), its_monitor.fileno()],
        )
        theirs.close()
        its_monitor.close()
        assert self._l0.stderr
        self.tally = trace.Tally(self._l0.stderr, self.machine.l0_log)
        self.console = Console(ours, self.machine.log)
        self.qmp = Qmp(monitor)
        return self

    def wait_off(self) -> None:
        """Waits until the appliance has powered the machine off; anything else is an error."""
        self.console.expect_end()
        status = self._l0.wait()
        self.tally.join()
        if status:
            raise LabError(f"L0 ended with status {status}: see {self.machine.l0_log}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._l0.poll() is None:
            self._l0.kill()
        self._l0.wait()
        self.tally.join()
