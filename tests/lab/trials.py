# SPDX-License-Identifier: GPL-2.0-or-later
"""New images on a server's disk, as an update leaves them: a good one, whose tries are then counted no
more; one that panics, one whose critical VM fails, one that hangs and one whose manifest is refused, after
which the machine comes back with the older one; and one that the boot loader cannot even load."""

import re
import time
from dataclasses import dataclass, field

from . import config
from .appliance import SHELL_PROMPT, Appliance
from .console import LIMIT, LabError
from .image import Image, version
from .machine import Trip
from .paths import LAB
from .progress import Progress
from .server import IMAGES, Server
from .story import Story

BLESS_S, LOOKED_AT_S = 3, 20
WATCHDOG_S = 20
GOOD, PANICS, FAILS, HANGS, REFUSED, TORN = "0.2.0", "0.3.0", "0.4.0", "0.5.0", "0.5.5", "0.6.0"
VARIABLES = "/sys/firmware/efi/efivars"
ICE = "/sys/fs/cgroup/ice"
GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"


@dataclass
class Trials(Story):
    """What the story leaves behind: of each trip its console, and the boot folder after it."""

    consoles: dict[str, str] = field(default_factory=dict)
    images: dict[str, list[str]] = field(default_factory=dict)
    places: tuple[int, int] = (0, 0)  # of the loader and the good image, in the firmware's order


def manifest(**symbols: str | int | bool) -> str:
    """One critical VM without a device, and what a server has."""
    devices = {f"VM0_HOSTDEV{n}_BDF": "" for n in range(2)}
    return config.changed(**devices, **{
        "HOST_MODULES": "nvme i6300esb", "HOST_WATCHDOG_S": str(WATCHDOG_S), "HOST_BLESS_SECONDS": BLESS_S,
        "VM0_NAME": "demo", "VM0_MEMORY_MIB": 128, "VM0_CRITICAL": True, "VM0_AUTOSTART": True,
        "VM0_CONSOLE_ECHO": False, "VM0_STOP_TIMEOUT": 1, **symbols,
    })  # fmt: skip


def trials(tell: Progress) -> Trials:
    folder = LAB / "images"
    own = Image(version(), manifest()).build(folder / "own.efi")
    # Time to look at it while it is on trial.
    good = Image(GOOD, manifest(HOST_BLESS_SECONDS=LOOKED_AT_S)).build(folder / "good.efi")
    server = Server(
        "trials", {f"hvinit_{version()}.efi": own, f"hvinit_{GOOD}+3.efi": good},
        extra=["-device", "i6300esb,bus=pcie.0,addr=0x9", "-action", "watchdog=reset"],
    )  # fmt: skip
    seen = Trials(server)
    for chapter in (_good, _panics, _fails, _hangs, _refused, _torn):
        name = chapter.__name__.strip("_")
        with Trip(server) as trip:
            appliance = Appliance(trip, tell)
            chapter(appliance, seen)
            seen.consoles[name] = trip.console.text()
        seen.images[name] = server.images()
        tell(f"trials: {name} is over: {' '.join(seen.images[name])}")
        _prepare(server, name)
    seen.console = "\n".join(seen.consoles.values())
    return seen


def _prepare(server: Server, after: str) -> None:
    """What is put on the disk for the chapter behind AFTER."""
    folder = LAB / "images"
    if after == "good":
        image = Image(PANICS, manifest(), words="rdinit=/nowhere panic=1").build(folder / "panics.efi")
        server.put(f"{IMAGES}/hvinit_{PANICS}+3.efi", image)
    elif after == "panics":
        image = Image(FAILS, manifest(VM0_KERNEL="/nowhere/Image")).build(folder / "fails.efi")
        server.put(f"{IMAGES}/hvinit_{FAILS}+1.efi", image)
    elif after == "fails":
        image = Image(HANGS, manifest(HOST_BLESS_SECONDS=3600)).build(folder / "hangs.efi")
        server.put(f"{IMAGES}/hvinit_{HANGS}+1.efi", image)
    elif after == "hangs":
        image = Image(REFUSED, manifest=b"# hvinit manifest 99\n").build(folder / "refused.efi")
        server.put(f"{IMAGES}/hvinit_{REFUSED}+1.efi", image)
    elif after == "refused":
        torn = folder / "torn.efi"
        torn.write_bytes((folder / "good.efi").read_bytes()[: 5 << 20])
        server.put(f"{IMAGES}/hvinit_{TORN}+3.efi", torn)


