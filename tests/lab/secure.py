# SPDX-License-Identifier: GPL-2.0-or-later
"""Secure Boot with keys that were made a moment ago: what the owner has signed boots, and nothing else
does; what firmware adds is not heeded; the kernel loads no module of anybody else's.

A locked-down kernel takes no IORT but the firmware's, and the emulation's declares no CANWBS. So the
VM here has no vSMMU. That accelerated ones work is for the other stories to show, with the same
kernel, but unlocked. The machine's clock stands at 1970: no certificate is valid yet, and all are taken.
"""

from dataclasses import dataclass, field
from pathlib import Path

from . import addon, config
from .appliance import PROMPT, Appliance
from .hosts import pack
from .image import version
from .machine import Trip
from .paths import KERNEL, LAB, PRODUCT, ROOT, TOOLS, run
from .progress import Progress
from .server import CLOCK, FIRMWARE, Server
from .story import Story

FOLDER = LAB / "keys"
MADE, OUT = FOLDER / "signed", FOLDER / "out"
OWNER = "c4a1c4d6-5a0a-4f57-9d0c-3c2f6c0d5b8e"  # who has put the keys into the firmware
CODE = FIRMWARE / "AAVMF_CODE.secboot.fd"
# What firmware adds to the command line (systemd-stub takes it even under Secure Boot).
ADDED = "rdinit=/usr/bin/busybox lsm=yama loadpin.enforce=0 hvinit.VM0_MEMORY_MIB=64"
MODULE = "kernel/drivers/cdrom/cdrom.ko"  # needs no other, and nobody here needs it
MEMORY_MIB = 256
REFUSED = r"Access [Dd]enied|[Ss]ecurity (?:policy )?[Vv]iolation"


@dataclass
class Secure(Story):
    """REFUSED is what the console said of each image that must not start."""

    refused: dict[str, str] = field(default_factory=dict)


def _make_keys(who: str) -> tuple[Path, Path]:
    """A new key and its certificate."""
    key, certificate = FOLDER / f"{who}.key", FOLDER / f"{who}.pem"
    run([
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "30",
        "-subj", f"/CN=the lab's {who}", "-keyout", key, "-out", certificate,
    ])  # fmt: skip
    return key, certificate


def _sign(key: Path, certificate: Path, file: Path) -> Path:
    """FILE, signed as 'make sign' does it; it keeps its name."""
    run([ROOT / "rootfs/sign.sh", "efi", key, certificate, file, file.with_suffix(".signed")])
    return file.with_suffix(".signed").replace(file)


def _enrolled(certificate: Path) -> Path:
    """The firmware's variables with the owner's certificate, and nobody else's."""
    variables = FOLDER / "variables.fd"
    words = [word for kind in ("--set-pk", "--add-kek", "--add-db") for word in (kind, OWNER, certificate)]
    run([
        "/usr/bin/python3", TOOLS / "usr/bin/virt-fw-vars", "-i", FIRMWARE / "AAVMF_VARS.fd", "-o", variables,
        *words, "--secure-boot", "--no-microsoft",
    ])  # fmt: skip
    return variables


