# SPDX-License-Identifier: GPL-2.0-or-later
"""Stories of one machine each, and every way to die."""

from concurrent.futures import Future

import pytest

from .conftest import Case
from .deaths import DEATHS
from .front import FRONT
from .machine import BUILDS
from .stories import STORIES


def each(cases: dict[str, Case]) -> list[object]:
    return [pytest.param(build, case, id=f"{name}-{build}") for build in BUILDS for name, case in cases.items()]


@pytest.mark.parametrize(("build", "case"), each(DEATHS))
def test_death(build: str, case: Case, told: dict[tuple[str, Case], Future[None]]) -> None:
    told[build, case].result()


@pytest.mark.parametrize(("build", "case"), each(STORIES | FRONT))
def test_story(build: str, case: Case, told: dict[tuple[str, Case], Future[None]]) -> None:
    told[build, case].result()
