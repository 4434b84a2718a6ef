# SPDX-License-Identifier: GPL-2.0-or-later
"""Manifests of hosts that share an image: what rootfs/hosts.py makes of configurations, and what it
refuses. What a machine then takes of them is the lab's to see (tests/lab/hosts.py)."""

import hashlib
import os
import re
import subprocess
from pathlib import Path

import pytest
from lab import config
from lab.paths import ADDON_STUB, HVINIT, ROOT, TARGET, TOOLS

from .parts import read_cpio, section

HOST = "d0a1b2c3-1111-4222-8333-0123456789ab"
OTHER = "d0a1b2c3-1111-4222-8333-0123456789ac"
BOARD = config.value("BOARD")
ONE_VM = 'VM0_NAME="web"\nVM0_MEMORY_MIB=512\n'


def run(output: Path, *words: str | Path, board: str = BOARD) -> subprocess.CompletedProcess[str]:
    options = ["--hvinit", HVINIT, "--board", board, "--output", output]
    return subprocess.run(
        [ROOT / "rootfs/hosts.py", *options, *words], capture_output=True, text=True, cwd=ROOT
    )


def refused(output: Path, *words: str | Path, board: str = BOARD) -> str:
    """What is said. One line, or the tool's words below it, and no traceback."""
    done = run(output, *words, board=board)
    assert done.returncode == 1
    assert done.stderr.startswith("hvinit: ") and "Traceback" not in done.stderr
    assert not (output / "list").exists()
    return done.stderr


def make(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "-C", ROOT, "-s", *words], capture_output=True, text=True, env=os.environ | environment
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "web.config"
    path.write_text(ONE_VM)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "hosts"
    path.mkdir()
    return path


class TestAddon:
    def test_name_has_the_manifests_hash(self, tmp_path: Path, source: Path) -> None:
        assert run(tmp_path / "made", "addon", source, HOST.upper()).returncode == 0
        manifest = (tmp_path / "made/manifest").read_bytes()
        name = hashlib.sha256(manifest).hexdigest()[:16]
        listed = (tmp_path / "made/list").read_text()
        assert listed.startswith(f"file /etc/hvinit/addons/{HOST}/{name}.manifest 644 ")
        assert manifest.startswith(b"# hvinit manifest 1\n# sha256 ")

    def test_lines_that_are_left_out_have_defaults_and_not_those_of_the_build(
        self, tmp_path: Path, source: Path
    ) -> None:
        run(tmp_path / "made", "addon", source, "any")
        manifest = (tmp_path / "made/manifest").read_text()
        assert 'VM0_NAME="web"' in manifest and "VM0_MEMORY_MIB=512" in manifest
        assert not re.search(r'^VM0_HOSTDEV\d_BDF="[^"]', manifest, re.MULTILINE)
        # What "the newest machine" is may change with the next QEMU.
        assert re.search(r'^VM0_MACHINE="virt-', manifest, re.MULTILINE)

    def test_same_bytes_each_time(self, tmp_path: Path, source: Path) -> None:
        made = []
        for name in ("one", "two"):
            run(tmp_path / name, "addon", source, "any")
            subprocess.run([ROOT / "rootfs/pack.py", tmp_path / name / "cpio", tmp_path / name / "list"], check=True)
            words = [f"--stub={ADDON_STUB}", f"--initrd={tmp_path / name / 'cpio'}"]
            addon = tmp_path / name / "x.addon.efi"
            subprocess.run([ROOT / "rootfs/ukify.sh", TOOLS, TARGET, addon, *words], check=True)
            made.append(addon.read_bytes())
        assert made[0] == made[1]
        assert any(name.startswith("/etc/hvinit/addons/any/") for name in read_cpio(section(made[0], ".initrd")))

    @pytest.mark.parametrize(
        ("host", "said"),
        [
            ("web3", '"web3" is not a UUID'),
            (HOST[:-1], "is not a UUID"),
            (f"{{{HOST}}}", "is not a UUID"),
            ("00000000-0000-0000-0000-000000000000", "have no UUID of their own"),
            ("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "have no UUID of their own"),
        ],
    )
    def test_wrong_host(self, tmp_path: Path, source: Path, host: str, said: str) -> None:
        assert said in refused(tmp_path / "made", "addon", source, host)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ('VM0_NAME="web"\nVM0_MEMORY_MIB="much"\n', "[SYMBOL-VALUE]"),
            ('VM0_NAME="web"\nVM0_MEMORY=512\n', "[SYMBOL-UNKNOWN]"),
            ('CONFIG_VM0_NAME="web"\n', "symbols have no CONFIG_ before them"),
            ("", "[MANIFEST-READ]"),
            (f'{ONE_VM}BOARD="toaster"\n', 'for board "toaster"'),
        ],
    )
    def test_wrong_configuration(self, tmp_path: Path, source: Path, text: str, said: str) -> None:
        source.write_text(text)
        answer = refused(tmp_path / "made", "addon", source, "any")
        assert said in answer and source.name in answer

    def test_another_board(self, tmp_path: Path, source: Path) -> None:
        """A whole .config names its board; a few lines are for any."""
        assert run(tmp_path / "made", "addon", source, "any", board="toaster").returncode == 0
        source.write_text(config.read())
        said = refused(tmp_path / "again", "addon", source, "any", board="toaster")
        assert f'it is for board "{BOARD}", and the image for "toaster"' in said

    def test_no_such_file(self, tmp_path: Path) -> None:
        assert "no regular file" in refused(tmp_path / "made", "addon", tmp_path / "none", "any")

    def test_empty_host_is_not_any(self, source: Path) -> None:
        """As a variable of a script is that nobody has set."""
        made = make("addon", f"MANIFEST={source}", "HOST=")
        assert made.returncode and "HOST: it is empty" in made.stderr

    def test_host_of_the_environment_is_not_meant(self, source: Path) -> None:
        made = make("check", HOST="somebodys-desk")
        assert "somebodys-desk" not in made.stderr

    def test_key_is_looked_at_first(self, source: Path, tmp_path: Path) -> None:
        made = make("addon", f"MANIFEST={source}", f"KEY={tmp_path}/none.pem")
        assert made.returncode and "KEY: " in made.stderr and "No such file" in made.stderr


