# SPDX-License-Identifier: GPL-2.0-or-later
"""Keeps figures beside the tables, so that two runs can be compared."""

import json
import os
import platform
from pathlib import Path

FOLDER = Path("build/bench")

Row = dict[str, str | int | float | None]


def save(name: str, how: str, rows: list[Row]) -> None:
    """Writes FOLDER/NAME.json: HOW it was measured, on what, and the rows of the table."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    machine = {"machine": platform.machine(), "kernel": platform.release(), "cpus": os.cpu_count()}
    text = json.dumps({"what": name, "how": how, **machine, "rows": rows}, indent=2)
    Path(FOLDER, f"{name}.json").write_text(text + "\n")
