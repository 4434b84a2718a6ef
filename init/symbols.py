#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the menus of the slots and PID 1's table of symbols from the templates in init/kconfig/.

In a template @VM@, @HOSTDEV@ and so on stand for the number of the slot, @VM-1@ and @HOSTDEV-1@
for the one before; slot 0 has none before it and goes without the lines that name one.
A line "# hvinit: slots NAME" is replaced by all slots of the template NAME.

In a config block, comment lines tell what Kconfig has no words for:
    # hvinit: cmdline             the symbol may be set on the kernel command line
    # hvinit: size N              bytes of a string, its end included (64)
    # hvinit: type bdf            a PCI address or nothing
    # hvinit: type number WORD… LO HI
                                  one of these words (auto, none, root), or a number
    # hvinit: type enum A B C     one of these words
    # hvinit: type id             [A-Za-z][A-Za-z0-9._-]*
    # hvinit: type path           an absolute path or nothing
    # hvinit: type uuid           a UUID or nothing
    # hvinit: type mac            an Ethernet address or nothing
    # hvinit: type cpus           a list of CPUs ("0-3,8") or nothing
    # hvinit: type secret         a crypt(5) hash or nothing; never shown
    # hvinit: libvirt TEXT        what a libvirt domain says for it, for docs/manifest.md
