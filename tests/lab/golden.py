# SPDX-License-Identifier: GPL-2.0-or-later
"""What golden cases expect, for QEMUs that really run: the numbers of one, and its topology."""

import json
import re
import shlex

from .paths import ROOT

GOLDEN = ROOT / "tests/golden"
NUMBERS = re.compile(r'^(VM0_(?:VSMMU\d_|HOSTDEV\d_PORT_)\w+)="(.*)"$', re.MULTILINE)
# What the machine decides and not the topology, and what a story sets for itself.
ASIDE = ("host", "fd", "bootindex")

Part = tuple[str, list[tuple[str, object]]]  # an option, and its properties in their order


def numbers(case: str) -> dict[str, str]:
    """The symbols of CASE that give numbers to vSMMUs and root ports."""
    return dict(NUMBERS.findall((GOLDEN / case / "config").read_text()))


def expected(case: str) -> list[Part]:
    """The topology that CASE expects."""
    return topology(shlex.split((GOLDEN / case / "devices").read_text()))


def topology(words: list[str]) -> list[Part]:
    """The buses, ports, SMMUs, devices and the iommufd among WORDS of QEMU's."""
    found: list[Part] = []
    for option, value in zip(words, words[1:]):
        if option not in ("-device", "-object") or not value.startswith("{"):
            continue
        properties = json.loads(value)
        if "driver" in properties or properties["qom-type"] == "iommufd":
            found.append((option, [_named(*pair) for pair in properties.items()]))
    return [(option, [pair for pair in pairs if pair[0] not in ASIDE]) for option, pairs in found]


def _named(key: str, value: object) -> tuple[str, object]:
    """The seed's QEMU had another name for the SMMU."""
    return key, "arm-smmuv3" if value == "arm-smmuv3-accel" else value
