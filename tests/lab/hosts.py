# SPDX-License-Identifier: GPL-2.0-or-later
"""One disk, several machines: each is told from the others by its SMBIOS UUID alone, and has the VM of
its own manifest. Two have theirs built in; addons then bring one of them another, two at a time, one
that no hvinit of this version can read, and one that the boot loader does not load. The disk's sectors have
4096 bytes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import addon, config, cpio
from .appliance import PROMPT, Appliance
from .image import Image, version
from .machine import Trip
from .paths import HVINIT, LAB, ROOT, TARGET, run
from .progress import Progress
from .server import ADDONS, IMAGES, Server
from .story import Story

FIRST = "d0a1b2c3-1111-4222-8333-0123456789ab"
SECOND = "d0a1b2c3-1111-4222-8333-0123456789ac"
# The first one's, as it is where the bytes of the leading fields stand the other way round.
TURNED = "c3b2a1d0-1111-2242-8333-0123456789ab"
IMAGE = f"hvinit_{version()}.efi"
SECTOR = 4096
SIZE_OF_SECTOR = "/sys/block/nvme0n1/queue/logical_block_size"
LOADER = TARGET / "usr/lib/systemd/boot/efi/systemd-bootaa64.efi"
BESIDE = f"{IMAGES}/{IMAGE}.extra.d"
MACHINE_AT = 4  # of the PE header: what machine it is for
AMD64 = b"\x64\x86"


@dataclass
class Hosts(Story):
    """What the story leaves behind: of each chapter its console, and what its status was."""

    consoles: dict[str, str] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)


def one_vm(name: str) -> str:
    """A configuration with a VM that needs nothing of the machine."""
    return config.changed(
        VM0_NAME=name, VM0_MEMORY_MIB=128, VM0_HOSTDEV0_BDF="", VM0_HOSTDEV1_BDF="", VM0_AUTOSTART=True,
        VM0_CONSOLE_ECHO=False, VM0_RESTART="never", HOST_MODULES="nvme",
    )  # fmt: skip


def pack(folder: Path, *words: str | Path) -> Path:
    """An archive with what the build makes for hosts."""
    run([
        ROOT / "rootfs/hosts.py", "--hvinit", HVINIT, "--board", "qemu-virt", "--output", folder, *words
    ])  # fmt: skip
    run([ROOT / "rootfs/pack.py", folder / "cpio", folder / "list"])
    return folder / "cpio"


def _image(folder: Path) -> Path:
    """For all hosts: two have manifests of their own in it."""
    sources = folder / "configs"
    sources.mkdir(parents=True, exist_ok=True)
    (sources / f"{FIRST}.config").write_text(one_vm("alpha"))
    (sources / f"{SECOND}.config").write_text(one_vm("beta"))
    parts = [f"--initrd={pack(folder / 'built-in', 'built-in', sources)}"]
    return Image(version(), one_vm("common"), parts=parts).build(folder / IMAGE)


def _disk(folder: Path, image: Path) -> Path:
    """As 'make disk SECTOR=4096' makes it."""
    disk = folder / "hosts.img"
    run([
        ROOT / "rootfs/disk.py", "--loader", LOADER, "--image", image, "--version", version(), "--esp", "512",
        "--state", "64", "--sector-size", str(SECTOR), disk,
    ])  # fmt: skip
    return disk


def _addon(folder: Path, name: str, vm: str) -> Path:
    """As 'make addon' makes one for the first host."""
    source = folder / f"{vm}.config"
    source.write_text(one_vm(vm))
    archive = pack(folder / vm, "addon", source, FIRST)
    return addon.build(folder / f"{name}.addon.efi", ".initrd", archive.read_bytes())


def _foreign(whole: Path) -> Path:
    """An addon that is for another architecture, so that the image's stub leaves it alone."""
    data = bytearray(whole.read_bytes())
    at = int.from_bytes(data[0x3C:0x40], "little") + MACHINE_AT
    data[at : at + 2] = AMD64
    made = whole.with_name("foreign.addon.efi")
    made.write_bytes(data)
    return made


def _future(folder: Path) -> Path:
    """An addon with a manifest of a format that comes after this hvinit's."""
    manifest = b"# hvinit manifest 2\n"
    source = folder / "future"
    source.write_bytes(manifest)
    name = run(["sha256sum", source]).decode()[:16]
    path = f"etc/hvinit/addons/{FIRST}/{name}.manifest"
    return addon.build(folder / "one.addon.efi", ".initrd", cpio.archive({path: (cpio.FILE, manifest)}))


def hosts(tell: Progress) -> Hosts:
    folder = LAB / "images/hosts"
    folder.mkdir(parents=True, exist_ok=True)
    image = _image(folder)
    server = Server("hosts", {IMAGE: image}, disk=_disk(folder, image), sector=SECTOR)
    seen = Hosts(server)

    def boot(name: str, uuid: str, chapter: Callable[[Appliance, Hosts], None]) -> None:
        server.extra = ["-smbios", f"type=1,uuid={uuid}"]
        with Trip(server) as trip:
            appliance = Appliance(trip, tell)
            appliance.await_init()
            chapter(appliance, seen)
            seen.answers[f"{name}: status"] = appliance.status_of_machine()
            seen.status[name] = appliance.json("status --json")
            # Said twice, it does not wait for a VM that is only starting.
            trip.console.send("poweroff")
            appliance.power_off()
            seen.consoles[name] = trip.console.text()
        tell(f"hosts: {name} is over")

    boot("first", FIRST, _runs("alpha"))
    boot("neither", TURNED, _runs("common"))
    one, two = _addon(folder, "one", "gamma"), _addon(folder, "two", "delta")
    server.put(f"{ADDONS}/{one.name}", one)
    boot("second", SECOND, _runs("beta"))
    foreign = _foreign(two)
    server.put(f"{ADDONS}/{foreign.name}", foreign)
    boot("addon", FIRST, _is_told_of_foreign)
    run(["mmd", "-i", server.esp, f"::{BESIDE}"])
    server.put(f"{BESIDE}/{two.name}", two)
    boot("two", FIRST, _starts_nothing("two"))
    server.remove(f"{BESIDE}/{two.name}")
    server.put(f"{ADDONS}/{one.name}", _future(folder))
    boot("future", FIRST, _starts_nothing("future"))
    seen.console = "\n".join(seen.consoles.values())
    return seen


def _runs(vm: str) -> Callable[[Appliance, Hosts], None]:
    def chapter(appliance: Appliance, seen: Hosts) -> None:
        appliance.await_vm("exec QEMU", vm)
        # A VM without devices does not wait for the host's own.
        seen.answers[f"{vm}: sector"] = appliance.shell(
            f"until [ -e {SIZE_OF_SECTOR} ]; do busybox usleep 10000; done; busybox cat {SIZE_OF_SECTOR}"
        )

    return chapter


def _is_told_of_foreign(appliance: Appliance, seen: Hosts) -> None:
    appliance.await_lines(r"hvinit: gamma: exec QEMU", r"\[ADDON-IGNORED\]")


def _starts_nothing(name: str) -> Callable[[Appliance, Hosts], None]:
    def chapter(appliance: Appliance, seen: Hosts) -> None:
        appliance.console.expect("safe mode: no VM is started")
        appliance.console.expect(PROMPT)
        seen.answers[f"{name}: check"] = appliance.ask("check", r"check\r\n")
        seen.answers[f"{name}: manifest"] = appliance.ask("manifest", r"manifest\r\n")

    return chapter