"""

import argparse
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

STRING_SIZE = 64
FIXED_SIZE = {
    "BDF": len("0000:00:00.0") + 1,
    "UUID": len("00000000-0000-0000-0000-000000000000") + 1,
    "MAC": len("00:00:00:00:00:00") + 1,
}
WORDS = {"auto": "HV_AUTO", "none": "HV_NONE", "root": "HV_ROOT"}
PROMPT_MAX = 52  # with its value it is still a line of menuconfig at 80 columns
VALUE_MAX = 1024  # what init/manifest.c can read in one line
C_TYPE = {"BOOL": "bool", "INT": "int64_t", "NUMBER": "int64_t", "ENUM": "int"}
VALID = {
    "BDF": r"([0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7])?",
    "ID": r"([A-Za-z][A-Za-z0-9._-]*)?",
    "PATH": r"(/.*)?",
    "UUID": r"([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?",
    "MAC": r"([0-9a-f]{2}(:[0-9a-f]{2}){5})?",
    "SECRET": r"(\$(5\$([./0-9A-Za-z=$]*\$)?[./0-9A-Za-z]{43}|6\$([./0-9A-Za-z=$]*\$)?[./0-9A-Za-z]{86}))?",
    "CPUS": r"([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?",
    "STRING": r".*",
}


class Fault(Exception):
    """Something in a Kconfig file that cannot stay so; the text names file and line."""


@dataclass
class Symbol:
    """A config block of a Kconfig file, with what the annotations add to it."""

    name: str
    where: str
    kind: str = ""
    default: str = ""
    prompt: str = ""
    help: list[str] = field(default_factory=list)
    low: int = 0
    high: int = 0
    size: int = 0
    values: list[str] = field(default_factory=list)
    cmdline: bool = False
    libvirt: str = ""

    def fail(self, text: str) -> None:
        raise Fault(f"{self.where}: {self.name}: {text}")


@dataclass(frozen=True)
class Scope:
    """One kind of slot: its template, the prefix of its symbols, what C calls it."""

    name: str
    file: str
    prefix: str


# A struct comes after those that it holds.
SCOPES = [
    Scope("BRIDGE", "bridge.in", "HOST_BRIDGE@BRIDGE@_"),
    Scope("HOST", "host.in", "HOST_"),
    Scope("HOSTDEV", "hostdev.in", "VM@VM@_HOSTDEV@HOSTDEV@_"),
    Scope("VSMMU", "vsmmu.in", "VM@VM@_VSMMU@VSMMU@_"),
    Scope("PORT", "port.in", "VM@VM@_PORT@PORT@_"),
    Scope("DISK", "disk.in", "VM@VM@_DISK@DISK@_"),
    Scope("NET", "net.in", "VM@VM@_NET@NET@_"),
    Scope("VM", "vm.in", "VM@VM@_"),
]
MENUS = ("HOST", "VM")  # templates that are not inside another one
INSIDE = {"HOST": ("BRIDGE",), "VM": ("HOSTDEV", "VSMMU", "PORT", "DISK", "NET")}


def unquote(symbol: Symbol, text: str) -> str:
    """The value of a default: a string without its quotes, a number or bool as it is."""
    match = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', text)
    if match:
        return re.sub(r"\\(.)", r"\1", match[1])
    if '"' in text:
        symbol.fail(f"{text} is no string")
    return text


def annotate(symbol: Symbol, words: list[str]) -> None:
    """Takes in one "# hvinit:" line."""
    match words:
        case ["cmdline"]:
            symbol.cmdline = True
        case ["size", size] if size.isdigit():
            symbol.size = int(size)
        case ["type", ("bdf" | "id" | "path" | "uuid" | "mac" | "cpus" | "secret") as kind]:
            symbol.kind = kind.upper()
        case ["type", "number", _, *_, low, high] if low.isdigit() and high.isdigit():
            symbol.kind, symbol.low, symbol.high = "NUMBER", int(low), int(high)
            symbol.values = words[2:-2]
            if not set(symbol.values) <= set(WORDS):
                symbol.fail(f"words beside a number are {', '.join(WORDS)}")
        case ["type", "enum", _, _, *_]:
            symbol.kind, symbol.values = "ENUM", words[2:]
        case ["libvirt", _, *_]:
            symbol.libvirt = " ".join(words[1:])
        case _:
            symbol.fail(f'there is no annotation "{" ".join(words)}"')


def attribute(symbol: Symbol, line: str) -> None:
    """Takes in one attribute line of a config block."""
    line = re.sub(r'(?<=\s)#[^"]*$', "", line).strip()
    word, _, rest = line.partition(" ")
    rest = rest.strip()
    if word in ("bool", "int", "string"):
        symbol.kind = word.upper()
        symbol.prompt = unquote(symbol, rest)
    elif word == "default":
        symbol.default = unquote(symbol, rest.split(" if ")[0])
    elif word == "range":
        low, high = rest.split()
        symbol.low, symbol.high = int(low), int(high)
    elif word not in ("depends", "select", "option"):
        symbol.fail(f'"{word}" is not understood')


def parse(path: Path) -> list[Symbol]:
    """The config blocks of a Kconfig file, in order."""
    symbols: list[Symbol] = []
    symbol = None
    in_help = False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        indented = line.startswith("\t")
        if match := re.fullmatch(r"(?:menu)?config\s+(\S+)\s*", line):
            symbol = Symbol(match[1], f"{path}:{number}")
            if not re.fullmatch(r"(?:[A-Z0-9_]|@[A-Z]+@)+", symbol.name):
                symbol.fail("is no name: want capitals, digits and _")
            symbols.append(symbol)
            in_help = False
        elif line.strip() and not indented:
            symbol = None
        elif symbol and in_help and (line.startswith("\t  ") or not line):
            symbol.help.append(line.strip())
        elif symbol and indented and line.strip() == "help":
            in_help = True
        elif symbol and indented and in_help:
            raise Fault(f"{path}:{number}: help begins with a tab and two spaces")
        elif symbol and (note := re.fullmatch(r"\t# hvinit: (.*)", line)):
            annotate(symbol, note[1].split())
        elif symbol and indented and not line.startswith("\t#"):
            attribute(symbol, line)
    for symbol in symbols:
        if not any(symbol.help):
            symbol.fail("has no help")
    return symbols


def check_default(symbol: Symbol) -> None:
    """A default that PID 1 would refuse must not leave this machine."""
    value = symbol.default
    if symbol.kind == "ENUM":
        good = value in symbol.values
    elif symbol.kind == "BOOL":
        good = value in ("y", "n")
    elif symbol.kind == "NUMBER" and value in symbol.values:
        good = True
    elif symbol.kind in ("INT", "NUMBER"):
        good = value.isdigit() and symbol.low <= int(value) <= symbol.high
    else:
        good = bool(re.fullmatch(VALID[symbol.kind], value)) and len(value) < symbol.size
    if not good:
        symbol.fail(f'the default "{value}" is not a value of the symbol')


def check(symbol: Symbol, prefix: str) -> None:
    """Completes a symbol of the manifest, or says what is wrong with it."""
    if not symbol.name.startswith(prefix):
        symbol.fail(f"must begin with {prefix}")
    if not symbol.prompt:
        symbol.fail("has no prompt")
    if len(symbol.prompt) > PROMPT_MAX:
        symbol.fail(f"has a prompt of more than {PROMPT_MAX} characters")
    if symbol.kind in ("INT", "NUMBER") and symbol.high <= symbol.low:
        symbol.fail("has no range")
    if symbol.kind == "BOOL":
        symbol.default = symbol.default or "n"
    symbol.size = FIXED_SIZE.get(symbol.kind, symbol.size)
    if symbol.kind in VALID:
        symbol.size = symbol.size or STRING_SIZE
        if symbol.size > VALUE_MAX // 2:  # every character may need a backslash
            symbol.fail(f"is larger than {VALUE_MAX // 2} bytes")
    elif symbol.size:
        symbol.fail("has a size but is no string")
    check_default(symbol)


def field_name(symbol: Symbol, prefix: str) -> str:
    return symbol.name.removeprefix(prefix).lower()


def slot_count(text: str) -> tuple[str, int]:
    """NAME=COUNT of the command line."""
    name, _, count = text.partition("=")
    if name not in {scope.name for scope in SCOPES} or not count.isdigit() or int(count) < 1:
        raise argparse.ArgumentTypeError(f"{text}: want a kind of slot, = and a number above 0")
    return name, int(count)


def expand(folder: Path, name: str, slots: dict[str, int], values: dict[str, int]) -> list[str]:
    """The lines of all slots of a template; values are the numbers of the slots around it."""
    path = folder / f"{name}.in"
    result: list[str] = []
    for number in range(slots.get(name.upper(), 1)):
        values = values | {name.upper(): number}
        for at, line in enumerate(path.read_text().splitlines(), 1):
            if match := re.fullmatch(r"# hvinit: slots (\w+)", line):
                result += expand(folder, match[1], slots, values)
            elif not line.startswith("#"):
                result += substitute(line, values, f"{path}:{at}")
    return result


def substitute(line: str, values: dict[str, int], where: str) -> list[str]:
    """The line with its numbers, or nothing where it names a slot before the first."""
    before = False

    def number(match: re.Match[str]) -> str:
        nonlocal before
        if match[1] not in values:
            raise Fault(f"{where}: there is no slot {match[0]} here")
        before = before or values[match[1]] + int(match[2] or 0) < 0
        return str(values[match[1]] + int(match[2] or 0))

    line = re.sub(r"@([A-Z]+)(-1)?@", number, line)
    if "@" in line:
        raise Fault(f"{where}: @ must enclose the name of a slot")
    return [] if before else [line]


def c_string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def c_struct(scope: Scope, symbols: list[Symbol]) -> list[str]:
    """The struct that holds the values of one slot."""
    lines = [f"struct {scope.name.lower()}_config {{"]
    for symbol in symbols:
        name = field_name(symbol, scope.prefix)
        if symbol.kind in C_TYPE:
            lines.append(f"\t{C_TYPE[symbol.kind]} {name};")
        else:
            lines.append(f"\tchar {name}[{symbol.size}];")
    for inner in INSIDE.get(scope.name, ()):
        lines.append(f"\tstruct {inner.lower()}_config {inner.lower()}[HV_{inner}_SLOTS];")
    return lines + ["};", ""]


def c_enums(scope: Scope, symbols: list[Symbol]) -> list[str]:
    """Constants for the words of enums: HOST_ON_FATAL_HALT."""
    lines: list[str] = []
    for symbol in (s for s in symbols if s.kind == "ENUM"):
        stem = f"{scope.name}_{field_name(symbol, scope.prefix)}"
        lines.append(f"enum {stem.lower()} {{")
        lines += [f"\t{stem}_{word}".upper().replace("-", "_") + "," for word in symbol.values]
        lines += ["};", ""]
    return lines


def c_entry(scope: Scope, symbol: Symbol) -> str:
    """A symbol's line in the table."""
    struct = f"struct {scope.name.lower()}_config"
    name = field_name(symbol, scope.prefix)
    values = c_string(" ".join(symbol.values)) if symbol.values else "NULL"
    return (
        f'\t{{ "{name.upper()}", SCOPE_{scope.name}, SYM_{symbol.kind}, '
        f"offsetof({struct}, {name}), sizeof((({struct} *)0)->{name}), "
        f"{symbol.low}, {symbol.high}, {c_string(symbol.default)}, {values}, "
        f"{str(symbol.cmdline).lower()} }},"
    )


