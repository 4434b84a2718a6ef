# SPDX-License-Identifier: GPL-2.0-or-later
"""A server that updates itself: refused images of every kind, media that are not there or twice, a good
update from a USB stick, and the next boot, of an image with a certificate, which takes only signed ones.
Then what power failures during such an update leave on the disk, as the log of its writes tells."""

import hashlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import config, medium
from .appliance import PROMPT, Appliance
from .console import LabError
from .dmlog import Cut, Log
from .image import NEWER, Image, version
from .machine import Trip
from .paths import LAB, run
from .progress import Progress
from .server import IMAGES, Server
from .story import Story

OLDER, SIGNED = "0.0.9", "0.3.0"
OWN = f"hvinit_{version()}.efi"
NEW = f"hvinit_{NEWER}"
CERTIFICATE = "etc/hvinit/certificate.pem"
TRIES = ("+3", "+2-1", "")  # of the new image, as time goes by
GOODS = "/tmp/goods"  # where the appliance mounts a stick with all kinds of images
ESP_AT, ESP_SIZE = 1 << 20, 512 << 20
USB = ["-device", "qemu-xhci,id=xhci,bus=pcie.0,addr=0xa"]
ENDS = r"\[UPDATE-[A-Z]+\]|is in place|hexadecimal digits"
# Places between two flushes at which power fails, and cuts that are booted.
MOST, BOOTS = (10**6, 50) if os.environ.get("LAB_CUTS") == "all" else (8, 3)


@dataclass
class Update(Story):
    """What the story leaves behind. REFUSED has the words for each image that is none. CUTS has, for each cut, what the boot folder then has: name to
    whether the file is what it should be; BOOTED what the machine says it runs."""

    refused: dict[str, str] = field(default_factory=dict)
    seconds: float = 0
    images: dict[str, list[str]] = field(default_factory=dict)
    cuts: dict[Cut, dict[str, str]] = field(default_factory=dict)
    booted: dict[str, str] = field(default_factory=dict)
    writes: int = 0


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


def manifest() -> str:
    """A server without a VM."""
    return config.changed(VM0_NAME="", VM0_HOSTDEV0_BDF="", VM0_HOSTDEV1_BDF="", HOST_BLESS_SECONDS=1)


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


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
    _copy_esp(server.boot_image, before)
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
    wanted = {OWN: sha256(own)} | {f"{NEW}{tries}.efi": sha256(new) for tries in TRIES}
    _cut(seen, before, (first, last), wanted, tell)
    _boot_cuts(seen, before, sticks, sha256(new), tell)
    _go_back(seen, own, sticks, sha256(folder / "older.efi"), tell)
    return seen


def _go_back(seen: Update, own: Path, sticks: dict[str, Path], typed: str, tell: Progress) -> None:
    """To an older version, which the boot loader starts once, for it is told to."""
    server = Server("update-back", {OWN: own}, extra=USB)
    with Trip(server) as trip:
        appliance = Appliance(trip, tell)
        appliance.await_init()
        _plug(appliance, "gpt", sticks["gpt"])
        seen.answers["older"] = _command(appliance, f"--force --sha256 {typed}")
        for boot in "older boots", "newest boots":
            appliance.console.send("reboot")
            seen.answers[boot] = appliance.console.expect(r"init: started: hvinit ([0-9.]+),")[1]
        appliance.power_off()


# --- power failures ---


def _copy_esp(disk: Path, esp: Path) -> None:
    run(["dd", f"if={disk}", f"of={esp}", "bs=1M", "conv=sparse", "skip=1", f"count={ESP_SIZE >> 20}"])


def _cut(
    seen: Update, before: Path, span: tuple[int, int], wanted: dict[str, str], tell: Progress
) -> None:
    """Looks at the boot folder after each cut, from the update to the end of the boot behind it, in
    which the image is found to be good."""
    assert isinstance(seen.machine, Logged)
    log = Log(seen.machine.writes)
    seen.writes = span[1] - span[0]
    flushed, image, done = before.with_name("flushed.esp"), before.with_name("cut.esp"), 0
    run(["cp", "--sparse=always", before, flushed])
    cuts = log.cuts(*span, most=MOST)
    for cut in cuts:
        kept = [i for i in cut.kept if i >= cut.flushed]
        log.apply(range(done, cut.flushed), flushed, ESP_AT, ESP_SIZE)
        done = max(done, cut.flushed)
        run(["cp", "--sparse=always", flushed, image])
        log.apply(kept, image, ESP_AT, ESP_SIZE)
        seen.cuts[cut] = look(image, wanted)
    tell(f"update: {seen.writes} writes, {len(cuts)} cuts")


def look(esp: Path, wanted: dict[str, str]) -> dict[str, str]:
    """What the boot loader would find: name to "whole" or "broken"."""
    listed = run(["mdir", "-b", "-i", esp, f"::{IMAGES}"]).decode()
    found = {}
    for name in (line.rpartition("/")[2] for line in listed.splitlines()):
        data = run(["mcopy", "-i", esp, f"::{IMAGES}/{name}", "-"])
        found[name] = "whole" if hashlib.sha256(data).hexdigest() == wanted.get(name) else "broken"
    return found


