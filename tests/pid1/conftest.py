# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the chosen cases side by side: most of their time they wait."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from . import users
from .machine import BUILDS

AT_A_TIME = 8

Case = Callable[[str], None]
_PLANNED = pytest.StashKey[list[tuple[str, Case]]]()


def case(item: pytest.Item) -> tuple[str, Case] | None:
    """The build and the case that a test is about."""
    if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
        return None
    params = item.callspec.params
    return (params["build"], params["case"]) if {"build", "case"} <= {*params} else None


def pytest_collection_finish(session: pytest.Session) -> None:
    planned = [case(item) for item in session.items]
    session.config.stash[_PLANNED] = [one for one in planned if one]


@pytest.fixture(scope="session")
def namespaces() -> None:
    """What the machines stand on."""
    missing = [path.name for path in BUILDS.values() if not path.exists()]
    if missing:
        pytest.skip(f"{', '.join(missing)} not built: run make test-pid1")
    who = users.find()
    if isinstance(who, str):
        pytest.skip(who)


@pytest.fixture(scope="session")
def told(request: pytest.FixtureRequest, namespaces: None) -> Iterator[dict[tuple[str, Case], Future[None]]]:
    """All cases that any test wants, begun at once."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {(build, run): pool.submit(run, build) for build, run in request.config.stash[_PLANNED]}
        pool.shutdown(cancel_futures=True)
