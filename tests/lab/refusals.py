# SPDX-License-Identifier: GPL-2.0-or-later
"""What the real QEMU refuses, so that the rules that foretell it stay true.

QEMU is started in the appliance's rescue shell, once for each case of refusal_cases.py. It refuses,
or it is told to quit.
"""

import re
import struct
from dataclasses import dataclass, field

from .paths import HVINIT, ROOT, run
from .refusal_cases import BACKED, BDFS, CASES
from .words import Words

MACHINE = ROOT / "tests/golden/lab/machine"  # a host record of the topology FIRST_LIGHT
CATALOGUE = ROOT / "init/refusal.def"
DIAGNOSTICS = ROOT / "init/diag.def"
SCRIPT = "lab/refusals.sh"


@dataclass
class Outcome:
    """What one run of QEMU gave."""

    status: int = -1
    lines: list[str] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        return any('"status": "prelaunch"' in line for line in self.lines)

    def codes(self) -> list[str]:
        """The codes of all lines that are known, in their order."""
        return [code for line in self.lines if (code := code_of(line))]


def base(manifest: bytes) -> Words:
    """The planned words, with QEMU opening by itself what hvinit would pass, and its monitor on
    standard input."""
    words = Words.planned(manifest, MACHINE, "demo")
    words.drop_option("-chardev", "-serial", "-sandbox", "-kernel", "-initrd", "-append")
    words.drop("mon0")
    words.set("iommufd0", fd=None)
    for hostdev, bdf in BDFS.items():
        words.set(hostdev, fd=None, host=bdf)
    words.add("-qmp", "stdio")
    return words


_PREPARE = """\
# SPDX-License-Identifier: GPL-2.0-or-later
# Starts QEMU once for each case, in a shell of its own: what is set for it is gone in the next.
exec 2>&1
ask() { echo '{"execute":"qmp_capabilities"}{"execute":"query-status"}'; }
quit() { ask; echo '{"execute":"quit"}'; }
hold() {
	busybox mkfifo /tmp/holder
	eval "$HOLDER" </tmp/holder >/tmp/held &
	exec 8>/tmp/holder
	ask >&8
	until busybox grep -q prelaunch /tmp/held; do busybox usleep 20000; done
}
release() { echo '{"execute":"quit"}' >&8; exec 8>&-; wait; }
"""


def script(manifest: bytes) -> bytes:
    """The shell script that runs every case."""
    words = base(manifest)
    holder = words.copy()
    holder.drop("hostdev1", "iommu1")
    lines = [_PREPARE + f"HOLDER={_quoted(holder.text())}"]
    lines += [f"echo {bdf} >/sys/bus/pci/drivers_probe" for bdf in BDFS.values()]
    for number, case in enumerate(CASES):
        changed = words.copy()
        case.change(changed)
        lines.append(f"echo '== case {number}'\n({case.before or ':'}")
        text = changed.text()
        if case.prefix:
            program, _, rest = text.partition(" ")
            text = f"{case.prefix} {program} -- {rest}"
        # Files of their own: QEMU's monitor makes its output non-blocking, and words may be lost.
        lines.append(f"quit | busybox timeout 60 {text} >/tmp/answers 2>/tmp/words")
        lines.append('status=$?; busybox cat /tmp/words /tmp/answers; echo "== status $status"')
        lines.append(f"{case.after or ':'})")
    return "\n".join([*lines, "echo '== end'", ""]).encode()


def _backed() -> bytes:
    """An empty qcow2 image, version 2, that names another one (QEMU, docs/interop/qcow2.rst)."""
    cluster, behind = 1 << 16, b"other.img"
    name_at, tables = 96, (3 * cluster, cluster)
    fields = (b"QFI\xfb", 2, name_at, len(behind), 16, 1 << 20, 0, 1, *tables, 1, 0, 0)
    image = bytearray(4 * cluster)
    struct.pack_into(">4sIQIIQIIQQIIQ", image, 0, *fields)
    image[name_at : name_at + len(behind)] = behind
    struct.pack_into(">Q", image, cluster, 2 * cluster)
    struct.pack_into(">4H", image, 2 * cluster, 1, 1, 1, 1)
    return bytes(image)


def files(manifest: bytes) -> dict[str, bytes]:
    return {SCRIPT: script(manifest), BACKED: _backed()}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def outcomes(printed: str) -> list[Outcome]:
    """What the script printed, case by case."""
    found = []
    for part in re.split(r"^== case \d+$", printed, flags=re.MULTILINE)[1:]:
        said, _, status = part.partition("== status ")
        lines = [line for line in said.splitlines() if line]
        found.append(Outcome(int(status.split()[0]) if status else -1, lines))
    return found


def code_of(line: str) -> str:
    """The code that a line of QEMU's stands for, or an empty string."""
    try:
        explained = run([HVINIT, "explain", line]).decode()
    except RuntimeError:
        return ""
    found = re.match(r"### ([A-Z0-9-]+) ", explained)
    return found[1] if found else ""


def appear(words: str, text: str) -> bool:
    """Whether WORDS of the catalogue are in a line of TEXT."""
    return bool(re.search(".*".join(map(re.escape, words.split("*"))), text))


def catalogue() -> list[str]:
    """The words of every refusal that hvinit knows."""
    text = CATALOGUE.read_text()
    found = re.findall(r'^REFUSAL\(\w+, "((?:[^"\\]|\\.)*)",', text, re.MULTILINE)
    return [re.sub(r"\\(.)", r"\1", words) for words in found]


def foretold() -> set[str]:
    """The codes of findings that only foretell what QEMU or the kernel would say."""
    text = DIAGNOSTICS.read_text()
    return set(re.findall(r'^DIAG\(\w+, "([^"]+)", REFUSED,', text, re.MULTILINE))
