# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares what the tool prints for invented machines: run.py HVINIT RESULT.xml

Each folder beside this file is a case:
    config    a defconfig (Kconfig adds the defaults, as for a user)
    machine   what there is, a line each:
                  device BDF [class=…] [smmu=…] [group=…] [driver=…] [bar=BYTES] [bridge=yes]
                  driver NAME
                  file PATH
                  memory MIB
    argv      expected output of "hvinit argv", whole
    devices   the same, but only the lines of the PCI topology
    plan      expected output of "hvinit plan"
    check     expected output of "hvinit check"
Descriptor numbers are hvinit's to choose: they count as equal, but no two may be the same.
"""

import difflib
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

HERE = Path(__file__).parent
DESCRIPTOR = re.compile(r'("fd":"|\bfd=)(\d+)')
TOPOLOGY = re.compile(r"-(device|object) '\{\"(driver|qom-type\":\"iommufd)\"")
COMMANDS = ("argv", "devices", "plan", "check")


def put(root: Path, path: str, data: bytes = b"") -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def put_device(root: Path, bdf: str, what: dict[str, str]) -> None:
    """The files that sysfs has for a PCI device."""
    folder = f"sys/bus/pci/devices/{bdf}"
    if "bridge" in what:
        put(root, f"{folder}/secondary_bus_number", b"1\n")
    put(root, f"{folder}/class", what.get("class", "0x000000").encode() + b"\n")
    put(root, f"{folder}/vendor", b"0x1234\n")
    put(root, f"{folder}/device", b"0x5678\n")
    if "bar" in what:
        last = 0x10000000 + int(what["bar"]) - 1
        put(root, f"{folder}/resource", f"0x10000000 0x{last:x} 0x140204\n".encode())
    for link, above in ("driver", "bus/pci/drivers"), ("iommu", "iommu"), (
        "iommu_group",
        "kernel/iommu_groups",
    ):
        name = what.get({"iommu": "smmu", "iommu_group": "group"}.get(link, link))
        if name:
            (root / folder / link).symlink_to(f"../../../../{above}/{name}")


def make_machine(root: Path, description: Path) -> None:
    for line in description.read_text().splitlines():
        words = line.partition("#")[0].split()
        match words:
            case []:
                pass
            case ["device", bdf, *rest]:
                put_device(root, bdf, dict(word.split("=", 1) for word in rest))
            case ["driver", name]:
                put(root, f"sys/bus/pci/drivers/{name}/bind")
            case ["file", path]:
                put(root, path)
            case ["memory", mib]:
                put(root, "proc/meminfo", f"MemTotal: {int(mib) * 1024} kB\n".encode())
            case _:
                raise ValueError(f"{description}: {line!r} is not understood")


def make_manifest(hvinit: str, case: Path, work: Path) -> Path:
    """The manifest a user would get of the case's config."""
    config, manifest = work / "config", work / "manifest"
    env = os.environ | {"CONFIG_": "", "KCONFIG_CONFIG": str(config)}
    command = ["kconfig-conf", f"--defconfig={case / 'config'}", "Kconfig"]
    kconfig = subprocess.run(
        command, env=env, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if "warning" in kconfig.stderr:
        raise ValueError(kconfig.stderr)
    with manifest.open("w") as out:
        subprocess.run([hvinit, "manifest", config], stdout=out, check=True)
    return manifest


def run_tool(hvinit: str, command: str, root: Path, manifest: Path) -> str:
    tool = "argv" if command == "devices" else command
    name = re.search(r'^VM0_NAME="(.*)"$', manifest.read_text(), re.MULTILINE)
    words = [hvinit, tool, "--root", str(root), str(manifest)]
    if tool == "argv" and name:
        words.append(name[1])
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    lines = (done.stdout + done.stderr).splitlines(keepends=True)
    if command == "devices":
        lines = [line for line in lines if TOPOLOGY.match(line)]
    return "".join(lines)


def compare(expected: Path, printed: str) -> str:
    """What is different, or nothing."""
    numbers = [match[2] for match in DESCRIPTOR.finditer(printed)]
    if len(numbers) != len(set(numbers)):
        return f"descriptors used twice: {numbers}"
    want = DESCRIPTOR.sub(r"\1N", expected.read_text()).splitlines()
    got = DESCRIPTOR.sub(r"\1N", printed).splitlines()
    return "\n".join(difflib.unified_diff(want, got, str(expected), "printed", lineterm=""))


def run_case(hvinit: str, case: Path) -> list[ElementTree.Element]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "root")
        root.mkdir()
        results = []
        make_machine(root, case / "machine")
        manifest = make_manifest(hvinit, case, Path(folder))
        for command in COMMANDS:
            if not (case / command).exists():
                continue
            result = ElementTree.Element("testcase", classname=case.name, name=command)
            fault = compare(case / command, run_tool(hvinit, command, root, manifest))
            if fault:
                print(fault)
                ElementTree.SubElement(result, "failure", message="differs").text = fault
            results.append(result)
    return results


def main(hvinit: str, result: Path) -> int:
    suite = ElementTree.Element("testsuite", name="golden")
    for case in sorted(path.parent for path in HERE.glob("*/machine")):
        suite.extend(run_case(hvinit, case))
    failed = sum(1 for test in suite if len(test))
    print(f"  golden           {len(suite) - failed} passed, {failed} failed")
    result.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(suite).write(result, encoding="utf-8", xml_declaration=True)
    return 1 if failed or not len(suite) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
