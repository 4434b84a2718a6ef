#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints what a manifest can say, in Markdown, from the templates in init/kconfig/.

fields.py TEMPLATES NAME=COUNT… : docs/manifest.md is its head, and then this.
"""

import re
import sys
import textwrap
from pathlib import Path

import symbols

WIDTH = 100

# In the order of the menus: what the slot is, and what its symbols are called.
TITLES = {
    "HOST": ("The host", "HOST_"),
    "BRIDGE": ("Bridges of the host", "HOST_BRIDGE<n>_"),
    "VM": ("Virtual machines", "VM<n>_"),
    "HOSTDEV": ("Devices of the host that a virtual machine has", "VM<n>_HOSTDEV<m>_"),
    "DISK": ("Disks of a virtual machine", "VM<n>_DISK<m>_"),
    "NET": ("Network interfaces of a virtual machine", "VM<n>_NET<m>_"),
    "VSMMU": ("SMMUs of a virtual machine", "VM<n>_VSMMU<m>_"),
    "PORT": ("Spare root ports of a virtual machine", "VM<n>_PORT<m>_"),
}

FORMS = {
    "BOOL": "y or n",
    "BDF": "a PCI address or nothing",
    "ID": "a name of {size} characters at most",
    "PATH": "an absolute path of {size} bytes at most, or nothing",
    "UUID": "a UUID or nothing",
    "MAC": "an Ethernet address or nothing",
    "SECRET": "a hash of {size} characters at most, or nothing",
    "CPUS": "a list of CPUs, or nothing",
    "STRING": "text of {size} bytes at most",
}


def values(symbol: symbols.Symbol) -> str:
    """What the symbol can be."""
    words = [f"`{word}`" for word in symbol.values]
    if symbol.kind in ("INT", "NUMBER"):
        unit = re.search(r" to [0-9]+( [A-Za-z]+)\)$", symbol.prompt)
        words.append(f"{symbol.low} to {symbol.high}{unit[1] if unit else ''}")
    if words:
        return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
    return FORMS[symbol.kind].format(size=symbol.size - 1)


def code(text: str) -> str:
    """Elements of XML and symbols as code, so that Markdown takes none for HTML."""
    parts = re.split(r"((?:<[^<>]*>)+|\b(?:HOST|VM<n>)(?:_[A-Z0-9]+|<[a-z]>)+)", text)
    for at in range(1, len(parts), 2):
        parts[at] = f"`{parts[at]}`"
    return "".join(parts)


def paragraphs(lines: list[str]) -> list[str]:
    """A help text, laid out anew."""
    texts = "\n".join(lines).strip().split("\n\n")
    wrapped = [
        textwrap.fill(
            code(" ".join(text.split())), WIDTH, break_long_words=False, break_on_hyphens=False
        )
        for text in texts
    ]
    return "\n\n".join(wrapped).splitlines()


def describe(symbol: symbols.Symbol, name: str) -> list[str]:
    """A symbol's section."""
    facts = [
        ("Values", values(symbol)),
        ("Default", f"`{symbol.default}`" if symbol.default else "empty"),
    ]
    if symbol.libvirt:
        facts.append(("libvirt", code(symbol.libvirt)))
    if symbol.cmdline:
        facts.append(("Kernel command line", f"`hvinit.{name}=…`"))
    table = [f"| {fact} | {text} |" for fact, text in facts]
    prompt = re.sub(r" \((?:[a-z0-9-]+, |[0-9]+ to )[^()]*\)$", "", symbol.prompt)
    return [
        f"### `{name}`", "", f"| | {code(prompt)} |", "|---|---|", *table, "",
        *paragraphs(symbol.help), "",
    ]


def main(folder: Path, slots: dict[str, int]) -> None:
    scopes = {scope.name: scope for scope in symbols.SCOPES}
    fields = symbols.read_scopes(folder)
    lines: list[str] = []
    for name, (title, prefix) in TITLES.items():
        lines += [f"## {title}: `{prefix}*`", ""]
        if name in slots:
            each = " in each virtual machine" if name in symbols.INSIDE["VM"] else ""
            lines += [f"{slots[name]} slots{each}, numbered from 0.", ""]
        for symbol in fields[name]:
            lines += describe(symbol, prefix + symbol.name.removeprefix(scopes[name].prefix))
    print("\n".join(lines).rstrip())


if __name__ == "__main__":
    main(Path(sys.argv[1]), dict(symbols.slot_count(word) for word in sys.argv[2:]))