def _started(appliance: Appliance, wanted: str) -> None:
    appliance.console.expect(rf"init: started: hvinit {re.escape(wanted)},")
    appliance.tell(f"appliance: hvinit {wanted} has started")


def _status(appliance: Appliance, seen: Trials, name: str) -> None:
    seen.answers[name] = appliance.status_of_machine()
    seen.answers[f"{name} --json"] = appliance.json("status --json")


def _good(appliance: Appliance, seen: Trials) -> None:
    _started(appliance, GOOD)
    appliance.console.expect("host: this image is on trial")
    appliance.await_vm("running")
    _status(appliance, seen, "on trial")
    appliance.console.expect("host: this image is good")
    _status(appliance, seen, "good")
    seen.places = _await_option(appliance)
    appliance.power_off()


def _await_option(appliance: Appliance) -> tuple[int, int]:
    """Where the loader and the image itself are in the firmware's order, once both are there: the
    option is written when it has been said already that the image is good."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        places = _places(appliance.shell(
            f"cd {VARIABLES}; for one in BootOrder BootCurrent Boot000*; do "
            f"echo $one; busybox od -An -v -tx1 ${{one%-{GLOBAL}}}-{GLOBAL}; done"
        ))  # fmt: skip
        if places:
            return places
    raise LabError(f"no boot option leads to the image: see {appliance.console.log}")


def _places(told: str) -> tuple[int, int] | None:
    """The variables begin with four bytes that are not theirs."""
    options = {
        name: bytes.fromhex(data.replace("\n", " "))[4:]
        for name, data in re.findall(r"(Boot\w+)[^\n]*\n((?: [0-9a-f ]+\n?)+)", told)
    }
    order = [options["BootOrder"][at : at + 2] for at in range(0, len(options["BootOrder"]), 2)]
    wanted = f"hvinit_{GOOD}.efi".encode("utf-16-le")
    for name, data in options.items():
        number = bytes.fromhex(name.removeprefix("Boot"))[::-1] if wanted in data else b""
        if number in order:
            return order.index(options["BootCurrent"]), order.index(number)
    return None


def _panics(appliance: Appliance, seen: Trials) -> None:
    """Three times, before there is a PID 1 to say anything; then the good one comes back."""
    for _ in range(3):
        appliance.console.expect("Kernel panic - not syncing")
    _came_back(appliance, seen, "after panics")


def _fails(appliance: Appliance, seen: Trials) -> None:
    _started(appliance, FAILS)
    appliance.console.expect("TRIAL-FAILED")
    _came_back(appliance, seen, "after a failure")


def _hangs(appliance: Appliance, seen: Trials) -> None:
    """PID 1 is made to stand still: nothing feeds the watchdog any more."""
    _started(appliance, HANGS)
    appliance.await_lines("hvinit: demo: running", "watchdog armed")
    appliance.console.send("shell")
    appliance.console.expect(SHELL_PROMPT)
    appliance.console.send(f"busybox mkdir {ICE}; echo 1 >{ICE}/cgroup.procs; echo 1 >{ICE}/cgroup.freeze")
    _came_back(appliance, seen, "after a hang")


def _refused(appliance: Appliance, seen: Trials) -> None:
    """Its manifest is of a format to come, so no driver is loaded, and nobody can look what else there is."""
    _started(appliance, REFUSED)
    appliance.console.expect("TRIAL-FAILED")
    _came_back(appliance, seen, "after a refusal")


def _torn(appliance: Appliance, seen: Trials) -> None:
    """The loader gives up, and the firmware takes what is next in its order."""
    _came_back(appliance, seen, "past the loader")


def _came_back(appliance: Appliance, seen: Trials, name: str) -> None:
    _started(appliance, GOOD)
    appliance.await_vm("running")
    _status(appliance, seen, name)
    appliance.power_off()