HEADER_TOP = """\
/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a manifest can say. Made by init/symbols.py from init/kconfig/: do not edit. */
#ifndef HVINIT_SYMBOLS_H
#define HVINIT_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the words mean that can stand for a number. */
#define HV_AUTO (-1) /* it is inferred */
#define HV_NONE (-2) /* there is none */
#define HV_ROOT (-3) /* the guest's pcie.0 */
"""

HEADER_TABLE = """\
struct config {
	struct host_config host;
	struct vm_config vm[HV_VM_SLOTS];
};

enum symbol_type {
	SYM_BOOL, /* bool */
	SYM_INT, /* int64_t */
	SYM_NUMBER, /* int64_t: a number, or HV_AUTO, HV_NONE, HV_ROOT */
	SYM_ENUM, /* int: position among the values */
	SYM_STRING, /* char[size], as are the others */
	SYM_BDF,
	SYM_ID,
	SYM_PATH,
	SYM_UUID,
	SYM_MAC,
	SYM_CPUS,
	SYM_SECRET, /* a hash that nothing may show */
};

struct symbol {
	const char *name; /* its last part: "MEMORY_MIB" */
	enum symbol_scope scope;
	enum symbol_type type;
	uint32_t offset; /* of the field, inside the scope's struct */
	uint32_t size; /* of the field, bytes */
	int64_t min;
	int64_t max;
	const char *def; /* the default, as a manifest would say it without quotes */
	const char *values; /* words that it can be, separated by spaces; else NULL */
	bool cmdline; /* may be set on the kernel command line */
};

#ifdef HV_SYMBOL_TABLE
static const struct symbol hv_symbols[] = {"""


