# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases of what QEMU refuses: each is one change to words that it accepts.

The words are those that hvinit plans for two drives behind two vSMMUs.
"""

from collections.abc import Callable
from dataclasses import dataclass

from .words import Json, Words

BACKED = "lab/backed.qcow2"
MEMORY_MIB = 64
BDFS = {"hostdev0": "0000:41:00.0", "hostdev1": "0000:81:00.0"}
GIB = 1 << 30
FIRMWARE = "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"  # any file is a kernel to QEMU

Change = Callable[[Words], object]


@dataclass(frozen=True)
class Case:
    """CODE is what QEMU's words stand for. ACCEPTED: it starts all the same, so that only hvinit
    can refuse; DIES: it ends by a signal and says nothing."""

    name: str
    code: str
    change: Change
    before: str = ""  # shell commands for this case
    after: str = ""
    prefix: str = ""  # what runs QEMU, if not the shell itself
    accepted: bool = False
    dies: bool = False

    @property
    def refused(self) -> bool:
        return not self.accepted and not self.dies


def device(driver: str, **properties: object) -> Json:
    return {"driver": driver, **properties}


def obj(kind: str, **properties: object) -> Json:
    return {"qom-type": kind, **{key.replace("_", "-"): new for key, new in properties.items()}}


def _set(identity: str, **properties: object) -> Change:
    return lambda words: words.set(identity, **properties)


def _machine(extra: str) -> Change:
    return lambda words: words.option("-machine", f"{words.all('-machine')[0]},{extra}")


def _option(name: str, value: str) -> Change:
    return lambda words: words.option(name, value)


def _add(name: str, value: str | Json, before: str = "") -> Change:
    return lambda words: words.add(name, value, before)


def _drop(*identities: str) -> Change:
    return lambda words: words.drop(*identities)


def _both(*changes: Change) -> Change:
    return lambda words: [change(words) for change in changes]


def _move(identity: str, before: str) -> Change:
    def change(words: Words) -> None:
        value = words.of(identity)
        words.drop(identity)
        words.add("-device", value, before)

    return change


def _port(**properties: object) -> Json:
    return {
        **device("pcie-root-port", port=9, chassis=9, id="extra", bus="pcie.0", addr="0x9"),
        **properties,
    }


def _memory(**properties: object) -> Change:
    """The guest's memory from a backend of its own."""
    backend = obj("memory-backend-memfd", id="ram0", size=MEMORY_MIB << 20, **properties)
    return _both(_machine("memory-backend=ram0"), _add("-object", backend))


def _initiator(node: int, pci_dev: str) -> Change:
    """A generic initiator, in a guest with nodes 0 and 1."""
    backend = obj("memory-backend-memfd", id="ram0", size=MEMORY_MIB << 20)
    return _both(
        _add("-object", backend),
        _add("-numa", "node,nodeid=0,memdev=ram0"),
        _add("-numa", "node,nodeid=1"),
        _add("-object", obj("acpi-generic-initiator", id="gi0", pci_dev=pci_dev, node=node)),
    )


def _block(driver: str, filename: str, read_only: bool = False) -> Json:
    file = {"driver": "file", "filename": filename}
    return {"driver": driver, "node-name": "d0", "read-only": read_only, "file": file}


def _plain(**properties: object) -> Change:
    """No acceleration, and nothing passed through."""
    return _both(_drop(*BDFS), _set("iommu0", accel=None, **properties))


MANUAL = {"ats": "off", "ril": "on", "ssidsize": "0", "oas": "44", "cmdqv": "off"}
NOWHERE = "/nowhere"
# No firmware, so no ACPI and no accelerated SMMUs.
BARE = _both(_drop(*BDFS, "iommu0", "iommu1"), lambda words: words.drop_option("-bios"))
SHORT = "busybox truncate -s 1M /tmp/short"
VIRTIO = device("virtio-rng-pci", id="rng0", bus="pci.3", addr="0x0")

