# SPDX-License-Identifier: GPL-2.0-or-later
"""Judges whether the guest reached its drives through SMMUs of its own.

Nothing that the guest prints is believed alone: the hash is of bytes made for this run, the
answer is looked for in the image file, and L0 itself tells which stages its SMMUs walked.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from .disk import Disk
from .topology import Place, Topology
from .trace import NESTED

# Linux, arm-smmu-v3.h: ARM_SMMU_FEAT_TRANS_S1, _S2
STAGE_1 = 1 << 9
STAGE_2 = 1 << 10

_LINE = re.compile(r"proof: ([a-z]+)((?: [a-z0-9]+=\S+)*)\s*$", re.MULTILINE)
_PHYSICAL = re.compile(r"arm-smmu-v3 \S+: .*\(features (0x[0-9a-f]+)\)")


@dataclass(frozen=True)
class Check:
    """One thing that had to be so; FOUND tells what was seen instead or as well."""

    name: str
    passed: bool
    found: str


@dataclass
class Said:
    """What the guest printed, by the serial numbers of its drives and the names of its SMMUs."""

    smmus: dict[str, int] = field(default_factory=dict)
    drives: dict[str, dict[str, str]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    done: bool = False

    @classmethod
    def parse(cls, console: str) -> "Said":
        said = cls()
        for kind, words in _LINE.findall(console):
            values = dict(word.split("=", 1) for word in words.split())
            if kind == "smmu" and values["features"] != "unknown":
                said.smmus[values["name"]] = int(values["features"], 16)
            elif kind in ("disk", "data"):
                said.drives.setdefault(values["serial"], {}).update(values)
            elif kind == "error":
                said.errors.append(words.strip())
            elif kind == "done":
                said.done = True
        return said


def judge_drive(place: Place, disk: Disk, said: Said, stages: dict[int, int]) -> list[Check]:
    name = place.device.name
    drive = said.drives.get(name, {})
    group = f"{drive.get('group')} {drive.get('type')}"
    answer = disk.answer()
    return [
        Check(f"{name}: hash read", drive.get("sha256") == disk.sha256, str(drive.get("sha256"))),
        Check(f"{name}: answer written", answer == disk.wanted_answer(), repr(answer)),
        Check(f"{name}: data untouched", disk.data_sha256() == disk.sha256, disk.data_sha256()),
        Check(f"{name}: group translates", drive.get("type") in ("DMA", "DMA-FQ"), group),
        Check(f"{name}: both stages walked", stages.get(NESTED, 0) > 0, f"stages {stages}"),
    ]


def judge_physical(topology: Topology, kernel_log: str) -> Check:
    """Whether the appliance's kernel found both stages in each SMMU."""
    physical = [int(features, 16) for features in _PHYSICAL.findall(kernel_log)]
    both = all(features & STAGE_1 and features & STAGE_2 for features in physical)
    right = both and len(physical) == len(topology.smmus)
    return Check("appliance: SMMUs have both stages", right, " ".join(map(hex, physical)))


def judge_vsmmus(topology: Topology, said: Said) -> list[Check]:
    """Whether the guest has an SMMU of stage 1 alone for each physical one."""
    count = len(topology.smmus)
    alone = all(f & STAGE_1 and not f & STAGE_2 for f in said.smmus.values())
    found = " ".join(map(hex, said.smmus.values()))
    names = [place.device.name for place in topology.places()]
    own = {name: said.drives.get(name, {}).get("smmu") for name in names}
    pairs = {(own[place.device.name], place.smmu) for place in topology.places()}
    paired = None not in own.values() and len(pairs) == len(set(own.values())) == count
    return [
        Check("guest: vSMMUs have stage 1 alone", alone and len(said.smmus) == count, found),
        Check("guest: a vSMMU for each SMMU", paired, str(own)),
    ]


def judge(
    topology: Topology,
    disks: dict[str, Disk],
    console: str,
    stages: Callable[[int], dict[int, int]],
) -> list[Check]:
    """What one run of the guest has to show. CONSOLE is its transcript alone; STAGES tells how
    often L0 saw each stage for a stream ID."""
    said = Said.parse(console)
    checks = [
        Check("guest: finished without errors", said.done and not said.errors, str(said.errors)),
        *judge_vsmmus(topology, said),
    ]
    for place in topology.places():
        checks += judge_drive(place, disks[place.device.name], said, stages(place.stream))
    return checks
