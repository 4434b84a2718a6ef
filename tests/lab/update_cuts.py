# SPDX-License-Identifier: GPL-2.0-or-later
"""What power failures during an update, and the boot behind it, leave on the disk, as the log of its
writes tells; and machines that boot such disks."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .appliance import Appliance
from .dmlog import Cut, Log
from .image import NEWER, version
from .machine import Trip
from .paths import run
from .progress import Progress
from .server import ESP_AT, IMAGES, Server
from .updating import USB, command, plug_cd, sha256, whole

COPIES = "EFI/hvinit"
OWN, NEW = f"hvinit_{version()}.efi", f"hvinit_{NEWER}"
START, SIZE = 1 << 20, 512 << 20  # of the partition, in bytes
# What can be found, in the order in which it comes about.
STAGES = (
    "before the copy", "during the copy", "before the rename", "both names", "after the rename",
    "on trial", "good",
)  # fmt: skip
ALL = os.environ.get("LAB_CUTS") == "all"
# Places between two flushes at which power fails; at which stages cuts are booted, and how many of each.
# Before the copy nothing is new, and what is good is renamed no more: those two are for the soak.
MOST, BOOTED, EACH = (10**6, STAGES, 7) if ALL else (8, STAGES[1:-1], 1)


@dataclass(frozen=True)
class Left:
    """Files of the boot folder and of the folder of copies: name to whether each is what it should be."""

    images: dict[str, bool]
    copies: dict[str, bool]

    @property
    def stage(self) -> str:
        if f"{NEW}.efi" in self.images:
            return "good"
        if f"{NEW}+2-1.efi" in self.images:
            return "on trial"
        if f"{NEW}+3.efi" in self.images:
            return "both names" if self.copies else "after the rename"
        if not self.copies:
            return "before the copy"
        return "before the rename" if all(self.copies.values()) else "during the copy"


@dataclass
class Boot:
    """What a machine boots from the disk of a cut, which version then runs, and what is left in the end.
    ANOTHER is what another update says, where there is one."""

    stage: str
    runs: str
    left: Left
    another: str = ""


@dataclass
class Cuts:
    writes: int = 0
    left: dict[Cut, Left] = field(default_factory=dict)
    boots: list[Boot] = field(default_factory=list)


@dataclass(frozen=True)
class Failures:
    """Of the machine whose disk was BEFORE, and of whose LOG the writes of SPAN are looked at."""

    before: Path
    log: Log
    span: tuple[int, int]
    own: Path
    new: Path

    def cut(self, tell: Progress) -> Cuts:
        """Looks at the disk after each cut, from the update to the end of the boot behind it, in which
        the image is found to be good."""
        seen = Cuts(self.span[1] - self.span[0])
        flushed, image, done = self.before.with_name("flushed.esp"), self.before.with_name("cut.esp"), 0
        run(["cp", "--sparse=always", self.before, flushed])
        for cut in self.log.cuts(*self.span, most=MOST):
            self.log.apply(range(done, cut.flushed), flushed, START, SIZE)
            done = max(done, cut.flushed)
            run(["cp", "--sparse=always", flushed, image])
            self.log.apply([i for i in cut.kept if i >= cut.flushed], image, START, SIZE)
            seen.left[cut] = self.look(str(image))
        tell(f"update: {seen.writes} writes, {len(seen.left)} cuts")
        return seen

    def look(self, fat: str) -> Left:
        sums = {OWN: sha256(self.own)}
        new = sha256(self.new)
        return Left(
            {name: whole(fat, f"{IMAGES}/{name}", sums.get(name, new)) for name in _names(fat, IMAGES)},
            _copies(fat, new),
        )

    def boot(self, seen: Cuts, medium: Path, tell: Progress) -> None:
        """Some of each stage. The first one that still runs the old image is updated once more."""
        again = True
        for n, cut in enumerate(_choose(seen.left)):
            server = Server(f"update-cut{n}", extra=USB)
            run(["dd", f"if={self.before}", f"of={server.boot_image}", "bs=1M", "conv=notrunc", "seek=1"])
            self.log.apply(cut.kept, server.boot_image)
            another = ""
            with Trip(server) as trip:
                appliance = Appliance(trip, tell)
                runs = appliance.console.expect(r"init: started: hvinit ([0-9.]+),")[1]
                if again and runs == version():
                    again = False
                    plug_cd(appliance, "cd", medium)
                    another = command(appliance, f"--sha256 {sha256(self.new)}")
                appliance.power_off()
            seen.boots.append(Boot(seen.left[cut].stage, runs, self.look(f"{server.boot_image}{ESP_AT}"), another))
            tell(f"update: cut {cut.after}, {seen.left[cut].stage}: boots {runs}")


def _names(fat: str, folder: str) -> list[str]:
    """Of a folder's files."""
    listed = run(["mdir", "-b", "-i", fat, f"::{folder}"]).decode()
    return [line.rpartition("/")[2] for line in listed.splitlines()]


def _copies(fat: str, wanted: str) -> dict[str, bool]:
    """A folder that is not there has none; one that is half written has one that is broken."""
    parent = COPIES.rpartition("/")[0]
    if f"::/{COPIES}/" not in run(["mdir", "-b", "-i", fat, f"::{parent}"]).decode().splitlines():
        return {}
    try:
        return {name: whole(fat, f"{COPIES}/{name}", wanted) for name in _names(fat, COPIES)}
    except RuntimeError:
        return {"": False}


def _choose(left: dict[Cut, Left]) -> Iterator[Cut]:
    """Of each stage the last ones: the most has been written by then."""
    for stage in BOOTED:
        yield from [cut for cut, it in left.items() if it.stage == stage][-EACH:]
