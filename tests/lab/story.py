# SPDX-License-Identifier: GPL-2.0-or-later
"""What every story leaves behind."""

from dataclasses import dataclass, field

from .machine import Machine


@dataclass
class Story:
    """The console's text, and what was answered, by names that the story gives."""

    machine: Machine
    console: str = ""
    answers: dict[str, str] = field(default_factory=dict)
