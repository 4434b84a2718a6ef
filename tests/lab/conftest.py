# SPDX-License-Identifier: GPL-2.0-or-later
"""Tells the stories that the chosen tests ask for, side by side where cores allow."""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from . import config
from .crowd import Crowd, crowd
from .dma import Dma, dma
from .hosts import Hosts, hosts
from .life import Life, life
from .losses import Losses, losses
from .mishaps import Mishaps, mishaps
from .panel import Panel, panel
from .paths import CONFIG, HVINIT, PRODUCT
from .progress import Progress
from .resources import Resources, resources
from .secure import Secure, secure
from .stories import STORIES as PROOFS
from .stories import Seen
from .trials import Trials, trials
from .update import Update, update
from .walls import Walls, walls

Told = Seen | Resources | Life | Crowd | Mishaps | Losses | Panel | Walls | Dma | Secure | Trials | Hosts | Update

CORES_FOR_A_BOOT = 2
# In the order in which they are begun: the longest first.
STORIES = {
    "resources": resources, "life": life, **PROOFS, "crowd": crowd, "mishaps": mishaps,
    "losses": losses, "panel": panel, "walls": walls, "dma": dma, "secure": secure, "trials": trials,
    "hosts": hosts, "update": update,
}


def pytest_collection_finish(session: pytest.Session) -> None:
    wanted = set[str]()
    for item in session.items:
        if isinstance(item, pytest.Function):
            wanted |= {*item.fixturenames}
            # A test of several stories names them by its parameters.
            params = item.callspec.params if hasattr(item, "callspec") else {}
            wanted |= {value for value in params.values() if isinstance(value, str)}
    session.config.stash[_WANTED] = [name for name in STORIES if name in wanted]


_WANTED = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def product() -> Path:
    """The image. Without its parts the lab cannot run, with another board's it must not."""
    missing = [path.name for path in (PRODUCT, HVINIT, CONFIG) if not path.exists()]
    if missing:
        pytest.skip(f"{', '.join(missing)} not built: run make image")
    if config.value("BOARD_QEMU_VIRT") != "y":
        pytest.skip(".config is not for the lab's board: run make qemu_virt_defconfig test-lab")
    return PRODUCT


@pytest.fixture(scope="session")
def told(request: pytest.FixtureRequest, product: Path) -> Iterator[dict[str, Future[Told]]]:
    """All stories that any test wants, begun at once."""
    workers = max(1, len(os.sched_getaffinity(0)) // CORES_FOR_A_BOOT)
    with ThreadPoolExecutor(workers) as pool:
        names = request.config.stash[_WANTED]
        yield {name: pool.submit(STORIES[name], Progress(name)) for name in names}
        pool.shutdown(cancel_futures=True)


def _fixture(name: str) -> None:
    @pytest.fixture(scope="session", name=name)
    def story(told: dict[str, Future[Told]]) -> Told:
        return told[name].result()

    globals()[f"story_{name}"] = story


for _name in STORIES:
    _fixture(_name)
