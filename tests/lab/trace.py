# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts what L0's SMMUs translated, by stream ID and stage, as L0 runs.

A trip translates hundreds of thousands of addresses; the counts are all that is kept of them.
Everything else that L0 says goes to its log.
"""

import re
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

EVENTS = ("-trace", "smmuv3_translate_success")
NESTED = 3  # stage 1 and stage 2, both walked
# QEMU, hw/arm/virt.c: VIRT_GIC_ITS, and GITS_TRANSLATER in it. A write to it is an interrupt.
DOORBELL = 0x08090040

_EVENT = re.compile(
    rb"smmuv3_translate_success .*sid=0x([0-9a-f]+) .*translated=0x([0-9a-f]+) .*stage=(\d)"
)


@dataclass(frozen=True)
class Walks:
    """How often each stage was seen for a stream, and how often for its interrupts."""

    stages: dict[int, int]
    interrupts: dict[int, int]


class Tally(threading.Thread):
    def __init__(self, source: BinaryIO, log: Path) -> None:
        super().__init__(daemon=True)
        self._source, self._log = source, log
        self._counts: Counter[tuple[int, int, bool]] = Counter()
        self._lock = threading.Lock()
        self.start()

    def run(self) -> None:
        with open(self._log, "wb", buffering=0) as log:
            for line in self._source:
                event = _EVENT.search(line)
                if not event:
                    log.write(line)
                    continue
                interrupt = int(event[2], 16) == DOORBELL
                with self._lock:
                    self._counts[int(event[1], 16), int(event[3]), interrupt] += 1

    def walks(self, stream: int) -> Walks:
        found = Walks({}, {})
        with self._lock:
            for (sid, stage, interrupt), count in sorted(self._counts.items()):
                if sid == stream:
                    found.stages[stage] = found.stages.get(stage, 0) + count
                    if interrupt:
                        found.interrupts[stage] = count
        return found

    def reset(self) -> None:
        with self._lock:
            self._counts.clear()
