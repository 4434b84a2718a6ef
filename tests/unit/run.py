# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs cmocka programs and joins their results: run.py RESULT.xml PROGRAM…

A program that ends without a result, or with a fault after its last test (a leak), is a failed
test of its own, with what it printed.
"""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

TIME_LIMIT = 120  # seconds; all of them together take about one


def printable(text: str) -> str:
    """XML has no way to say most control characters."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def failure(program: str, text: str) -> ElementTree.Element:
    case = ElementTree.Element("testcase", name="runs to its end", classname=program)
    ElementTree.SubElement(case, "failure", message=f"{program} failed").text = printable(text)
    return case


def run(program: Path) -> ElementTree.Element:
    """The program's test suite."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.xml")
        env = os.environ | {
            "CMOCKA_MESSAGE_OUTPUT": "xml",
            "CMOCKA_XML_FILE": str(result),
            "TMPDIR": folder,
        }
        try:
            done = subprocess.run(
                [program], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, timeout=TIME_LIMIT, check=False,
            )
            status, text = done.returncode, done.stdout.decode(errors="replace")
        except subprocess.TimeoutExpired as late:
            status, text = -1, f"still running after {late.timeout} s"
        suite = ElementTree.Element("testsuite", name=program.name)
        try:
            suite.extend(ElementTree.parse(result).iter("testcase"))
        except (OSError, ElementTree.ParseError) as error:
            text += f"\n(no result: {error})"
    for case in suite:
        case.set("classname", program.name)
        for fault in case.iter("failure"):  # cmocka leaves what fail_msg() says on the stream
            fault.text = printable(f"{(fault.text or '').strip()}\n{text.strip()}")
    failed = sum(1 for case in suite if case.find("failure") is not None)
    if not len(suite) or status != failed:
        suite.append(failure(program.name, f"exit status {status}\n{text}"))
    return suite


def report(suite: ElementTree.Element) -> int:
    """Prints what failed; the number of failures."""
    failed = [case for case in suite if case.find("failure") is not None]
    skipped = sum(1 for case in suite if case.find("skipped") is not None)
    passed = len(suite) - len(failed) - skipped
    note = f", {skipped} skipped" if skipped else ""
    print(f"  {suite.get('name'):16} {passed} passed, {len(failed)} failed{note}")
    for case in failed:
        print(f"    {case.get('name')}:\n{(case.find('failure').text or '').strip()}")
    return len(failed)


def main(result: Path, programs: list[Path]) -> int:
    suites = ElementTree.Element("testsuites")
    suites.extend([run(program) for program in programs])
    result.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(suites).write(result, encoding="utf-8", xml_declaration=True)
    return 1 if sum([report(suite) for suite in suites]) else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]))