CASES = [
    Case("nothing is changed", "", lambda words: None, accepted=True),
    # Accelerated SMMUs
    Case(
        "without KVM",
        "SMMU-TCG",
        _both(_option("-machine", "virt,accel=tcg,gic-version=3"), _option("-cpu", "max")),
    ),
    Case("without firmware", "SMMU-DT", lambda words: words.drop_option("-bios")),
    Case("without ACPI", "SMMU-DT", _machine("acpi=off")),
    Case("stage 2", "SMMU-STAGE", _set("iommu0", stage="2")),
    Case("nested stages", "SMMU-STAGE", _set("iommu0", stage="nested")),
    Case("no bus", "SMMU-BUS", _set("iommu0", primary_bus=None)),
    Case("root port as bus", "SMMU-BUS", _set("iommu0", primary_bus="pci.3")),
    Case("two on one bus", "SMMU-TWICE", _set("iommu1", primary_bus="pci.1")),
    Case("machine's SMMU, too", "SMMU-TWICE", _machine("iommu=smmuv3")),
    Case("bypassed bus", "SMMU-BYPASS", _set("pci.1", bypass_iommu=True)),
    Case("device without iommufd", "SMMU-IOMMUFD", _set("hostdev0", iommufd=None)),
    Case(
        "descriptor without iommufd",
        "SMMU-IOMMUFD",
        _both(
            _add("-device", _port(), "hostdev0"),
            _set("hostdev0", iommufd=None, host=None, fd="9", bus="extra"),
        ),
    ),
    Case("emulated device", "SMMU-EMULATED", _both(_drop("hostdev0"), _add("-device", VIRTIO))),
    Case("auto without device", "SMMU-AUTO", _drop("hostdev0")),
    Case("SMMU after device", "SMMU-AUTO", _move("iommu0", "")),
    Case(
        "by hand without device",
        "",
        _both(_drop("hostdev0"), _set("iommu0", **MANUAL)),
        accepted=True,
    ),
    Case(
        "CMDQ-V by hand without device",
        "",
        _both(_drop("hostdev0"), _set("iommu0", **{**MANUAL, "cmdqv": "on"})),
        accepted=True,
    ),
    Case(
        "SMMU by hand after device",
        "",
        _both(_set("iommu0", **MANUAL), _move("iommu0", "")),
        accepted=True,
    ),
    Case("plain SMMU", "SMMU-PLAIN", _set("iommu0", accel=None)),
    Case("plain with ATS", "SMMU-ACCEL-ONLY", _plain(ats="on")),
    Case("plain without RIL", "SMMU-ACCEL-ONLY", _plain(ril="off")),
    Case("plain with SSIDs", "SMMU-ACCEL-ONLY", _plain(ssidsize="1")),
    Case("plain with 48 bits", "SMMU-ACCEL-ONLY", _plain(oas="48")),
    Case("plain with CMDQ-V", "SMMU-ACCEL-ONLY", _plain(cmdqv="on")),
    Case("OAS that QEMU lacks", "SMMU-OAS", _plain(oas="40")),
    Case("SSIDs that QEMU lacks", "SMMU-SSID", _plain(ssidsize="21")),
    # What this physical SMMU lacks
    Case("ATS", "SMMU-ATS", _set("iommu0", ats="on")),
    Case("ATS of the device", "SMMU-ATS", _set("hostdev0", ats="on")),
    Case("48 bits", "SMMU-OAS", _set("iommu0", oas="48")),
    Case("SSIDs", "SMMU-SSID", _set("iommu0", ssidsize="16")),
    Case("CMDQ-V", "SMMU-CMDQV", _set("iommu0", cmdqv="on")),
    # vfio and iommufd
    Case(
        "two physical SMMUs behind one",
        "ATTACH-FAIL",
        _both(_set("pci.4", bus="pci.1", addr="0x1"), _drop("iommu1")),
        accepted=True,
    ),
    Case(
        "two iommufds",
        "",
        _both(_add("-object", obj("iommufd", id="x"), "hostdev0"), _set("hostdev1", iommufd="x")),
        accepted=True,
    ),
    Case(
        "device without driver",
        "CDEV-NONE",
        lambda words: None,
        before="echo 0000:41:00.0 >/sys/bus/pci/devices/0000:41:00.0/driver/unbind",
        after="echo 0000:41:00.0 >/sys/bus/pci/drivers_probe",
    ),
    Case("no such device", "DEV-NONE", _set("hostdev0", host="0000:c1:00.0")),
    Case(
        "no /dev/iommu",
        "IOMMUFD-NONE",
        lambda words: None,
        before="busybox mv /dev/iommu /dev/iommu.away",
        after="busybox mv /dev/iommu.away /dev/iommu",
    ),
    Case(
        "no /dev/kvm",
        "KVM-NONE",
        lambda words: None,
        before="busybox mv /dev/kvm /dev/kvm.away",
        after="busybox mv /dev/kvm.away /dev/kvm",
    ),
    Case(
        "little memory to lock",
        "MEMLOCK",
        lambda words: None,
        before="echo u:x:1000:1000::/:/ >/etc/passwd; ulimit -l 8192; "
        "busybox chmod 666 /dev/iommu /dev/kvm /dev/vfio/devices/*",
        after="busybox rm /etc/passwd; busybox chmod 600 /dev/iommu /dev/vfio/devices/*",
        prefix="busybox start-stop-daemon -S -c u -x",
    ),
    Case("device that is held", "BUSY", _drop("hostdev1"), before="hold", after="release"),
    # Topology
    Case("device on a pxb", "ROOT-PORT", _set("hostdev0", bus="pci.1", addr="0x1")),
    Case("chassis twice", "TOPO-CLASH", _set("pci.4", chassis=3)),
    Case("port twice", "", _set("pci.4", port=0), accepted=True),
    Case("slot twice", "TOPO-CLASH", _set("pci.2", addr="0x1")),
    Case("slot of the host bridge", "TOPO-CLASH", _add("-device", _port(addr="0x0"))),
    Case(
        "second function of one that has one",
        "TOPO-CLASH",
        _set("pci.4", bus="pci.1", addr="0x0.0x1"),
    ),
    Case("bus number twice", "TOPO-CLASH", _set("pci.2", bus_nr=252)),
    Case("bus number 256", "SYMBOL-VALUE", _set("pci.2", bus_nr=256)),
    Case("bus number 0", "", _set("pci.2", bus_nr=0), accepted=True),
    Case("bus ranges that meet", "", _set("pci.2", bus_nr=253), accepted=True),
    Case("no bus for a port", "", _set("pci.1", bus_nr=255), accepted=True),
    Case("chassis 0", "", _add("-device", _port(chassis=0)), accepted=True),
    Case("chassis 256", "SYMBOL-VALUE", _add("-device", _port(chassis=256))),
    Case("port 256", "SYMBOL-VALUE", _add("-device", _port(port=256))),
    Case("slot 32", "SYMBOL-VALUE", _add("-device", _port(addr="0x20"))),
    Case("device id twice", "TOPO-CLASH", _add("-device", _port(id="pci.3"))),
    Case("object id twice", "TOPO-CLASH", _add("-object", obj("iommufd", id="iommufd0"))),
    Case(
        "boot index twice",
        "BOOT-CLASH",
        _both(_set("hostdev0", bootindex=1), _set("hostdev1", bootindex=1)),
    ),
    # The machine
    Case("window of 768 GiB", "MMIO-WINDOW", _machine("highmem-mmio-size=768G")),
    Case("window of 256 GiB", "MMIO-WINDOW", _machine("highmem-mmio-size=256G")),
    Case("window beyond the address space", "", _machine("highmem-mmio-size=1P"), accepted=True),
    Case("machine", "MACHINE-NONE", _option("-machine", "virt-0.0,accel=kvm")),
    Case("513 CPUs", "CPUS-MANY", _option("-smp", "cpus=513")),
    Case(
        "9 CPUs with GICv2",
        "CPUS-MANY",
        _both(
            _option("-machine", "virt,accel=tcg,gic-version=2"),
            _option("-cpu", "max"),
            _option("-smp", "cpus=9"),
        ),
    ),
    Case("300 TiB", "MEMORY-FAR", _option("-m", "size=300T")),
    # Memory
    Case("64 GiB", "MEMORY-SHORT", _option("-m", "size=64G")),
    Case("no huge pages", "HUGE-SHORT", _memory(hugetlb=True, hugetlbsize=2 << 20)),
    Case("part of a huge page", "HUGE-SHORT", _memory(hugetlb=True, hugetlbsize=GIB)),
    Case("node that is not there", "NODE-NONE", _memory(host_nodes=[5], policy="bind")),
    Case("node that cannot be", "NODE-NONE", _memory(host_nodes=[500], policy="bind")),
    Case("node 128", "GI-NODES", _add("-numa", "node,nodeid=128")),
    Case("initiator", "", _initiator(1, "hostdev0"), accepted=True),
    Case("initiator's node", "GI-NODES", _initiator(5, "hostdev0")),
    Case("initiator's device", "GI-NODES", _initiator(1, "ghost")),
    # Files
    Case("firmware", "FILE-NONE", _option("-bios", NOWHERE)),
    Case("kernel", "FILE-NONE", _add("-kernel", NOWHERE)),
    Case("initrd", "FILE-NONE", _both(_add("-kernel", FIRMWARE), _add("-initrd", NOWHERE))),
    Case("command line without kernel", "KERNEL-NONE", _add("-append", "quiet")),
    Case("initrd without kernel", "KERNEL-NONE", _add("-initrd", FIRMWARE)),
    Case("kernel without firmware", "FILE-NONE", _both(BARE, _add("-kernel", NOWHERE))),
    Case(
        "initrd without firmware",
        "FILE-NONE",
        _both(BARE, _add("-kernel", FIRMWARE), _add("-initrd", NOWHERE)),
    ),
    Case(
        "firmware of 1 MiB",
        "FW-SIZE",
        _both(
            _machine("pflash1=d0"),
            _add("-blockdev", _block("raw", "/tmp/short")),
        ),
        before=SHORT,
    ),
    Case(
        "raw as qcow2",
        "DISK-FORMAT",
        _add("-blockdev", _block("qcow2", "/tmp/short")),
        before=SHORT,
    ),
    Case(
        "descriptor for reading only",
        "DISK-OPEN",
        _both(
            _add("-add-fd", "fd=7,set=7"),
            _add("-blockdev", _block("raw", "/dev/fdset/7")),
        ),
        before=f"{SHORT}; exec 7</tmp/short",
        after="exec 7<&-",
    ),
    Case(
        "qcow2 with another file behind it",
        "DISK-FORMAT",
        _both(
            _add("-add-fd", "fd=7,set=7"),
            _add("-blockdev", _block("qcow2", "/dev/fdset/7", read_only=True)),
        ),
        before=f"exec 7</{BACKED}",
        after="exec 7<&-",
    ),
    # Words that only an expert can give
    Case("device model", "QEMU-ARG", _set("iommu0", driver="arm-smmuv3-accel")),
    Case("property", "QEMU-ARG", _set("iommu0", nested=True)),
    Case("option", "QEMU-ARG", _add("-nonsense", "")),
    Case("parameter", "QEMU-ARG", _option("-name", "guest=a,b=c")),
    # Where QEMU falls over
    Case("descriptor without id", "", _set("hostdev0", id=None, host=None, fd="9"), dies=True),
]


