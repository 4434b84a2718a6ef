# SPDX-License-Identifier: GPL-2.0-or-later
"""Judges whether guests reached their devices through SMMUs of their own.

Nothing that a guest prints is believed alone: a hash is of bytes made for this run, by the lab or
by the other guest, a drive's answer is looked for in the image file, and L0 itself tells which
stages its SMMUs walked, for data and for interrupts.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from .disk import Disk
from .topology import DRIVERS, Place, Topology
from .trace import NESTED, Walks

# Linux, arm-smmu-v3.h: ARM_SMMU_FEAT_TRANS_S1, _S2
STAGE_1 = 1 << 9
STAGE_2 = 1 << 10

_LINE = r"\b{vm}\| proof: ([a-z]+)((?: [a-z0-9]+=\S+)*)\s*$"
_PHYSICAL = re.compile(r"arm-smmu-v3 \S+: .*\(features (0x[0-9a-f]+)\)")


@dataclass(frozen=True)
class Check:
    """One thing that had to be so; FOUND tells what was seen instead or as well."""

    name: str
    passed: bool
    found: str


@dataclass
class Said:
    """What one guest printed: of its SMMUs by their names, of its functions by their addresses."""

    smmus: dict[str, int] = field(default_factory=dict)
    functions: dict[str, dict[str, str]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    done: bool = False

    @classmethod
    def parse(cls, console: str, vm: str = "demo") -> "Said":
        said = cls()
        for kind, words in re.findall(_LINE.format(vm=re.escape(vm)), console, re.MULTILINE):
            said._take(kind, dict(word.split("=", 1) for word in words.split()))
        return said

    def _take(self, kind: str, values: dict[str, str]) -> None:
        if kind == "smmu" and values["features"] != "unknown":
            self.smmus[values["name"]] = int(values["features"], 16)
        elif kind in ("disk", "card", "interrupts"):
            self.functions.setdefault(values["bdf"], {}).update(values)
        elif kind in ("data", "frames"):
            for function in self._named(values):
                function.update(values)
        elif kind == "error":
            self.errors.append(" ".join(f"{key}={value}" for key, value in values.items()))
        elif kind == "done":
            self.done = True

    def _named(self, values: dict[str, str]) -> list[dict[str, str]]:
        key = "serial" if "serial" in values else "iface"
        return [one for one in self.functions.values() if one.get(key) == values.get(key)]

    def of(self, place: Place) -> dict[str, str]:
        """What was said of the function that the appliance sees at PLACE; nothing if that could be
        any of several. A drive is told by its serial number, a card by its driver."""
        name, model = place.device.name, place.device.model
        key, value = ("serial", name) if place.device.is_drive else ("driver", DRIVERS[model])
        found = [one for one in self.functions.values() if one.get(key) == value]
        return found[0] if len(found) == 1 else {}


def judge_function(place: Place, said: Said, walks: Walks) -> list[Check]:
    """What every passed-through function has to show."""
    name, told = place.device.name, said.of(place)
    group = f"{told.get('group')} {told.get('type')}"
    count = told.get("count", "none")
    doorbells = walks.interrupts
    return [
        Check(f"{name}: group translates", told.get("type") in ("DMA", "DMA-FQ"), group),
        Check(f"{name}: interrupts taken", count.isdigit() and int(count) > 0, count),
        Check(f"{name}: both stages walked", walks.stages.get(NESTED, 0) > 0, str(walks.stages)),
        Check(f"{name}: interrupts walk both", doorbells.get(NESTED, 0) > 0, str(doorbells)),
    ]


def judge_drive(place: Place, disk: Disk, said: Said) -> list[Check]:
    name, drive, answer = place.device.name, said.of(place), disk.answer()
    return [
        Check(f"{name}: hash read", drive.get("sha256") == disk.sha256, str(drive.get("sha256"))),
        Check(f"{name}: answer written", answer == disk.wanted_answer(), repr(answer)),
        Check(f"{name}: data untouched", disk.data_sha256() == disk.sha256, disk.data_sha256()),
    ]


def judge_end(place: Place, nonce: str, said: Said, other: dict[str, str]) -> list[Check]:
    """One end of a link: what it sent for came back, and the OTHER end was given the same."""
    name, card = place.device.name, said.of(place)
    sent, back = card.get("sent"), card.get("back")
    fresh = bool(nonce) and card.get("nonce") == nonce
    return [
        Check(f"{name}: frames answered", fresh and sent is not None and sent == back, f"{back}"),
        Check(f"{name}: frames arrived", sent is not None and other.get("got") == sent, f"{other}"),
    ]


def judge_physical(topology: Topology, kernel_log: str) -> Check:
    """Whether the appliance's kernel found both stages in each SMMU."""
    physical = [int(features, 16) for features in _PHYSICAL.findall(kernel_log)]
    both = all(features & STAGE_1 and features & STAGE_2 for features in physical)
    right = both and len(physical) == len(topology.smmus)
    return Check("appliance: SMMUs have both stages", right, " ".join(map(hex, physical)))


def judge_vsmmus(vm: str, places: list[Place], said: Said) -> list[Check]:
    """Whether the guest has an SMMU of stage 1 alone for each physical one behind its devices."""
    count = len({place.smmu for place in places})
    alone = all(f & STAGE_1 and not f & STAGE_2 for f in said.smmus.values())
    found = " ".join(map(hex, said.smmus.values()))
    own = {place.device.name: said.of(place).get("smmu") for place in places}
    pairs = {(own[place.device.name], place.smmu) for place in places}
    paired = None not in own.values() and len(pairs) == len(set(own.values())) == count
    return [
        Check(f"{vm}: vSMMUs have stage 1 alone", alone and len(said.smmus) == count, found),
        Check(f"{vm}: a vSMMU for each SMMU", paired, str(own)),
    ]


def judge(
    topology: Topology,
    disks: dict[str, Disk],
    console: str,
    walks: Callable[[int], Walks],
    nonce: str = "",
) -> list[Check]:
    """What one run of the guests has to show. CONSOLE is its transcript alone; WALKS tells what
    L0 saw for a stream ID; NONCE is what the guests' frames must carry."""
    said = {vm: Said.parse(console, vm) for vm in topology.vms()}
    checks = []
    for vm, words in said.items():
        whole = words.done and not words.errors
        checks.append(Check(f"{vm}: finished without errors", whole, str(words.errors)))
        checks += judge_vsmmus(vm, topology.places(vm), words)
    for place in topology.places():
        words = said[place.device.vm]
        checks += judge_function(place, words, walks(place.stream))
        if place.device.is_drive:
            checks += judge_drive(place, disks[place.device.name], words)
    for ends in topology.links():
        for end, far in (ends, ends[::-1]):
            checks += judge_end(end, nonce, said[end.device.vm], said[far.device.vm].of(far))
    return checks
