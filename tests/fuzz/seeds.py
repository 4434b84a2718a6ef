# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes what the fuzzers begin with and the repository does not hold: seeds.py FOLDER

FOLDER/NAME.dict    words of the format of fuzzer NAME
FOLDER/acpi/*       IORT and SRAT tables, right and wrong ones
FOLDER/pe/*         PE files, whole and cut off
FOLDER/console/*    what is typed, with bytes that no keyboard sends
FOLDER/NAME/*       the golden tests' files of that format
"""

import re
import shutil
import struct
import sys
from pathlib import Path


def write_dictionary(path: Path, words: set[str]) -> None:
    """In libFuzzer's form: strings with \\xHH for what is not plain."""
    lines = (
        "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else f"\\x{ord(c):02x}" for c in word)
        for word in sorted(words)
    )
    path.write_text("".join(f'"{line}"\n' for line in lines if line))


def symbols() -> set[str]:
    """Last parts of all symbols, the words that they can have, and some whole ones."""
    table = Path("build/include/symbols.h").read_text()
    entries = re.findall(r'^\t\{ "(\w+)", SCOPE_(\w+), .*?, (?:"([^"]*)"|NULL), (?:true|false)', table, re.MULTILINE)
    stems = {
        "HOST": "HOST_", "BRIDGE": "HOST_BRIDGE0_", "VM": "VM0_", "HOSTDEV": "VM0_HOSTDEV1_",
        "VSMMU": "VM0_VSMMU0_", "PORT": "VM0_PORT0_", "DISK": "VM0_DISK0_", "NET": "VM0_NET0_",
    }
    words = {f"\n{stems[scope]}{name}=" for name, scope, _ in entries}
    words |= {f'"{word}"' for _, _, values in entries for word in values.split()}
    return words | {"=y", "=n", '"0000:01:00.0"', '"0001:01:00.0"', "VM1_", "VM7_", "HOSTDEV15_"}


def xml_words() -> set[str]:
    """Names of elements and attributes that the import looks for."""
    text = "".join(path.read_text() for path in sorted(Path("init").glob("domain*")))
    names = {part for path in re.findall(r'"([\w/@:]+)"', text) for part in re.split("[/@]", path)}
    words = {f"<{name}>" for name in names} | {f" {name}='" for name in names if name}
    return words | {"</", "/>", "'>", "<![CDATA[", "]]>", "<!--", "-->", "&amp;", "&#x9b;", "0x"}


def record_words() -> set[str]:
    text = "".join(Path("init", name).read_text() for name in ("facts_text.c", "facts_word.c"))
    words = {f" {key}=" for key in re.findall(r'^\t[A-Z]+\w*\("(\w+)",', text, re.MULTILINE)}
    kinds = ("machine", "kernel", "driver", "node", "smmu", "device")
    return words | {f"\n{kind} " for kind in kinds} | set(re.findall(r'"(\w+)"', text))


def qmp_words() -> set[str]:
    """What hvinit looks for in QEMU's messages, and what JSON is made of."""
    text = "".join(path.read_text() for path in (Path("init/qmp.c"), *Path("init").glob("vm*.c")))
    words = {f'"{word}"' for word in re.findall(r'"([A-Za-z_-]+)"', text)}
    return words | {'{"event":', '{"return":{}', '{"error":{"desc":"', '{"QMP":{}}', "}\n", "\\u0000", "[{"}


def console_words() -> set[str]:
    """Commands, their arguments, keys, and the bytes by which fuzz_console.c lets things happen."""
    names = re.findall(r'^COMMAND\("(\w+)"', Path("init/command.def").read_text(), re.MULTILINE)
    lines = {f"{name}{rest}\r" for name in names for rest in ("", " vm", " host", " --json")}
    keys = {"\x1d", "\x03", "\x15", "\x17", "\x1b[A", "\x7f", "console vm\r"}
    return lines | keys | {chr(what) for what in range(0xF7, 0x100)}


# A guest's programs, the password, and rings that are followed; see fuzz_console.c.
CONSOLE = {
    "guest": b"\xf8status --json\n\xf9events\nkill vm\n\xf8\xfb\xfd\xf8log vm -f\nx\n\xf8\xf9poweroff\r\xff",
    "password": b"\xf7poweroff\r\xffstart vm\r\xff\xfa\xfa\xfe\x04\rkill vm\r",
    "follow": b"log host -f\r\xfd\x03events\r\xfe\x03logout\rmetrics\r\xffstatus --json\r\xff",
}


def table(signature: bytes, body: bytes) -> bytes:
    """A table with its header (ACPI 6.5, section 5.2.6)."""
    head = struct.pack("<4sIBB6s8sI4sI", signature, 36 + len(body), 3, 0, b"HVINIT", b"FUZZ", 1, b"", 1)
    return head + body


def node(kind: int, body: bytes, mappings: list[int]) -> bytes:
    """A node of the IORT with ID mappings to other nodes (Arm DEN 0049)."""
    ids = b"".join(struct.pack("<IIIII", 0, 0xFFFF, 0, to, 0) for to in mappings)
    at = 16 + len(body) if mappings else 0
    return struct.pack("<BHBIII", kind, 16 + len(body) + len(ids), 4, 0, len(mappings), at) + body + ids


def iort(count: int, canwbs: int) -> bytes:
    """That many SMMUv3s, each behind a root complex."""
    smmus = [node(4, struct.pack("<Q44x", 0x0C000000 + i * 0x20000), []) for i in range(count)]
    at, nodes = 48, b""
    places = []
    for smmu in smmus:
        places.append(at + len(nodes))
        nodes += smmu
    for place in places:
        nodes += node(2, struct.pack("<IBHBIIB3x", 1, 0, 0, canwbs, 0, 0, 64), [place])
    return table(b"IORT", struct.pack("<III", 2 * count, 48, 0) + nodes)


def srat(count: int) -> bytes:
    """That many generic initiators on PCI (ACPI 6.5, section 5.2.16.6)."""
    body = struct.pack("<I8x", 1)
    for i in range(count):
        body += struct.pack("<BBBBIHH12xII", 5, 32, 0, 1, i, 9, 0x0100, 1, 0)
    return table(b"SRAT", body)


def pe(names: list[bytes], signed: bool) -> bytes:
    """A PE32+ file for arm64 with a section for each name ("PE Format", sections 3 and 4)."""
    directories = [(0, 0)] * 16
    first = 1024
    if signed:
        directories[4] = (first + 64 * len(names), 64)
    optional = struct.pack("<H58xI44xI", 0x20B, first, 16) + b"".join(struct.pack("<II", *d) for d in directories)
    head = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    head += b"PE\0\0" + struct.pack("<HH12xHH", 0xAA64, len(names), len(optional), 0x22) + optional
    for i, name in enumerate(names):
        head += struct.pack("<8sIIII16x", name, 40, 0x1000 * (i + 1), 64, first + 64 * i)
    return head.ljust(first, b"\0") + b"ID=hvinit\n".ljust(64, b"\0") * (len(names) + signed)


def copy_golden(folder: Path, name: str) -> None:
    folder.mkdir()
    for path in Path("tests/golden").glob(f"*/{name}"):
        shutil.copy(path, folder / path.parent.name)