# The same through hvinit itself: VMs whose manifest is wrong in one point and says START_ANYWAY.
# Each has the code of the diagnostic, a part of QEMU's words, and its symbols.
_BRIDGE = "-device pxb-pcie,id=x,bus=pcie.0,bus_nr=200,addr=9"
_SMMU = f"{_BRIDGE} -device arm-smmuv3,primary-bus=x,accel=on"
_BEHIND = "-device pcie-root-port,id=p,bus=x,chassis=9"
VMS: dict[str, tuple[str, str, dict[str, str | int | bool]]] = {
    "plain": (
        "SMMU-PLAIN",
        "requires iommu MAP notifier",
        {"HOSTDEV0_BDF": BDFS["hostdev0"], "HOSTDEV0_VSMMU": "0", "VSMMU0_ACCEL": False},
    ),
    "ats": (
        "SMMU-ATS",
        "Host SMMUv3 doesn't support Address Translation Services",
        {"HOSTDEV0_BDF": BDFS["hostdev1"], "VSMMU0_ATS": "on"},
    ),
    "auto": ("SMMU-AUTO", "at least one cold-plugged VFIO device", {"QEMU_ARGS": _SMMU}),
    "emulated": (
        "SMMU-EMULATED",
        "Emulated endpoint devices are not allowed",
        {"QEMU_ARGS": f"{_SMMU} {_BEHIND} -device virtio-rng-pci,bus=p"},
    ),
    "machine": ("MACHINE-NONE", "unsupported machine type", {"MACHINE": "virt-0.0"}),
    "window": ("MMIO-WINDOW", "highmem-mmio-size is not a power of 2", {"MMIO64_GIB": "768"}),
    "pxb": (
        "ROOT-PORT",
        "Only PCI/PCIe bridges can be plugged",
        {"QEMU_ARGS": f"{_BRIDGE} -device virtio-rng-pci"},
    ),
    "clock": ("QEMU-REFUSED", "invalid datetime format", {"QEMU_ARGS": "-rtc base=never"}),
}

