# SPDX-License-Identifier: GPL-2.0-or-later
"""The image is built again, in another folder by somebody with other habits: the bytes are the same.

The kernel and the packages come from the cache; IMAGE_ANEW=everything (make soak-image) begins with an
empty one.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
from lab.paths import BUILD, ROOT

MADE = ("out/hvinit.efi", "out/hvinit.img", "out/init", "out/manifest", "out/sbom.spdx.json", "out/SHA256SUMS")


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sources() -> list[str]:
    """What git keeps, as it is here now."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def copy_tree(to: Path) -> None:
    """Sources, configuration, and which packages were chosen, which is older than nothing it stands on."""
    for name in sources():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, to / name)
    shutil.copy(ROOT / ".config", to / ".config")
    (to / "build").mkdir()
    for lock in BUILD.glob("*.lock"):
        shutil.copy(lock, to / "build" / lock.name)


def date_of_build() -> int:
    """The bill of materials has the date that went into the image: a commit may have come since."""
    created = json.loads((ROOT / "out/sbom.spdx.json").read_text())["creationInfo"]["created"]
    return int(datetime.fromisoformat(created.replace("Z", "+00:00")).timestamp())


def environment(cache: Path) -> dict[str, str]:
    """Nothing of the make that runs this, and little of its user's."""
    wanted = re.compile(r"PATH|HVINIT_MIRROR|https?_proxy|no_proxy", re.IGNORECASE)
    kept = {name: value for name, value in os.environ.items() if wanted.fullmatch(name)}
    return kept | {
        "HOME": str(cache.parent), "HVINIT_CACHE": str(cache), "TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8",
        "SOURCE_DATE_EPOCH": str(date_of_build()),
    }  # fmt: skip


def cache_in_use() -> Path:
    return Path(os.path.realpath(BUILD / "kernel")).parent


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The other folder, built."""
    folder = tmp_path_factory.mktemp("again") / "some/other/place"
    copy_tree(folder)
    anew = os.environ.get("IMAGE_ANEW") == "everything"
    cache = folder.parent / "cache" if anew else cache_in_use()
    done = subprocess.run(
        ["make", "-s", f"-j{len(os.sched_getaffinity(0))}", "image"], cwd=folder, umask=0o077,
        env=environment(cache), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def test_it_was_built_there(other: Path) -> None:
    assert (other / "build/arm64/init/main.o").stat().st_ino != (BUILD / "arm64/init/main.o").stat().st_ino
    assert not (other / "out/hvinit.efi").samefile(ROOT / "out/hvinit.efi")


@pytest.mark.parametrize("name", MADE)
def test_same_bytes(other: Path, name: str) -> None:
    assert sha256(other / name) == sha256(ROOT / name)
