# SPDX-License-Identifier: GPL-2.0-or-later
"""A server that updates itself: refused images of every kind, media that are not there or twice, a good
update from a USB stick, all with a clock in 1970, and the next boot, of an image with a certificate, which
takes only signed ones. Then what power failures during such an update leave on the disk, as the log of its
writes tells. Then the power button, while a copy is written. Then partitions that take no image. Then two updates at once, and back to an older version."""

import socket
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import addon, medium
from .appliance import PROMPT, SHELL_PROMPT, Appliance
from .console import LIMIT, Console, LabError, patient
from .dmlog import Log
from .image import NEWER, Image, version
from .machine import Trip
from .paths import LAB, run
from .progress import Progress
from .server import IMAGES, Server
from .story import Story
from .update_cuts import OWN, SIZE, START, Cuts, Failures
from .update_esp import Place, places
from .updating import GOODS, USB, command, end, manifest, mount, plug, sha256, unmount, unplug, whole

OLDER, SIGNED = "0.0.9", "0.3.0"
DIRTY_AT = 0x41
CERTIFICATE = "etc/hvinit/certificate.pem"


@dataclass
class Update(Story):
    """What the story leaves behind. REFUSED has the words for each image that is none, CUTS what power
    failures leave, DIRTY whether the file system was called so when the power button was pressed, and in
    the end, PLACES the partitions that take no image, BACK whether each image is whole after an older
    version was gone back to."""

    refused: dict[str, str] = field(default_factory=dict)
    seconds: float = 0
    images: dict[str, list[str]] = field(default_factory=dict)
    cuts: Cuts = field(default_factory=Cuts)
    places: dict[str, Place] = field(default_factory=dict)
    back: dict[str, bool] = field(default_factory=dict)
    dirty: list[bool] = field(default_factory=list)


class Logged(Server):
    """Everything that is written to its disk is logged, too."""

    def boot_drive(self) -> list[str]:
        self.writes = self.folder / "writes.log"
        with open(self.writes, "wb") as log:
            log.truncate(1 << 30)
        return [
            "-blockdev", f"driver=file,node-name=boot-file,filename={self.boot_image}",
            "-blockdev", f"driver=file,node-name=log-file,filename={self.writes}",
            "-blockdev",
            "driver=blklogwrites,node-name=boot,file=boot-file,log=log-file,log-super-update-interval=64",
            "-device", "nvme,drive=boot,serial=BOOT,bus=pcie.0,addr=0x8",
        ]  # fmt: skip


def update(tell: Progress) -> Update:
    folder = LAB / "update-images"
    own = Image(version(), manifest()).build(folder / "own.efi")
    ours, others = (_make_key(folder, name) for name in ("ours", "others"))
    certificate = {CERTIFICATE: ours.with_suffix(".pem").read_bytes()}
    new = Image(NEWER, manifest(), files=certificate).build(folder / "new.efi")
    signed = Image(SIGNED, manifest(), files=certificate).build(folder / "unsigned.efi")
    server = Logged("update", {OWN: own}, extra=USB)
    seen = Update(server)
    sticks = _sticks(server.folder, folder, new)
    sticks["signed"] = medium.fat(server.folder / "signed.img", {
        "unsigned.efi": signed,
        "others.efi": _sign(signed, folder / "others.efi", others),
        "ours.efi": _sign(signed, folder / "ours.efi", ours),
    }, "GOODS")  # fmt: skip
    before = server.folder / "before.esp"
    run(["dd", f"if={server.boot_image}", f"of={before}", "bs=1M", "conv=sparse", "skip=1", f"count={SIZE >> 20}"])
    with Trip(server) as trip:
        appliance = Appliance(trip, tell)
        appliance.await_init()
        _refuse_files(appliance, seen, sticks, new)
        _refuse_media(appliance, seen, sticks, sha256(new))
        first = len(Log(server.writes).writes)
        _update(appliance, seen, sticks, sha256(new))
        appliance.console.send("reboot")
        appliance.console.expect(rf"init: started: hvinit {NEWER},")
        seen.answers["on trial"] = appliance.status_of_machine()
        appliance.await_log("host: this image is good")
        last = len(Log(server.writes).writes)
        _refuse_signatures(appliance, seen, sticks)
        appliance.power_off()
        seen.console = trip.console.text()
    seen.images["after"] = server.images()
    failures = Failures(before, Log(server.writes), (first, last), own, new)
    seen.cuts = failures.cut(tell)
    failures.boot(seen.cuts, sticks["iso"], tell)
    _break_off(seen, own, sticks["iso"], sha256(new), tell)
    seen.places = places(sticks["iso"], new, own, tell)
    _go_back(seen, own, sticks, sha256(folder / "older.efi"), tell)
    return seen


