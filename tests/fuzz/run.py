# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the fuzzers for some seconds each: run.py FOLDER SECONDS RESULT.xml NAME…

The programs are FOLDER/fuzz_NAME. What they find of use goes on in FOLDER/corpus/NAME, an input that
breaks something to FOLDER/broken/NAME-*. Each fuzzer is a test; that it did work counts, too.
"""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
AT_A_TIME = 4
FEWEST = 100  # executions; a fuzzer that does less than that in its time does nothing
OPTIONS = ("-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1")
LONGEST = {
    "manifest": 16384, "import": 16384, "record": 8192, "acpi": 2048, "text": 2048, "qmp": 16384,
    "console": 1024, "pe": 4096,
}


def command(program: Path, folder: Path, seconds: int) -> list[str]:
    name = program.name.removeprefix("fuzz_")
    found, broken = folder / "corpus" / name, folder / "broken"
    for place in found, broken:
        place.mkdir(parents=True, exist_ok=True)
    words = [
        str(program), *OPTIONS, f"-max_total_time={seconds}", f"-max_len={LONGEST[name]}",
        f"-artifact_prefix={broken}/{name}-", str(found),
    ]
    if (folder / "seeds" / f"{name}.dict").exists():
        words.insert(1, f"-dict={folder}/seeds/{name}.dict")
    seeds = (HERE / "corpus" / name, folder / "seeds" / name)
    return words + [str(place) for place in seeds if place.is_dir()]


def last_of(pattern: str, text: str) -> int:
    """The number in the last line that the pattern finds; 0 when there is none."""
    return int((re.findall(pattern, text) or ["0"])[-1])


def run(program: Path, folder: Path, seconds: int) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname="fuzz", name=program.name)
    done = subprocess.run(
        ["nice", *command(program, folder, seconds)], check=False, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ | {"LC_ALL": "C"},
        timeout=seconds + 300,
    )
    text = done.stdout.decode(errors="replace")
    executions = last_of(r"stat::number_of_executed_units:\s+(\d+)", text)
    covered, corpus = last_of(r"cov: (\d+)", text), last_of(r"corp: (\d+)", text)
    print(f"  {program.name:16} {executions:>10} runs, {covered:>6} edges, {corpus:>5} inputs of use")
    fault = ""
    if done.returncode:
        said = "".join(line for line in text.splitlines(True) if not line.startswith("#"))
        fault = "".join(c if c.isprintable() or c == "\n" else "?" for c in said[-8000:])
    elif executions < FEWEST:
        fault = f"{executions} executions in {seconds} s\n{text[-2000:]}"
    if fault:
        print(fault)
        ElementTree.SubElement(case, "failure", message=program.name).text = fault
    return case


def main(folder: Path, seconds: int, result: Path, names: list[str]) -> int:
    programs = [folder / f"fuzz_{name}" for name in names]
    suite = ElementTree.Element("testsuite", name="fuzz")
    with ThreadPoolExecutor(max_workers=min(AT_A_TIME, os.cpu_count() or 1)) as pool:
        suite.extend(pool.map(lambda program: run(program, folder, seconds), programs))
    failed = sum(1 for test in suite if len(test))
    print(f"  fuzz             {len(suite) - failed} passed, {failed} failed")
    result.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(suite).write(result, encoding="utf-8", xml_declaration=True)
    return 1 if failed or not len(suite) else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:]))