class TestBuiltIn:
    def test_each_file_is_a_host(self, tmp_path: Path, folder: Path) -> None:
        (folder / f"{HOST}.config").write_text(ONE_VM)
        (folder / f"{OTHER.upper()}.config").write_text('VM0_NAME="db"\n')
        (folder / "README.md").touch()
        (folder / ".git").touch()
        assert run(tmp_path / "made", "built-in", folder).returncode == 0
        listed = (tmp_path / "made/list").read_text()
        packed = re.findall(r"^file /etc/hvinit/hosts/(\S+)\.manifest 644 ", listed, re.MULTILINE)
        assert sorted(packed) == [HOST, OTHER]
        assert 'VM0_NAME="db"' in (tmp_path / f"made/{OTHER}.manifest").read_text()

    def test_list_changes_with_a_manifest_only(self, tmp_path: Path, folder: Path) -> None:
        made = tmp_path / "made/list"
        (folder / f"{HOST}.config").write_text(ONE_VM)
        run(tmp_path / "made", "built-in", folder)
        before = made.read_text(), made.stat().st_mtime_ns
        run(tmp_path / "made", "built-in", folder)
        assert (made.read_text(), made.stat().st_mtime_ns) == before
        (folder / f"{HOST}.config").write_text('VM0_NAME="db"\n')
        run(tmp_path / "made", "built-in", folder)
        assert made.read_text() != before[0]

    def test_without_a_folder_there_are_none(self, tmp_path: Path, folder: Path) -> None:
        (folder / f"{HOST}.config").write_text(ONE_VM)
        run(tmp_path / "made", "built-in", folder)
        assert run(tmp_path / "made", "built-in").returncode == 0
        assert (tmp_path / "made/list").read_text() == ""
        assert list((tmp_path / "made").glob("*.manifest")) == []

    def test_wrong_folders(self, tmp_path: Path, folder: Path) -> None:
        assert "there is no such folder" in refused(tmp_path / "made", "built-in", tmp_path / "none")
        assert "there is no <UUID>.config in it" in refused(tmp_path / "made", "built-in", folder)

    @pytest.mark.parametrize("name", ["web3.config", f"{HOST}.cfg", f"{HOST}.config~", HOST])
    def test_wrong_name(self, tmp_path: Path, folder: Path, name: str) -> None:
        (folder / name).write_text(ONE_VM)
        assert name in refused(tmp_path / "made", "built-in", folder)

    def test_twice(self, tmp_path: Path, folder: Path) -> None:
        for name in (HOST, HOST.upper()):
            (folder / f"{name}.config").write_text(ONE_VM)
        assert "is for the same host" in refused(tmp_path / "made", "built-in", folder)

    def test_wrong_value(self, tmp_path: Path, folder: Path) -> None:
        (folder / f"{HOST}.config").write_text('VM0_NAME="two words"\n')
        said = refused(tmp_path / "made", "built-in", folder)
        assert f"{HOST}.config" in said and "[SYMBOL-VALUE]" in said