_OTHER_SMMU = "the emulated SMMU is what QEMU models"
_NO_CMDQV = "the emulated SMMU has no CMDQ-V"
_ERRATIC = "a fault of the machine that the emulation does not have"
_KERNEL = "the lab's kernel has what is wanted"
# The words of the catalogue that no case brings about, and why.
UNSEEN = {
    "cmdqv=on requires at least one cold-plugged VFIO device": _NO_CMDQV,
    "Wrong data type (*) for Host SMMUv3 device info": _OTHER_SMMU,
    "Host SMMUv3 Stream Table format mismatch": _OTHER_SMMU,
    "Host SMMUv3 SIDSIZE not compatible": _OTHER_SMMU,
    "Host SMMUv3 doesn't support Little-endian translation table": _OTHER_SMMU,
    "Host SMMUv3 doesn't support AArch64 translation table format": _OTHER_SMMU,
    "Host SMMUv3 doesn't support *K translation granule": _OTHER_SMMU,
    "Host SMMUv3 doesn't support Range Invalidation": _OTHER_SMMU,
    "vfio-pci: ats=on requested, but host device has no ATS": "the SMMU has no ATS, so the kernel "
    "says so before QEMU looks at the device",
    "Host CMDQV: ": _NO_CMDQV,
    "Tegra241 CMDQV: ": _NO_CMDQV,
    "IOMMU_VIOMMU_ALLOC failed": "seen in the story no_nesting",
    "Unable to alloc vIOMMU": "comes with other reasons than a missing CANWBS only",
    "Failed to allocate hwpt: Operation not supported": "the emulated SMMU has both stages",
    "Failed to attach all GBPA based HWPTs properly": "comes when a running guest resets its SMMU",
    "Failed to install STE": "comes while a guest sets up its SMMU",
    "IOMMU_IOAS_MAP* failed: Bad address, PCI BAR?": _KERNEL,
    "warning: vfio_container_dma_map(*) = -14 ": _KERNEL,
    "PCI peer-to-peer transactions on BARs are not supported": _KERNEL,
    "Region *: vfio_container_dma_map(*) = -14 ": "the guest's memory is the host's own",
    "using mmap fallback, P2P DMA will not work": _KERNEL,
    "vEVENTQ(*): overflowed": "comes from faults of a running guest",
    "vEVENTQ(*): lost ": "comes from faults of a running guest",
    "IOMMU_IOAS_MAP* failed: Cannot allocate memory": "vfio_container_dma_map(*) tells it first",
    "vfio: DMA mapping failed, unable to continue": _ERRATIC,
    "error bind device fd=*: Device or resource busy": "the kernel has no VFIO groups",
    "error bind device fd=*: Operation not permitted": "the emulated GICv3 has an ITS",
    "error bind device fd=*: Resource temporarily unavailable": _ERRATIC,
    "vfio: Unable to power on device, stuck in D": _ERRATIC,
    "is your kernel config missing CONFIG_VFIO_DEVICE_CDEV?": _KERNEL,
    "Please ensure all devices within the iommu_group are bound to their vfio": "the kernel has no "
    "VFIO groups",
    "Using more than 256 vcpus requires a host kernel with": _KERNEL,
    "-m and ,maxmem option values require an IPA range": "KVM has all bits that the CPU has",
}

