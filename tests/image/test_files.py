# SPDX-License-Identifier: GPL-2.0-or-later
"""No file in the image without a reason: rootfs/reasons.list, and that of the board, have the words, this
looks into them."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
from lab import config
from lab.paths import BUILD, KERNEL, ROOT, run

from .parts import File, S_IFLNK, archives, files, initrd, padded

BUSES = {"pci", "usb", "virtio", "scsi", "platform", "acpi"}
MODULE_KINDS = {"loaded", "chosen", "variant", "mounted", "tested"}


def table() -> dict[tuple[str, str], str]:
    """Kind and name to words."""
    found: dict[tuple[str, str], str] = {}
    board = config.value("BOARD")
    for line in text_of("rootfs/reasons.list", f"board/{board}/reasons.list").splitlines():
        if line and not line.startswith("#"):
            kind, name, words = line.split(maxsplit=2)
            assert (kind, name) not in found, line
            found[kind, name] = words
    return found


def text_of(*patterns: str) -> str:
    return "".join(path.read_text() for pattern in patterns for path in sorted(ROOT.glob(pattern)))


REASONS = table()


def names(kind: str) -> set[str]:
    return {name for of, name in REASONS if of == kind}


# --- what the image is ---


def test_image_has_these_archives() -> None:
    """What is walked here is what the kernel unpacks."""
    *root, appliance = [path.read_bytes() for path in archives()]
    assert initrd() == padded(b"".join(root)) + padded(appliance)
    assert len(files()) > 80


def regular() -> Iterator[File]:
    return (file for file in files().values() if file.is_regular)


def modules() -> dict[str, File]:
    """By the name that modprobe has for each."""
    return {PurePosixPath(file.path).name[:-3]: file for file in regular() if file.path.endswith(".ko")}


def is_library(file: File) -> bool:
    return file.is_elf and re.search(r"\.so(\.|$)", file.path) is not None


# --- programs and libraries ---


def readelf(file: File, folder: Path) -> str:
    at = folder / "elf"
    at.write_bytes(file.data)
    return run(["readelf", "--dynamic", "--program-headers", "--wide", at]).decode()


@pytest.fixture(scope="module")
def needed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """By program: the names of the libraries that it needs, and that those need, and so on."""
    folder = tmp_path_factory.mktemp("elf")
    direct: dict[str, set[str]] = {}
    for file in regular():
        if file.is_elf and not file.path.endswith(".ko"):
            told = readelf(file, folder)
            found = set(re.findall(r"\(NEEDED\).*\[(.+)\]", told))
            found |= {PurePosixPath(one).name for one in re.findall(r"interpreter: (.+)\]", told)}
            direct[file.path] = found
    by_name = {PurePosixPath(path).name: path for path in direct}
    whole: dict[str, set[str]] = {}
    for program in (path for path in direct if not is_library(files()[path])):
        reached, left = set[str](), set(direct[program])
        while left:
            name = left.pop()
            if name not in reached:
                reached.add(name)
                left |= direct[by_name[name]] if name in by_name else set()
        whole[program] = reached
    return whole


def test_every_program_has_a_reason() -> None:
    found = {file.path for file in regular() if file.is_elf and not is_library(file) and not file.path.endswith(".ko")}
    assert found == {path for path in names("program") if path in files()}
    sources = text_of("init/*.c", "init/*.h")
    for path in found - {"/init"}:
        assert re.search(rf'/bin/{PurePosixPath(path).name}"', sources), path


def test_every_library_is_needed(needed: dict[str, set[str]]) -> None:
    libraries = {PurePosixPath(file.path).name for file in regular() if is_library(file)}
    wanted = set().union(*needed.values())
    assert len(libraries) > 30
    assert libraries - wanted == set()
    assert wanted - libraries == set()


# --- what is read ---


def test_every_other_file_has_a_reason() -> None:
    others = [file.path for file in regular() if not file.is_elf]
    short = {path: PurePosixPath(path).name if "/modules/" in path else path for path in others}
    assert set(short.values()) == {path for path in names("read") if path in short.values() or not demo(path)}
    sources = text_of("init/*.c", "init/*.h", "init/kconfig/*.in") + config.read()
    for name in short.values():
        assert name.lstrip("/") in sources, name


def demo(path: str) -> bool:
    return path.startswith("/usr/lib/hvinit/demo/") and config.value("ROOTFS_DEMO") != "y"


def test_links_lead_somewhere() -> None:
    for file in files().values():
        if file.mode & 0o170000 == S_IFLNK:
            target = (PurePosixPath(file.path).parent / file.data.decode()).as_posix()
            parts: list[str] = []
            for part in PurePosixPath(target).parts[1:]:
                parts = parts[:-1] if part == ".." else [*parts, part]
            assert f"/{'/'.join(parts)}" in files(), f"{file.path} -> {file.data!r}"


# --- kernel modules ---


def aliases(name: str) -> set[str]:
    """What the module says that it is for: the first word of each alias."""
    told = run(["/sbin/modinfo", "-F", "alias", built()[name]]).decode()
    return {line.partition(":")[0].rstrip("*") if ":" in line else line for line in told.splitlines()}


def built() -> dict[str, Path]:
    return {path.stem: path for path in (KERNEL / "modules").rglob("*.ko")}


def needs() -> dict[str, set[str]]:
    """By module: what it needs, of the image's own modules.dep."""
    dep = next(file for file in regular() if file.path.endswith("/modules.dep"))
    found: dict[str, set[str]] = {}
    for line in dep.data.decode().splitlines():
        name, _, rest = line.partition(":")
        found[PurePosixPath(name).stem] = {PurePosixPath(one).stem for one in rest.split()}
    return found