def _break_off(seen: Update, own: Path, stick: Path, typed: str, tell: Progress) -> None:
    server = Server("update-broken-off", {OWN: own}, extra=USB)
    with Trip(server) as trip:
        appliance = Appliance(trip, tell)
        appliance.await_init()
        plug(appliance, "stick", stick)
        appliance.console.send(f"update --sha256 {typed}")
        appliance.console.expect(r"update: writing \d+ KiB")
        seen.dirty.append(_is_dirty(server))
        trip.qmp.ask("system_powerdown")
        trip.wait_off()
    seen.dirty.append(_is_dirty(server))
    seen.images["broken off"] = server.images()


def _is_dirty(server: Server) -> bool:
    """What FAT32 says of itself (the byte behind the drive number, as Linux and Windows use it)."""
    with open(server.boot_image, "rb") as disk:
        disk.seek(START + DIRTY_AT)
        return disk.read(1) != b"\0"


def _go_back(seen: Update, own: Path, sticks: dict[str, Path], typed: str, tell: Progress) -> None:
    """To an older version, by two updates at once at two consoles; the boot loader starts it once, for
    it is told to."""
    with tempfile.TemporaryDirectory() as folder:
        line = Path(folder) / "line"
        words = addon.cmdline(LAB / "update-images/cmdline.addon.efi", "console=ttyAMA1 console=ttyAMA0")
        server = Server("update-back", {OWN: own}, [words], extra=[
            *USB, "-chardev", f"socket,id=second,path={line},server=on,wait=off", "-serial", "chardev:second",
        ])  # fmt: skip
        with Trip(server) as trip:
            appliance = Appliance(trip, tell)
            appliance.await_init()
            with socket.socket(socket.AF_UNIX) as second:
                second.connect(str(line))
                other = Console(patient(second), server.folder / "second.log")
                _two_at_once(appliance, other, seen, sticks["fat"], typed)
            seen.answers["both there"] = appliance.status_of_machine()
            for boot in "older", "newest":
                appliance.console.send("reboot")
                seen.answers[f"{boot} boots"] = appliance.console.expect(r"init: started: hvinit ([0-9.]+),")[1]
                appliance.console.expect("host: this image is good" if boot == "older" else PROMPT)
            appliance.power_off()
        sums = {OWN: sha256(own)}
        seen.back = {name: whole(server.esp, f"{IMAGES}/{name}", sums.get(name, typed)) for name in server.images()}


def _two_at_once(appliance: Appliance, other: Console, seen: Update, stick: Path, typed: str) -> None:
    """One at the first console, and another from a rescue shell at the second one, as soon as the first
    has the folder of copies: to read the image twice takes far longer than to be refused."""
    words = f"update --force --sha256 {typed}"
    plug(appliance, "stick", stick)
    other.send("shell")
    other.expect(SHELL_PROMPT)
    appliance.console.send(words)
    begun = "busybox ls -l /proc/[0-9]*/fd 2>/dev/null | busybox grep -q EFI/hvinit"
    other.send(f"until {begun}; do :; done; /init ctl {words}; echo code=$?")
    # The first console holds only so much: it is read first.
    seen.answers["the one"] = end(appliance)
    seen.answers["the other"] = other.until(r"code=(?=\d)")
    seen.answers["its code"] = other.expect(r"\d+")[0]
    other.send("exit")
    other.expect(PROMPT)


# --- the machine ---


