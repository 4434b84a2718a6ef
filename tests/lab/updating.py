# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person does to update a server: sticks that are plugged, and the command that is typed."""

import hashlib
from pathlib import Path

from . import config
from .appliance import PROMPT, Appliance
from .paths import run
from .server import CLOCK

# Where sticks go; and no certificate is valid yet.
USB = ["-device", "qemu-xhci,id=xhci,bus=pcie.0,addr=0xa", *CLOCK]
GOODS = "/tmp/goods"  # where the appliance mounts a stick with all kinds of images
ENDS = r"\[UPDATE-[A-Z]+\]|is in place|hexadecimal digits"


def manifest() -> str:
    """A server without a VM."""
    return config.changed(
        VM0_NAME="", VM0_HOSTDEV0_BDF="", VM0_HOSTDEV1_BDF="", HOST_BLESS_SECONDS=1, HOST_MODULES="nvme virtio_blk"
    )


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def tree(fat: str) -> dict[str, str]:
    """The SHA-256 of each file on a file system, by its path."""
    listed = run(["mdir", "-/", "-b", "-i", fat, "::"]).decode().splitlines()
    paths = [path.removeprefix("::/") for path in listed if not path.endswith("/")]
    return {path: hashlib.sha256(_read(fat, path)).hexdigest() for path in paths}


def whole(fat: str, path: str, wanted: str) -> bool:
    """Whether a file on a file system, which may be broken, has the SHA-256 that is WANTED."""
    try:
        return hashlib.sha256(_read(fat, path)).hexdigest() == wanted
    except RuntimeError:
        return False


def _read(fat: str, path: str) -> bytes:
    return run(["mcopy", "-i", fat, f"::{path}", "-"])


def plug(appliance: Appliance, name: str, stick: Path) -> None:
    qmp = appliance.trip.qmp
    qmp.ask("blockdev-add", driver="file", node_name=name, filename=str(stick), read_only=True)
    qmp.ask("device_add", driver="usb-storage", id=f"usb-{name}", drive=name, bus="xhci.0", removable=True)


def plug_cd(appliance: Appliance, name: str, disc: Path) -> None:
    """The virtual CD drive of a BMC, with DISC in it."""
    qmp = appliance.trip.qmp
    qmp.ask("blockdev-add", driver="file", node_name=name, filename=str(disc), read_only=True)
    qmp.ask("device_add", driver="usb-bot", id=f"usb-{name}", bus="xhci.0")
    qmp.ask("device_add", driver="scsi-cd", drive=name, bus=f"usb-{name}.0")
    qmp.ask("qom-set", path=f"/machine/peripheral/usb-{name}", property="attached", value=True)


def unplug(appliance: Appliance, name: str) -> None:
    """A stick that the appliance's kernel knows; L0 has let go of it long before that kernel has."""
    count = "busybox ls /sys/block | busybox grep -c ^sd"
    before = int(appliance.shell(count))
    qmp = appliance.trip.qmp
    qmp.ask("device_del", id=f"usb-{name}")
    qmp.await_event("DEVICE_DELETED", device=f"usb-{name}")
    qmp.ask("blockdev-del", node_name=name)
    appliance.shell(f"until [ $({count}) -lt {before} ]; do busybox usleep 10000; done")


def mount(appliance: Appliance, name: str, stick: Path) -> None:
    plug(appliance, name, stick)
    mount = f"busybox mount -r -t vfat /dev/sda {GOODS}"
    appliance.shell(f"busybox mkdir {GOODS}; until {mount}; do busybox usleep 100000; done")


def unmount(appliance: Appliance, name: str) -> None:
    appliance.shell(f"busybox umount {GOODS}")
    unplug(appliance, name)


def command(appliance: Appliance, words: str) -> str:
    """The line by which the update ends."""
    appliance.console.send(f"update {words}".strip())
    return end(appliance)


def end(appliance: Appliance) -> str:
    """The line by which the update that was typed ends; that is longer than a line of the screen."""
    said = appliance.console.expect(rf"hvinit: [^\r\n]*(?:{ENDS})[^\r\n]*[\r\n]")[0].strip()
    appliance.console.expect(PROMPT)
    appliance.tell(f"update: {said}")
    return said
