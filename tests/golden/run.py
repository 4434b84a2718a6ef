# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares what the tool prints for recorded machines: run.py HVINIT RESULT.xml

Each folder beside this file is a case. One with a transcript, commands and what they print
(transcript.py), has what they read beside it; of any other the files are:
    config    a defconfig (Kconfig adds the defaults, as for a user)
    domain.xml   instead of it, or with config's lines over it: a libvirt domain to be imported
    machine   a host record: what "hvinit record" printed, or an invented one; without it the
              manifest is checked alone
    files     if it is there: what the image holds, a path a line; else no files are looked for
    argv      expected output of "hvinit argv", whole
    devices   the same, but only the lines of the PCI topology
    controllers  of those only pxb-pcie, root ports and SMMUs: what libvirt's own tests have in
              common with hvinit, which passes no device by its address ("host":)
    import    expected output of "hvinit import", .config lines first
    plan      expected output of "hvinit plan"
    check     expected output of "hvinit check"
    kconfig   expected output of "hvinit record --kconfig", which must also merge into config
    tree      what the machine's /sys, /proc and the image held (record.py): it must be recorded
              as machine
Of every case, what is printed with --json must also be as docs/schema/ says, and a plan must fit
into 80 columns.
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

import record
import schema
import transcript

HERE = Path(__file__).parent
COLUMNS = 80
DESCRIPTOR = re.compile(r'("fd":"|\bfd=)(\d+|@[\w-]+@)')  # the latter in libvirt's tests
TOPOLOGY = re.compile(r"-(device|object) '\{\"(driver|qom-type\":\"iommufd)\"")
CONTROLLERS = re.compile(r"-device '\{\"driver\":\"(pxb-pcie|pcie-root-port|arm-smmuv3[^\"]*)\"")
COMMANDS = ("import", "argv", "devices", "controllers", "plan", "check")
LINES = {"devices": TOPOLOGY, "controllers": CONTROLLERS}  # of argv
CASE = ("*/config", "*/domain.xml", "*/transcript")  # one of these makes a folder a case
SYMBOL = re.compile(r"(?:# )?(\w+)(?:=| is not set)")


def machine_of(case: Path, command: str, work: Path) -> list[str]:
    """The options that tell a command of the case's machine and image."""
    words = ["--host", str(case / "machine")]
    if not (case / "machine").exists():
        words = ["--no-machine"] if command == "check" else ["--root", str(work)]
    if command == "check" and (case / "files").exists():
        lines = [line for line in (case / "files").read_text().splitlines() if line[:1] != "#"]
        files = work / "files"
        files.write_text("".join(f"/{line}\n" for line in lines))
        words += ["--files", str(files)]
    return words


def run_import(hvinit: str, case: Path) -> subprocess.CompletedProcess[str]:
    words = [hvinit, "--host", case / "machine", "import", case / "domain.xml"]
    return subprocess.run(words, check=False, capture_output=True, text=True)


def make_defconfig(hvinit: str, case: Path) -> str:
    """The case's .config lines; of a symbol that comes again the last."""
    parts = [run_import(hvinit, case).stdout] if (case / "domain.xml").exists() else []
    if (case / "config").exists():
        parts.append((case / "config").read_text())
    lines = [line for part in parts for line in part.splitlines() if SYMBOL.match(line)]
    return "".join({SYMBOL.match(line)[1]: f"{line}\n" for line in lines}.values())