def _sticks(work: Path, folder: Path, new: Path) -> dict[str, Path]:
    """One with everything that is refused, and those of the label."""
    goods = {"new.efi": new}
    for name, image in {
        "board.efi": Image(NEWER, manifest(), os_release={"VARIANT_ID": "moonbase"}),
        "nothing.efi": Image(NEWER, manifest(), os_release={"ID": "debian"}),
        "version.efi": Image(NEWER, manifest(), os_release={"VERSION_ID": '"1 2"'}),
    }.items():
        goods[name] = image.build(folder / name)
    goods["same.efi"] = folder / "own.efi"
    goods["older.efi"] = Image(OLDER, manifest()).build(folder / "older.efi")
    data = new.read_bytes()
    at = int.from_bytes(data[60:64], "little") + 4
    for name, changed in {
        "x86.efi": data[:at] + b"\x64\x86" + data[at + 2 :],
        "cut.efi": data[: len(data) // 2],
        "text.efi": b"#!/bin/sh\n",
        "altered.efi": data[:-1000] + b"x" + data[-999:],
    }.items():
        (folder / name).write_bytes(changed)
        goods[name] = folder / name
    return {
        "goods": medium.fat(work / "goods.img", goods, "GOODS"),
        "iso": medium.iso(work / "iso.img", new),
        "fat": medium.fat(work / "fat.img", {medium.FILE: folder / "older.efi"}),
        "gpt": medium.gpt(work / "gpt.img", {medium.FILE: folder / "older.efi"}),
        "empty": medium.fat(work / "empty.img", {"other.efi": folder / "text.efi"}),
    }


def _make_key(folder: Path, name: str) -> Path:
    """A key, with its certificate beside it."""
    key = folder / f"{name}.key"
    run([
        "openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}/",
        "-days", "30", "-keyout", key, "-out", key.with_suffix(".pem"),
    ])  # fmt: skip
    return key


def _sign(image: Path, signed: Path, key: Path) -> Path:
    signed.unlink(missing_ok=True)
    run([
        "osslsigncode", "sign", "-h", "sha256", "-certs", key.with_suffix(".pem"), "-key", key,
        "-in", image, "-out", signed,
    ])  # fmt: skip
    return signed


def _refuse_files(appliance: Appliance, seen: Update, sticks: dict[str, Path], new: Path) -> None:
    """The first update without a medium loads the drivers."""
    typed = f"--sha256 {sha256(new)}"
    seen.refused["no sum"] = command(appliance, "/nowhere.efi")
    seen.refused["no digits"] = command(appliance, "--sha256 123")
    seen.refused["no medium"] = command(appliance, typed)
    mount(appliance, "goods", sticks["goods"])
    for name in "board", "nothing", "version", "same", "older", "x86", "cut", "text", "altered", "missing":
        seen.refused[name] = command(appliance, f"{GOODS}/{name}.efi {typed}")
    seen.refused["a folder"] = command(appliance, f"{GOODS} {typed}")
    unmount(appliance, "goods")


def _refuse_signatures(appliance: Appliance, seen: Update, sticks: dict[str, Path]) -> None:
    """One update from a medium loads the drivers, in this boot, too."""
    plug(appliance, "empty", sticks["empty"])
    seen.refused["no file, signed"] = command(appliance, "")
    unplug(appliance, "empty")
    mount(appliance, "signed", sticks["signed"])
    seen.refused["unsigned"] = command(appliance, f"{GOODS}/unsigned.efi")
    seen.refused["by others"] = command(appliance, f"{GOODS}/others.efi")
    seen.answers["by us"] = appliance.shell(f"/init ctl update {GOODS}/ours.efi")
    unmount(appliance, "signed")


def _refuse_media(appliance: Appliance, seen: Update, sticks: dict[str, Path], typed: str) -> None:
    plug(appliance, "empty", sticks["empty"])
    seen.refused["no file"] = command(appliance, f"--sha256 {typed}")
    unplug(appliance, "empty")
    plug(appliance, "gpt", sticks["gpt"])
    seen.refused["GPT"] = command(appliance, f"--sha256 {typed}")
    plug(appliance, "iso", sticks["iso"])
    seen.refused["two media"] = _await(appliance, "UPDATE-TWICE", f"--sha256 {typed}")
    unplug(appliance, "gpt")
    unplug(appliance, "iso")


def _await(appliance: Appliance, code: str, words: str) -> str:
    """A second stick comes in its own time."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        said = command(appliance, words)
        if code in said:
            return said
    raise LabError(f"{code} was never said: see {appliance.console.log}")


def _update(appliance: Appliance, seen: Update, sticks: dict[str, Path], typed: str) -> None:
    plug(appliance, "iso", sticks["iso"])
    began = time.monotonic()
    seen.answers["update"] = command(appliance, f"--sha256 {typed}")
    seen.seconds = time.monotonic() - began
    unplug(appliance, "iso")
    seen.answers["status"] = appliance.status_of_machine()