def reasons() -> dict[str, str]:
    """Kind of each module's reason, by name."""
    return {name: kind for kind, name in REASONS if kind in MODULE_KINDS}


def test_every_module_has_a_reason() -> None:
    depended = set().union(*(needs()[name] for name in reasons() if name in needs()))
    assert sorted(set(modules()) - set(reasons()) - depended) == []


def test_every_modules_reason_holds() -> None:
    lab = text_of("tests/lab/*.py")
    loaders = [path.read_text() for path in ROOT.glob("init/*.c") if path.name != "module.c"]
    own = "".join(text for text in loaders if "module_load(" in text)
    for name, kind in reasons().items():
        if name not in modules():
            continue
        of = aliases(name)
        holds = {
            "loaded": f'"{name}"' in own,
            "chosen": bool(of & BUSES),
            "variant": of == {"vfio_pci"},
            "mounted": any(alias.startswith("fs-") for alias in of),
            "tested": re.search(rf"\b{name}\b", lab) is not None,
        }[kind]
        assert holds, f"{kind} {name}: {of}"


def test_no_reason_is_left_over() -> None:
    if config.value("BOARD_QEMU_VIRT") == "y":
        assert sorted(set(reasons()) - set(modules())) == []
        assert sorted(unwanted() - set(built())) == []


def unwanted() -> set[str]:
    return set(re.findall(r"^without (\S+)", (ROOT / "rootfs/modules.list").read_text(), re.MULTILINE))


def test_what_was_left_out_is_not_there() -> None:
    assert unwanted() & set(modules()) == set()
    assert "sit" not in modules()


def test_image_has_what_its_modules_need() -> None:
    for name, of in needs().items():
        assert of <= set(modules()), name


def test_names_for_check_are_those_of_the_image() -> None:
    """hvinit check is told of exactly these files, and of their names through links."""
    told = set((BUILD / "image.files").read_text().splitlines())
    root = {file.path for file in regular()} - {"/init", "/etc/os-release", "/etc/hvinit/manifest"}
    assert root <= told
    assert {path for path in told if path in files()} == root
