# SPDX-License-Identifier: GPL-2.0-or-later
"""Every cell of the table of states and events, on the real thing."""

import functools
import re
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from .cells import CELLS, EVENTS, STATES, Cell, Ignored, Unreachable
from .conftest import Case
from .machine import BUILDS, Machine

INIT = Path(__file__).resolve().parents[2] / "init"
TABLE = re.compile(r"table\[VM_STATES\]\[VM_EVENTS\] = \{(.*?)\n\};", re.DOTALL)


def table() -> dict[tuple[str, str], str]:
    """What init/ does in each state at each event, by the names of its functions."""
    header = (INIT / "vm.h").read_text()
    events = re.findall(r"^\tVM_EV_(\w+)", header, re.MULTILINE)
    found = [text for path in INIT.glob("vm*.c") for text in TABLE.findall(path.read_text())]
    assert len(found) == 1, "one table"
    rows = re.findall(r"ROW\(VM_(\w+),(.*?)\)", found[0], re.DOTALL)
    cells = {}
    for state, row in rows:
        actions = row.replace(" ", "").split(",")
        assert len(actions) == len(events), state
        cells |= {(state, event): action.strip() for event, action in zip(events, actions)}
    return cells


def mine() -> dict[tuple[str, str], Cell | Unreachable]:
    return {(state, event): cell for state, row in CELLS.items() for event, cell in row.items()}


def run(state: str, event: str, build: str) -> None:
    cell = CELLS[state][event]
    assert isinstance(cell, Cell)
    given = cell.given or STATES[state]
    symbols = {"VM0_NAME": "vm", "VM0_MEMORY_MIB": 64, "VM0_QEMU_ARGS": given.words, **given.symbols}
    machine = Machine(build, symbols, clock=given.clock, tarpit=given.tarpit)
    for step in given.before:
        step(machine)
    with machine:
        for step in given.steps:
            step(machine)
        if cell.arrives:
            assert machine.state() == state.lower()
        for step in [*(EVENTS[event] if cell.cause is None else cell.cause), *cell.after]:
            step(machine)
        assert machine.state() == cell.then


def cases() -> Iterator[object]:
    for build in BUILDS:
        for (state, event), cell in mine().items():
            if isinstance(cell, Cell):
                yield pytest.param(build, functools.partial(run, state, event), id=f"{state}-{event}-{build}")


def test_every_cell_of_the_table_has_a_case_or_a_reason() -> None:
    theirs = table()
    assert not theirs.keys() - mine().keys(), "cells without a case in tests/pid1/cells.py"
    assert not mine().keys() - theirs.keys(), "cases of cells that are not there"


def test_what_is_ignored_is_ignored_in_both() -> None:
    theirs = table()
    for place, cell in mine().items():
        if isinstance(cell, Cell):
            assert isinstance(cell, Ignored) == (theirs[place] == "ignore"), place


@pytest.mark.parametrize(("build", "case"), cases())
def test_cell(build: str, case: Case, told: dict[tuple[str, Case], Future[None]]) -> None:
    told[build, case].result()