def main(folder: Path) -> None:
    (folder / "acpi").mkdir(parents=True)
    for fuzzer, name in ("manifest", "config"), ("import", "domain.xml"), ("record", "machine"):
        copy_golden(folder / fuzzer, name)
    for name, words in ("manifest", symbols()), ("import", xml_words()), ("record", record_words()):
        write_dictionary(folder / f"{name}.dict", words)
    write_dictionary(folder / "qmp.dict", qmp_words())
    write_dictionary(folder / "console.dict", console_words())
    write_dictionary(folder / "text.dict", {f"hvinit.{word.strip()}" for word in symbols()} | {"\x1b["})
    (folder / "console").mkdir()
    for name, typed in CONSOLE.items():
        (folder / "console" / name).write_bytes(typed)
    tables = {"none": b"", "iort-1": iort(1, 1), "iort-4": iort(4, 4), "srat-1": srat(1), "srat-8": srat(8)}
    for name, text in tables.items():
        (folder / "acpi" / name).write_bytes(text)
        (folder / "acpi" / f"{name}-cut").write_bytes(text[: len(text) * 2 // 3])
    (folder / "pe").mkdir()
    files = {"none": pe([], False), "unsigned": pe([b".osrel", b".initrd"], False)}
    files["signed"] = pe([b".osrel", b".uname", b".initrd", b".dtbauto"], True)
    for name, text in files.items():
        (folder / "pe" / name).write_bytes(text)
        (folder / "pe" / f"{name}-cut").write_bytes(text[:-1])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