def _modules(key: Path, certificate: Path) -> dict[str, bytes]:
    """A module as it is, one that somebody else has signed, and the owner's with another byte."""
    folder = f"modules/lib/modules/{(KERNEL / 'release').read_text().strip()}"
    plain, foreign = KERNEL / folder / MODULE, FOLDER / "foreign.ko"
    run([KERNEL / "sign-file", "sha512", key, certificate, plain, foreign])
    altered = bytearray((MADE / "kernel" / folder / MODULE).read_bytes())
    altered[len(altered) // 3] ^= 1
    return {
        "lab/unsigned.ko": plain.read_bytes(),
        "lab/foreign.ko": foreign.read_bytes(),
        "lab/altered.ko": bytes(altered),
    }


def _altered(image: Path) -> Path:
    """IMAGE with one bit turned, in the middle of what it carries."""
    altered = FOLDER / "altered.efi"
    data = bytearray(image.read_bytes())
    data[len(data) // 2] ^= 1
    altered.write_bytes(data)
    return altered


def _manifest(name: str, **symbols: str | int | bool) -> Path:
    """An addon with a manifest for any host: a VM without devices, and SYMBOLS."""
    source = FOLDER / f"{name}.config"
    source.write_text(config.changed(VM0_STOP_TIMEOUT=1, VM0_HOSTDEV0_BDF="", VM0_HOSTDEV1_BDF="", **symbols))
    archive = pack(FOLDER / name, "addon", source, "any")
    return addon.build(FOLDER / f"{name}.addon.efi", ".initrd", archive.read_bytes())


def _insert(appliance: Appliance, name: str) -> str:
    return appliance.shell(f"busybox insmod {name}; echo status $?")


def _look(appliance: Appliance, seen: Secure) -> None:
    seen.answers["machine"] = appliance.status_of_machine()
    seen.answers["status json"] = appliance.shell("hvinit ctl status --json")
    seen.answers["check"] = appliance.shell("hvinit ctl check")
    seen.answers["year"] = appliance.shell("busybox date +%Y")
    seen.answers["argv"] = appliance.shell("busybox tr '\\0' ' ' </proc/$(busybox pidof qemu-system-aarch64)/cmdline")
    seen.answers["cmdline"] = appliance.shell("busybox cat /proc/cmdline")
    seen.answers["lsm"] = appliance.shell("busybox cat /sys/kernel/security/lsm")
    seen.answers["lab files"] = appliance.shell("busybox ls /lab")
    seen.answers["certificate"] = appliance.shell("busybox cat /etc/hvinit/certificate.pem")
    for kind in ("unsigned", "foreign", "altered"):
        seen.answers[kind] = _insert(appliance, f"/lab/{kind}.ko")
    # One that needs another comes after it at the latest in the next round.
    seen.answers["signed"] = appliance.shell(
        "for round in 1 2 3 4; do for module in $(busybox find /usr/lib/modules -name '*.ko'); do "
        "busybox insmod $module 2>/dev/null; done; done; busybox find /usr/lib/modules -name '*.ko'"
    )
    seen.answers["loaded"] = appliance.shell("busybox cat /proc/modules")
    seen.answers["kernel log"] = appliance.kernel_log()


def _boots(tell: Progress, server: Server) -> Secure:
    seen = Secure(server)
    with Trip(server) as trip:
        appliance = Appliance(trip, tell)
        appliance.await_init()
        appliance.await_lines("hvinit: demo: running", r"demo\| proof: done", r"\[ADDON-IGNORED\]")
        tell("the VM runs, and the stranger's addon was told of")
        _look(appliance, seen)
        appliance.power_off()
        seen.console = trip.console.text()
    return seen


def _is_safe(tell: Progress, server: Server) -> str:
    """The one word that is heeded behind the end of the signed ones; what the console said."""
    server.extra = ["-smbios", "type=11,value=io.systemd.stub.kernel-cmdline-extra=hvinit.safe"]
    with Trip(server) as trip:
        appliance = Appliance(trip, tell)
        appliance.await_init()
        trip.console.expect("safe mode: no VM is started")
        trip.console.expect(PROMPT)
        appliance.power_off()
        return trip.console.text()


def _refuses(tell: Progress, name: str, image: Path, variables: Path) -> str:
    """What is said instead of booting IMAGE; fails when its PID 1 has begun."""
    server = Server(
        f"secure-{name}", {f"hvinit_{version()}.efi": image}, code=CODE, variables=variables,
        disk=OUT / "hvinit.img",
    )  # fmt: skip
    with Trip(server) as trip:
        trip.console.expect(rf"{REFUSED}|hvinit: init: started")
        tell(f"{name}: the firmware has decided")
        return trip.console.text()


def secure(tell: Progress) -> Secure:
    FOLDER.mkdir(parents=True, exist_ok=True)
    key, certificate = _make_keys("owner")
    foreign = _make_keys("stranger")
    run(["make", "-C", ROOT, "-s", "sign", f"KEY={key}", f"CERT={certificate}", f"SIGNED={MADE}", f"SIGNED_OUT={OUT}"])
    tell("the image is signed")
    variables = _enrolled(certificate)
    own = _sign(key, certificate, _manifest("own", VM0_MEMORY_MIB=MEMORY_MIB))
    lab = _sign(key, certificate, addon.files(FOLDER / "lab.addon.efi", _modules(*foreign)))
    other = _sign(*foreign, _manifest("foreign", VM0_NAME="stranger"))
    server = Server(
        "secure", addons=[own, lab, other], code=CODE, variables=variables, disk=OUT / "hvinit.img",
        extra=["-smbios", f"type=11,value=io.systemd.stub.kernel-cmdline-extra={ADDED}", *CLOCK],
    )  # fmt: skip
    seen = _boots(tell, server)
    seen.answers["safe"] = _is_safe(tell, server)
    for name, image in (("unsigned", PRODUCT), ("altered", _altered(OUT / "hvinit.efi"))):
        seen.refused[name] = _refuses(tell, name, image, variables)
    return seen