def make_manifest(hvinit: str, case: Path, work: Path) -> Path:
    """The manifest a user would get of the case's config."""
    defconfig, config, manifest = work / "defconfig", work / "config", work / "manifest"
    defconfig.write_text(make_defconfig(hvinit, case))
    env = os.environ | {"CONFIG_": "", "KCONFIG_CONFIG": str(config)}
    command = ["kconfig-conf", f"--defconfig={defconfig}", "Kconfig"]
    kconfig = subprocess.run(
        command, env=env, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if "warning" in kconfig.stderr:
        raise ValueError(kconfig.stderr)
    with manifest.open("w") as out:
        subprocess.run([hvinit, "manifest", config], stdout=out, check=True)
    return manifest


def run_tool(hvinit: str, command: str, options: list[str], manifest: Path) -> str:
    tool = "argv" if command in LINES else command
    name = re.search(r'^VM0_NAME="(.*)"$', manifest.read_text(), re.MULTILINE)
    words = [hvinit, tool, *options, str(manifest)]
    if tool == "argv" and name:
        words.append(name[1])
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    lines = (done.stdout + done.stderr).splitlines(keepends=True)
    if command in LINES:
        lines = [line for line in lines if LINES[command].match(line)]
    return "".join(lines)


def printed_by(hvinit: str, case: Path, command: str, options: list[str], manifest: Path) -> str:
    if command != "import":
        return run_tool(hvinit, command, options, manifest)
    done = run_import(hvinit, case)
    return f"{done.stdout}{done.stderr}exit status {done.returncode}\n"


def compare(expected: Path, printed: str) -> str:
    """What is different, or nothing."""
    numbers = [match[2] for match in DESCRIPTOR.finditer(printed)]
    if len(numbers) != len(set(numbers)):
        return f"descriptors used twice: {numbers}"
    want = DESCRIPTOR.sub(r"\1N", expected.read_text()).splitlines()
    got = DESCRIPTOR.sub(r"\1N", printed).splitlines()
    return "\n".join(difflib.unified_diff(want, got, str(expected), "printed", lineterm=""))


def too_wide(plan: str) -> str:
    """Lines of a plan that a terminal would break; paths are as long as somebody made them."""
    lines = [line for line in plan.splitlines() if not line.startswith("hvinit: ")]
    return "".join(f"{line}\n" for line in lines if len(line) > COLUMNS and "/" not in line)


def judge(case: str, name: str, fault: str) -> ElementTree.Element:
    """A test's result; a fault is printed, too."""
    result = ElementTree.Element("testcase", classname=case, name=name)
    if fault:
        print(f"--- {case}: {name}\n{fault}")
        ElementTree.SubElement(result, "failure", message="differs").text = fault
    return result


def run_case(hvinit: str, case: Path) -> list[ElementTree.Element]:
    with tempfile.TemporaryDirectory() as folder:
        told = transcript.check(hvinit, case, Path(folder), compare)
        results = [judge(case.name, name, fault) for name, fault in told]
        if results:
            return results
        manifest = make_manifest(hvinit, case, Path(folder))
        for command in COMMANDS:
            if not (case / command).exists():
                continue
            options = machine_of(case, command, Path(folder))
            fault = compare(case / command, printed_by(hvinit, case, command, options, manifest))
            results.append(judge(case.name, command, fault))
        for name, fault in record.check(hvinit, case, Path(folder), compare):
            results.append(judge(case.name, name, fault))
        options = machine_of(case, "plan", Path(folder))
        wide = too_wide(run_tool(hvinit, "plan", options, manifest))
        results.append(judge(case.name, "plan in 80 columns", wide))
        checked = machine_of(case, "check", Path(folder))
        for name, fault in schema.check_output(hvinit, options, checked, manifest):
            results.append(judge(case.name, name, fault))
    return results


def main(hvinit: str, result: Path) -> int:
    suite = ElementTree.Element("testsuite", name="golden")
    suite.extend(judge("docs/schema", name, fault) for name, fault in schema.check_schemas())
    for case in sorted({path.parent for name in CASE for path in HERE.glob(name)}):
        suite.extend(run_case(hvinit, case))
    failed = sum(1 for test in suite if len(test))
    print(f"  golden           {len(suite) - failed} passed, {failed} failed")
    result.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(suite).write(result, encoding="utf-8", xml_declaration=True)
    return 1 if failed or not len(suite) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