def header(symbols: dict[str, list[Symbol]], slots: dict[str, int]) -> str:
    """symbols.h."""
    lines = [HEADER_TOP.rstrip("\n")]
    lines += [f"#define HV_{name}_SLOTS {count}" for name, count in slots.items()] + [""]
    for scope in SCOPES:
        lines += c_enums(scope, symbols[scope.name])
    for scope in SCOPES:
        lines += c_struct(scope, symbols[scope.name])
    lines += [f"enum symbol_scope {{ {', '.join(f'SCOPE_{scope.name}' for scope in SCOPES)} }};", ""]
    lines.append(HEADER_TABLE)
    for scope in SCOPES:
        lines += [c_entry(scope, symbol) for symbol in symbols[scope.name]]
    lines += ["};", "#endif", "", "#endif"]
    return "\n".join(lines) + "\n"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text)
    part.replace(path)


def read_scopes(folder: Path) -> dict[str, list[Symbol]]:
    """The checked symbols of every template."""
    symbols: dict[str, list[Symbol]] = {}
    for scope in SCOPES:
        symbols[scope.name] = parse(folder / scope.file)
        seen: set[str] = set()
        for symbol in symbols[scope.name]:
            check(symbol, scope.prefix)
            if symbol.name in seen:
                symbol.fail("is there twice")
            seen.add(symbol.name)
    return symbols


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--templates", type=Path, required=True, help="folder of the templates")
    parser.add_argument("--slots", type=slot_count, nargs="+", required=True, metavar="NAME=COUNT")
    parser.add_argument("--menus", type=Path, required=True, help="folder for host.in and vm.in")
    parser.add_argument("--header", type=Path, required=True, help="symbols.h")
    parser.add_argument("kconfig", type=Path, nargs="*", help="other Kconfig files, to be checked")
    args = parser.parse_args()
    slots = dict(args.slots)
    try:
        if missing := {name for inner in INSIDE.values() for name in inner} - set(slots):
            raise Fault(f"slots: how many of {', '.join(sorted(missing))}?")
        for path in args.kconfig:
            parse(path)
        symbols = read_scopes(args.templates)
        menus = {name.lower(): expand(args.templates, name.lower(), slots, {}) for name in MENUS}
    except Fault as fault:
        print(f"{Path(sys.argv[0]).name}: {fault}", file=sys.stderr)
        return 1
    for name, lines in menus.items():
        write(args.menus / f"{name}.in", "\n".join(lines) + "\n")
    write(args.header, header(symbols, slots))
    return 0


if __name__ == "__main__":
    sys.exit(main())