def _boot_cuts(seen: Update, before: Path, sticks: dict[str, Path], typed: str, tell: Progress) -> None:
    """Some of them, from the first to the last. Where the new image is not there, another update puts
    it there."""
    assert isinstance(seen.machine, Logged)
    log = Log(seen.machine.writes)
    cuts = list(seen.cuts)
    again = False
    for n in range(BOOTS):
        cut = cuts[n * (len(cuts) - 1) // (BOOTS - 1)]
        server = Server(f"update-cut{n}", extra=USB)
        _put_esp(before, server.boot_image)
        log.apply(cut.kept, server.boot_image)
        with Trip(server) as trip:
            appliance = Appliance(trip, tell)
            found = appliance.console.expect(r"init: started: hvinit ([0-9.]+),")
            seen.booted[f"{cut.after} {cut.kind}"] = found[1]
            if found[1] == version() and not again:
                again = True
                _plug(appliance, "iso", sticks["iso"])
                seen.answers["another update"] = _command(appliance, f"--sha256 {typed}")
            appliance.power_off()
        if again and "after another" not in seen.images:
            seen.images["after another"] = server.images()
            _copy_esp(server.boot_image, server.folder / "after.esp")
        tell(f"update: cut {cut.after} ({cut.kind}) boots {found[1]}")


def _put_esp(esp: Path, disk: Path) -> None:
    run(["dd", f"if={esp}", f"of={disk}", "bs=1M", "conv=notrunc", "seek=1"])


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
        "fat": medium.fat(work / "fat.img", {medium.FILE: new}),
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


def _plug(appliance: Appliance, name: str, stick: Path) -> None:
    qmp = appliance.trip.qmp
    qmp.ask("blockdev-add", driver="file", node_name=name, filename=str(stick), read_only=True)
    qmp.ask("device_add", driver="usb-storage", id=f"usb-{name}", drive=name, bus="xhci.0", removable=True)


def _unplug(appliance: Appliance, name: str) -> None:
    qmp = appliance.trip.qmp
    qmp.ask("device_del", id=f"usb-{name}")
    qmp.await_event("DEVICE_DELETED", device=f"usb-{name}")
    qmp.ask("blockdev-del", node_name=name)


def _mount(appliance: Appliance, name: str, stick: Path) -> None:
    _plug(appliance, name, stick)
    mount = f"busybox mount -r -t vfat /dev/sda {GOODS}"
    appliance.shell(f"busybox mkdir {GOODS}; until {mount}; do busybox usleep 100000; done")


def _unmount(appliance: Appliance, name: str) -> None:
    appliance.shell(f"busybox umount {GOODS}")
    _unplug(appliance, name)


def _command(appliance: Appliance, words: str) -> str:
    """The line by which the update ends. What was typed is longer than a line of the screen."""
    appliance.console.send(f"update {words}".strip())
    said = appliance.console.expect(rf"hvinit: [^\r\n]*(?:{ENDS})[^\r\n]*[\r\n]")[0].strip()
    appliance.console.expect(PROMPT)
    appliance.tell(f"update: {said}")
    return said


def _refuse_files(appliance: Appliance, seen: Update, sticks: dict[str, Path], new: Path) -> None:
    """The first update without a medium loads the drivers."""
    typed = f"--sha256 {sha256(new)}"
    seen.refused["no sum"] = _command(appliance, "/nowhere.efi")
    seen.refused["no digits"] = _command(appliance, "--sha256 123")
    seen.refused["no medium"] = _command(appliance, typed)
    _mount(appliance, "goods", sticks["goods"])
    for name in "board", "nothing", "version", "same", "older", "x86", "cut", "text", "altered", "missing":
        seen.refused[name] = _command(appliance, f"{GOODS}/{name}.efi {typed}")
    seen.refused["a folder"] = _command(appliance, f"{GOODS} {typed}")
    _unmount(appliance, "goods")


def _refuse_signatures(appliance: Appliance, seen: Update, sticks: dict[str, Path]) -> None:
    """One update without a medium loads the drivers, in this boot, too."""
    seen.refused["no medium, signed"] = _command(appliance, "")
    _mount(appliance, "signed", sticks["signed"])
    seen.refused["unsigned"] = _command(appliance, f"{GOODS}/unsigned.efi")
    seen.refused["by others"] = _command(appliance, f"{GOODS}/others.efi")
    seen.answers["by us"] = appliance.shell(f"/init ctl update {GOODS}/ours.efi")
    _unmount(appliance, "signed")


def _refuse_media(appliance: Appliance, seen: Update, sticks: dict[str, Path], typed: str) -> None:
    _plug(appliance, "empty", sticks["empty"])
    seen.refused["no file"] = _command(appliance, f"--sha256 {typed}")
    _unplug(appliance, "empty")
    _plug(appliance, "gpt", sticks["gpt"])
    seen.refused["GPT"] = _command(appliance, f"--sha256 {typed}")
    _plug(appliance, "iso", sticks["iso"])
    seen.refused["two media"] = _await(appliance, "UPDATE-TWICE", f"--sha256 {typed}")
    _unplug(appliance, "gpt")
    _unplug(appliance, "iso")


def _await(appliance: Appliance, code: str, words: str) -> str:
    """A second stick comes in its own time."""
    for _ in range(10):
        said = _command(appliance, words)
        if code in said:
            return said
    raise LabError(f"{code} was never said")


def _update(appliance: Appliance, seen: Update, sticks: dict[str, Path], typed: str) -> None:
    _plug(appliance, "iso", sticks["iso"])
    began = time.monotonic()
    seen.answers["update"] = _command(appliance, f"--sha256 {typed}")
    seen.seconds = time.monotonic() - began
    _unplug(appliance, "iso")
    seen.answers["status"] = appliance.status_of_machine()