# The codes that foretell a refusal and that no case brings about, and why.
UNPROVED = {
    "KCFG": _KERNEL,
    "RMR-DIRECT": "the emulated firmware wants no memory mapped 1:1",
    "SMMU-SPLIT": "the case 'two physical SMMUs behind one' is it; QEMU's words are ATTACH-FAIL's",
    "SMMU-DRIVER": "the case 'device model' is it; QEMU's words are QEMU-ARG's, as for any device",
    "SMMU-RIL": _OTHER_SMMU,
    "SMMU-STLEVEL": _OTHER_SMMU,
    "SMMU-GRAN": _OTHER_SMMU,
    "SMMU-TYPE": _OTHER_SMMU,
    "NO-NESTING": "the story no_nesting is it",
}


def symbols() -> dict[str, str | int | bool]:
    """Those of VMS."""
    found: dict[str, str | int | bool] = {"VM0_HOSTDEV1_BDF": ""}
    for slot, (name, (_, _, changes)) in enumerate(VMS.items()):
        whole = {"NAME": name, "MEMORY_MIB": 64, "AUTOSTART": True, "START_ANYWAY": True, **changes}
        whole |= {"CONSOLE_ECHO": False, "KERNEL": "", "INITRD": "", "CMDLINE": ""}
        if "HOSTDEV0_BDF" not in changes:
            whole["HOSTDEV0_BDF"] = ""
        found |= {f"VM{slot}_{last}": value for last, value in whole.items()}
    return found
