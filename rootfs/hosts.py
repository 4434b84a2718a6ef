#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the manifests of hosts that share an image, and lists for rootfs/pack.py that name them.

    hosts.py addon CONFIG HOST        one for an addon, for the host of that UUID or for "any"
    hosts.py built-in [FOLDER]        one for each <UUID>.config in FOLDER; without FOLDER none

A configuration is a whole .config or only the lines that differ from the defaults: nothing of another
one is taken in. The manifests and the list are written to --output; what has not changed is left as it
is, so that make does not build anew.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NO_UUIDS = (re.compile(r"[0-]+"), re.compile(r"[f-]+"))
ANY = "any"
HASH = 16  # digits of a manifest's SHA-256 in its name, as init/select.c has it


class HostError(Exception):
    """What a person has to mend."""


def check_uuid(text: str, what: str) -> str:
    """TEXT as PID 1 looks for it; WHAT is where it stands."""
    uuid = text.lower()
    if not UUID.fullmatch(uuid):
        raise HostError(
            f'{what}: "{text}" is not a UUID like 01234567-89ab-cdef-0123-456789abcdef: "status" on the '
            "machine's console shows it, and so does dmidecode -s system-uuid"
        )
    if any(pattern.fullmatch(uuid) for pattern in NO_UUIDS):
        raise HostError(f'{what}: "{text}" is what machines have that have no UUID of their own')
    return uuid


def check_lines(config: Path) -> None:
    if not config.is_file():
        raise HostError(f"{config}: it is no regular file that is there")
    for number, line in enumerate(config.read_text(errors="replace").splitlines(), 1):
        if re.match(r"(# )?CONFIG_(HOST|VM\d+)_", line):
            raise HostError(f"{config}:{number}: symbols have no CONFIG_ before them here")


def ask_tool(config: Path, options: argparse.Namespace) -> bytes:
    done = subprocess.run([options.hvinit, "manifest", config], capture_output=True)
    if done.returncode:
        said = done.stderr.decode(errors="replace").rstrip()
        raise HostError(f"{config}: no manifest can be made of it:\n{said}")
    return done.stdout


def add_defaults(config: Path, options: argparse.Namespace) -> Path:
    """CONFIG with a line for every symbol: what a default means may change with the next QEMU."""
    whole = options.output / "config"
    whole.parent.mkdir(parents=True, exist_ok=True)
    whole.write_bytes(config.read_bytes())
    words = ["kconfig-conf", "--olddefconfig", "Kconfig"]
    place = {"CONFIG_": "", "KCONFIG_CONFIG": str(whole.absolute())}
    done = subprocess.run(words, capture_output=True, stdin=subprocess.DEVNULL, env=os.environ | place)
    if done.returncode:
        raise HostError(f"{config}: Kconfig refuses it:\n{done.stderr.decode(errors='replace').rstrip()}")
    whole.with_suffix(".old").unlink(missing_ok=True)
    return whole


def check_board(config: Path, whole: Path, options: argparse.Namespace) -> None:
    """Of what is no symbol of the manifest, only this could be wrong for the image."""
    lines = config.read_text(errors="replace")
    if re.search(r"^BOARD", lines, re.MULTILINE):
        for board in re.findall(r'^BOARD="(.*)"$', f"{lines}\n{whole.read_text()}", re.MULTILINE):
            if board != options.board:
                raise HostError(f'{config}: it is for board "{board}", and the image for "{options.board}"')


def make_manifest(config: Path, options: argparse.Namespace) -> bytes:
    """Kconfig replaces a value that it does not like, so CONFIG is looked at as it was written first."""
    check_lines(config)
    ask_tool(config, options)
    whole = add_defaults(config, options)
    check_board(config, whole, options)
    return ask_tool(whole, options)


def write_changed(path: Path, data: bytes) -> None:
    if not path.is_file() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def addon(options: argparse.Namespace) -> Iterator[str]:
    """One manifest, under a name that no other one has."""
    host = ANY if options.host.lower() == ANY else check_uuid(options.host, "HOST")
    manifest = make_manifest(options.config, options)
    write_changed(options.output / "manifest", manifest)
    name = hashlib.sha256(manifest).hexdigest()[:HASH]
    yield f"file /etc/hvinit/addons/{host}/{name}.manifest 644 {options.output}/manifest\n"


def built_in(options: argparse.Namespace) -> Iterator[str]:
    """One manifest a file of the folder."""
    if not options.folder:
        return
    if not options.folder.is_dir():
        raise HostError(f"HOSTS={options.folder}: there is no such folder")
    seen: dict[str, Path] = {}
    for config in sorted(options.folder.iterdir()):
        if config.name.startswith(".") or config.name == "README.md":
            continue
        if config.suffix != ".config":
            raise HostError(f"{config}: the folder is for <UUID>.config, and README.md")
        uuid = check_uuid(config.stem, str(config))
        if uuid in seen:
            raise HostError(f"{config}: {seen[uuid].name} is for the same host")
        seen[uuid] = config
        manifest = make_manifest(config, options)
        write_changed(options.output / f"{uuid}.manifest", manifest)
        # The hash makes another list, and so another image, of another manifest.
        yield f"# {hashlib.sha256(manifest).hexdigest()}\n"
        yield f"file /etc/hvinit/hosts/{uuid}.manifest 644 {options.output}/{uuid}.manifest\n"
    if not seen:
        raise HostError(f"HOSTS={options.folder}: there is no <UUID>.config in it")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hvinit", type=Path, required=True, help="the build machine's hvinit")
    parser.add_argument("--board", required=True, help="the board that the image is for")
    parser.add_argument("--output", type=Path, required=True, help="folder for what is made")
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("addon")
    one.add_argument("config", type=Path)
    one.add_argument("host")
    one.set_defaults(make=addon)
    many = commands.add_parser("built-in")
    many.add_argument("folder", type=Path, nargs="?")
    many.set_defaults(make=built_in)
    options = parser.parse_args()
    try:
        lines = "".join(options.make(options))
    except HostError as error:
        print(f"hvinit: {error}", file=sys.stderr)
        return 1
    kept = {line.split()[-1] for line in lines.splitlines() if line.startswith("file")}
    if options.output.is_dir():
        for path in options.output.iterdir():
            if path.suffix == ".manifest" and str(path) not in kept:
                path.unlink()
    write_changed(options.output / "list", lines.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
