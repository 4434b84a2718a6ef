# SPDX-License-Identifier: GPL-2.0-or-later
"""Looks at the sources without running them: lint.py RESULT.xml SLOTS CFLAGS…

Every check is a test of its own. SLOTS is how many slots of each kind there
are (NAME=COUNT …), CFLAGS are those of the build machine's compiler.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

Case = tuple[str, str, Callable[[], str]]  # what is looked at, how, and what is found

SPDX = "SPDX-License-Identifier: GPL-2.0-or-later"
# Recorded output and links have no place for a comment.
NO_SPDX = re.compile(r"tests/golden/[^/]+/(argv|devices|controllers|plan|check|config|import|kconfig)$|_defconfig$|^LICENSE$")
CORPUS = "tests/fuzz/corpus/"  # inputs that a fuzzer has made up
# Only what is built may know where packages come from, and nothing where it was written.
HOSTS = re.compile(
    r"\b(?:deb|ftp|security|snapshot|cdn|mirror|proxy|registry|index|static)(?:\.[a-z0-9-]+)+"
    r"\.(?:org|io|com|net|dev)\b"
)
PLACES = re.compile(r"(?<![\w.])/(?:wor[k]|roo[t]|hom[e])/\w|\.\./share[d]")
KERNEL_FILES = re.compile(r'"/?(?:sys|dev(?!/fdset)|proc)/')  # /dev/fdset is QEMU's, not the kernel's
PROGRAMS = ("init", "rootfs/demo")  # folders of C that is built
COMMENT = re.compile(r"^#(?! \w+ is not set$).*\n", re.MULTILINE)  # of a defconfig
SYMBOL = re.compile(r"\b((?:HOST|VM\d)_[A-Z][A-Z0-9_]*)\b")
SHELL = re.compile(r"#!\s*(/usr)?/bin/(env )?(busybox )?(ba|da)?sh\b")


def output(*command: str | Path) -> str:
    """What a command that fails says; nothing when it succeeds."""
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if done.returncode == 0:
        return ""
    return done.stdout + done.stderr or f"{command[0]}: exit status {done.returncode}"


def sources() -> list[Path]:
    """Every file that git keeps or would keep."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    files = [Path(name) for name in listed.split("\0") if name and not name.startswith(CORPUS)]
    return sorted(path for path in set(files) if path.is_file())


def findings(path: Path, pattern: re.Pattern[str]) -> str:
    lines = path.read_text(errors="replace").splitlines()
    return "".join(
        f"{path}:{number}: {line.strip()}\n"
        for number, line in enumerate(lines, 1)
        if pattern.search(line)
    )


def everywhere(files: list[Path], pattern: re.Pattern[str]) -> str:
    return "".join(findings(path, pattern) for path in files)


# --- C ---


def c_format(files: list[Path]) -> str:
    return output("clang-format", "--dry-run", "--Werror", *files)


def c_tidy(path: Path, cflags: list[str]) -> str:
    return output("clang-tidy", "--quiet", path, "--", *cflags, "-Wno-unknown-warning-option")


def c_header(path: Path, cflags: list[str]) -> str:
    """A header must compile alone, and twice."""
    with tempfile.NamedTemporaryFile("w", suffix=".c") as unit:
        unit.write(f'#include "{path.name}"\n#include "{path.name}"\n')
        unit.flush()
        return output("gcc", "-fsyntax-only", *cflags, unit.name)


def c_cppcheck(cflags: list[str]) -> str:
    defines = [flag for flag in cflags if flag.startswith(("-D", "-I"))]
    return output(
        "cppcheck", "--quiet", "--error-exitcode=1", "--inline-suppr", "--std=c11", "-j4",
        "--enable=warning,performance,portability", "--suppress=missingInclude",
        "--suppress=unknownMacro", "--suppress=normalCheckLevelMaxBranches", *defines, *PROGRAMS,
    )


def c_cases(files: list[Path], cflags: list[str]) -> Iterator[Case]:
    code = [path for path in files if path.suffix in (".c", ".h")]
    yield "every C file", "clang-format", lambda: c_format(code)
    yield "every program", "cppcheck", lambda: c_cppcheck(cflags)
    for path in (path for path in code if str(path.parent) in PROGRAMS):
        if path.suffix == ".c":
            yield str(path), "clang-tidy", lambda path=path: c_tidy(path, cflags)
        else:
            yield str(path), "stands alone", lambda path=path: c_header(path, cflags)
    rooms = [path for path in code if path.match("init/*.c") and not path.name.startswith("sys")]
    yield "init", "only sys*.c name kernel files", lambda: everywhere(rooms, KERNEL_FILES)


# --- scripts ---


def is_shell(path: Path) -> bool:
    with path.open(errors="replace") as file:
        return bool(SHELL.match(file.readline()))


def shellcheck(path: Path) -> str:
    return output("shellcheck", "--external-sources", "--source-path=SCRIPTDIR", path)


def python_syntax(path: Path) -> str:
    try:
        compile(path.read_text(), str(path), "exec")
    except SyntaxError as error:
        return str(error)
    return ""


def script_cases(files: list[Path]) -> Iterator[Case]:
    for path in files:
        if path.suffix == ".sh" or is_shell(path):
            yield str(path), "shellcheck", lambda path=path: shellcheck(path)
        elif path.suffix == ".py":
            yield str(path), "python", lambda path=path: python_syntax(path)


# --- Kconfig ---


def kconfig(option: str, config: Path) -> tuple[str, str]:
    """Runs kconfig-conf on a configuration; its output and its warnings."""
    env = os.environ | {"CONFIG_": "", "KCONFIG_CONFIG": str(config)}
    done = subprocess.run(
        ["kconfig-conf", option, "Kconfig"], env=env, check=True, capture_output=True, text=True,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout, done.stderr


def defconfig(path: Path) -> str:
    """A defconfig loads without a word and holds nothing that is a default, besides comments."""
    with tempfile.TemporaryDirectory() as folder:
        config, minimal = Path(folder, "config"), Path(folder, "minimal")
        _, said = kconfig(f"--defconfig={path}", config)
        kconfig(f"--savedefconfig={minimal}", config)
        if minimal.read_text() != COMMENT.sub("", path.read_text()):
            said += f"{path}: want\n{minimal.read_text()}"
    return said


def hash_survives() -> str:
    """A password's hash goes from .config to the manifest as it is: nobody on the way takes its
    dollars for something else's."""
    wanted = f'HOST_CONSOLE_PASSWORD="$6$rounds=1000$HOME${"x" * 86}"'
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config")
        kconfig("--defconfig=configs/qemu_virt_defconfig", config)
        config.write_text(re.sub(r"(?m)^HOST_CONSOLE_PASSWORD=.*", lambda _: wanted, config.read_text()))
        kconfig("--olddefconfig", config)
        command = ["build/native/hvinit", "manifest", str(config)]
        made = subprocess.run(command, capture_output=True, text=True).stdout
    return "" if wanted in made.splitlines() else f"want {wanted} in the manifest"


def known_symbols() -> set[str]:
    """Every symbol of the manifest, slots included."""
    text = "".join(path.read_text() for path in Path("build/kconfig").glob("*.in"))
    return set(re.findall(r"^config (\w+)$", text, re.MULTILINE))


def strange_symbols(files: list[Path]) -> str:
    """Symbols that a file speaks of and nobody can set. A prefix is one, too, or a word of C's
    enums after a symbol."""
    known = known_symbols()
    found = ""
    for path in files:
        for name in sorted(set(SYMBOL.findall(path.read_text(errors="replace"))) - known):
            if not any(name.startswith(one + "_") or one.startswith(name) for one in known):
                found += f"{path}: there is no symbol {name}\n"
    return found


def refuses(template: str, old: str, new: str, part: str) -> str:
    """symbols.py must not take a template in which old has become new."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "kconfig")
        shutil.copytree("init/kconfig", copy)
        text = (copy / template).read_text()
        if old not in text:
            return f"{template} does not hold {old!r}"
        (copy / template).write_text(text.replace(old, new, 1))
        said = output(
            "/usr/bin/python3", "init/symbols.py", "--templates", copy, "--menus", folder,
            "--header", Path(folder, "header"), "--slots", "BRIDGE=1", "VM=2", "HOSTDEV=2",
            "VSMMU=2", "PORT=2", "DISK=2", "NET=2",
        )
    where = rf"{re.escape(template)}:\d+: .*{re.escape(part)}"
    return "" if re.search(where, said) else f"want {part!r}, it said {said!r}"


HELP_OF_LOG_KIB = """\
	help
	  How much of the kernel's and hvinit's messages is kept in
	  memory for the command 'log host'. The oldest ones make room.
	  The memory is taken at boot, whether it is used or not.
"""

BAD_TEMPLATES = (
    ("host.in", HELP_OF_LOG_KIB, "", "has no help"),
    ("vm.in", "\t  The guest's memory", "\tThe guest's memory", "two spaces"),
    ("vm.in", "# hvinit: cmdline", "# hvinit: cmdlin", "no annotation"),
    ("vm.in", "default 1024", "default 10", "is not a value"),
    ("vm.in", "\trange 1 512\n", "", "has no range"),
    ("vm.in", 'default "virt-11.1"', 'default "virt 11.1"', "is not a value"),
    ("vm.in", "size 512", "size 513", "is larger than"),
    ("vm.in", "_CPUS\n", "_AUTOSTART\n", "is there twice"),
    ("vm.in", "config VM@VM@_CPUS", "config VM@VM@_cpus", "is no name"),
    ("vm.in", "config VM@VM@_CPUS", "config CPUS", "must begin with"),
    ("vm.in", "depends on VM@VM-1@", "depends on VM@VSMMU@", "there is no slot"),
    ("vm.in", 'int "Virtual CPUs"', "int", "has no prompt"),
    ("vm.in", 'int "Virtual CPUs"', 'integer "Virtual CPUs"', "is not understood"),
    ("vm.in", 'int "Virtual CPUs"', f'int "{"Virtual " * 7}CPUs"', "has a prompt of more"),
    ("host.in", "enum halt reboot", "enum halt restart", "is not a value"),
    ("hostdev.in", 'default "none"', 'default "256"', "is not a value"),
    ("hostdev.in", "number auto none 0 7", "number auto none 0", "no annotation"),
    ("hostdev.in", "number auto none 0 7", "number any 0 7", "words beside a number"),
    ("hostdev.in", "type bdf", "type bdf\n\t# hvinit: size 4x", "no annotation"),
)


def speaks_of_symbols(path: Path) -> bool:
    """Tests of what is wrong name wrong symbols; make has variables of its own."""
    wrong = path.match("tests/unit/*") or path == Path("tests/lint.py")
    return not wrong and path.suffix != ".mk" and path.name != "Makefile"


def kconfig_cases(files: list[Path]) -> Iterator[Case]:
    speakers = [path for path in files if speaks_of_symbols(path)]
    yield "every file", "names symbols that exist", lambda: strange_symbols(speakers)
    for path in (path for path in files if path.name.endswith("_defconfig")):
        yield str(path), "loads and is minimal", lambda path=path: defconfig(path)
    yield "configs/configs.mk", "keeps a password's hash", hash_survives
    for number, bad in enumerate(BAD_TEMPLATES):
        yield "init/symbols.py", f"refuses {number}: {bad[3]}", lambda bad=bad: refuses(*bad)


# --- every file ---


def spdx(files: list[Path]) -> str:
    return "".join(
        f"{path}: no SPDX line at the top\n"
        for path in files
        if not NO_SPDX.search(str(path)) and SPDX not in path.read_text(errors="replace")[:200]
    )


def ends(files: list[Path]) -> str:
    texts = ((path, path.read_text(errors="replace")) for path in files)
    return "".join(f"{path}: no newline at its end\n" for path, text in texts if text[-1:] not in "\n")


def texts(*patterns: str) -> str:
    return "".join(
        path.read_text()
        for pattern in patterns
        for path in sorted(Path().glob(pattern))
        if path.is_file()
    )


def brought_about(names: dict[str, str]) -> set[str]:
    """The names of codes whose finding a test asks for: a mere mention is none."""
    asserted = " ".join(re.findall(r"\bassert\w*\(([^;]*)\);", texts("tests/unit/*.c")))
    found = set()
    for call in re.findall(r"\bassert_(?:finding|fails)\(([^;]*)\);", texts("tests/unit/*.c")):
        found |= set(re.findall(r"\bDIAG_(\w+)", call))
    printed = asserted + texts("tests/golden/*/*")
    # The codes of refusal_cases.py are for words of QEMU's, whoever else has the code.
    lab = texts("tests/lab/*.py").replace(texts("tests/lab/refusal_cases.py"), "")
    return found | {
        name
        for name, code in names.items()
        if f"[{code}]" in printed + lab or f'"{code}"' in lab
    }


def catalogue() -> str:
    """Every code has a title, a remedy, and a test that brings it about."""
    names = dict(re.findall(r'^DIAG\((\w+), "([^"]+)",', texts("init/diag.def"), re.M))
    told = re.findall(
        r"^### (\S+) \(.+\)\n\n\S.*\n(?:\nQEMU's words: .*\n)?\nRemedy: [^.].*$",
        output_of_explain(), re.M,
    )
    found = "".join(f"init/diag.def: {code}: want a title and a remedy\n"
                    for code in set(names.values()) ^ set(told))
    emitted = set(re.findall(r"\bDIAG_(\w+)", texts("init/*.c")))
    # Of every line in refusal.def a unit test asks for its code.
    refusals = set(re.findall(r"^REFUSAL\((\w+),", texts("init/refusal.def"), re.M))
    tested = brought_about(names) | refusals - emitted
    for name, code in names.items():
        if name not in emitted | refusals:
            found += f"init/diag.def: {code}: nothing says it\n"
        elif name not in tested:
            found += f"init/diag.def: {code}: no test brings it about\n"
    return found


def file_cases(files: list[Path], slots: str) -> Iterator[Case]:
    yield "docs/manifest.md", "is up to date", lambda: fields(slots)
    yield "docs/diagnostics.md", "is up to date", diagnostics
    yield "docs/console.md", "is up to date", commands
    yield "docs/security.md", "is up to date", attempts
    yield "README.md", "shows a true plan", readme
    yield "docs/figures.svg", "is up to date", chart
    yield "init/diag.def", "every code is tested", catalogue
    yield "docs", "tell of every command and option", missing_commands
    yield "docs/completion", "offers a command its options", wrong_options
    yield "every file", "has an SPDX line", lambda: spdx(files)
    yield "every file", "ends in a newline", lambda: ends(files)
    yield "every file", "no blanks at line ends", lambda: everywhere(files, re.compile(r"[ \t]+$"))
    yield "every file", "names no package host", lambda: everywhere(files, HOSTS)
    yield "every file", "names no place of one machine", lambda: everywhere(files, PLACES)


def fields(slots: str) -> str:
    """The manual of the manifest is what the templates say now."""
    command = ["/usr/bin/python3", "init/fields.py", "init/kconfig", *slots.split()]
    made = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if Path("docs/manifest.md").read_text().partition(" -->\n\n## ")[2] == made.removeprefix("## "):
        return ""
    return "docs/manifest.md: is not what init/kconfig/ says: run 'make docs'"


def commands() -> str:
    """The console's manual has the commands that there are."""
    command = ["/usr/bin/python3", "init/commands.py", "init/command.def", "init/metrics.def"]
    made = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if Path("docs/console.md").read_text().partition("init/command.def and metrics.def -->\n\n")[2] == made:
        return ""
    return "docs/console.md: is not what init/command.def says: run 'make docs'"


def attempts() -> str:
    """What is known of the walls has the attempts that are made on them."""
    made = subprocess.run("tests/lab/attempts.py", check=True, capture_output=True, text=True).stdout
    if re.search(rf"^<!-- attempts.*-->\n\n{re.escape(made)}\n<!-- /attempts -->$",
                 Path("docs/security.md").read_text(), re.M):  # fmt: skip
        return ""
    return "docs/security.md: is not what tests/lab/trespass/trespass.def says: run 'make docs'"


def chart() -> str:
    """The chart that the README shows has the figures that docs/figures.md has."""
    made = subprocess.run("docs/chart.py", check=True, capture_output=True, text=True).stdout
    if Path("docs/figures.svg").read_text() != made:
        return "docs/figures.svg: is not what docs/figures.md says: run 'make docs'"
    shown = "(docs/figures.svg)" in Path("README.md").read_text()
    return "" if shown else "README.md: does not show docs/figures.svg"


def readme() -> str:
    """The plan that the README shows is the one of the lab's machine."""
    plan = Path("tests/golden/lab/plan").read_text().splitlines()
    shown = "".join(f"    {line}".rstrip() + "\n" for line in plan)
    if f"hvinit> plan\n{shown}" in Path("README.md").read_text():
        return ""
    return f"README.md: want the plan of the lab's machine:\n{shown}"


def diagnostics() -> str:
    """The catalogue's document is what the catalogue says now."""
    text = Path("docs/diagnostics.md").read_text()
    if text.partition(" -->\n\n### ")[2] == output_of_explain().partition("### ")[2]:
        return ""
    return "docs/diagnostics.md: is not what diag.def and refusal.def say: run 'make docs'"


def output_of_explain() -> str:
    command = ["build/native/hvinit", "explain"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def missing_commands() -> str:
    """Commands and options that the tool has, and its manual page or completion has not."""
    command = ["build/native/hvinit", "help"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    page = Path("docs/hvinit.8").read_text().replace("\\-", "-")
    completion = Path("docs/completion/hvinit.bash").read_text()
    found = ""
    for word in re.findall(r"^  ((?:--)?[a-z-]+) ", told, re.MULTILINE):
        if not re.search(rf"^\.BI? (hvinit )?{word}\b", page, re.MULTILINE):
            found += f"docs/hvinit.8: does not tell of {word}\n"
        if not re.search(rf"(?<![\w-]){word}\b", completion):
            found += f"docs/completion/hvinit.bash: does not know {word}\n"
    return found


def wrong_options() -> str:
    """Options that completion offers for a command that has none such, or the other way round."""
    script = ". docs/completion/hvinit.bash; _hvinit_options $0"
    command = ["build/native/hvinit", "help"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = ""
    for name in re.findall(r"^  ([a-z]+) ", told, re.MULTILINE):
        about = subprocess.run([*command, name], check=True, capture_output=True, text=True).stdout
        has = set(re.findall(r"^  (--[a-z-]+)", about, re.MULTILINE)) - {"--version"}
        offered = subprocess.run(
            ["bash", "-c", script, name], check=True, capture_output=True, text=True
        ).stdout
        if has != set(offered.split()):
            found += f"docs/completion/hvinit.bash: {name}: want {' '.join(sorted(has))}\n"
    return found


def attempt(case: Case) -> str:
    try:
        return case[2]()
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return f"{case[1]}: {error}"


def main(result: Path, slots: str, cflags: list[str]) -> int:
    files = sources()
    cases = [
        *c_cases(files, cflags),
        *script_cases(files),
        *kconfig_cases(files),
        *file_cases(files, slots),
    ]
    suite = ElementTree.Element("testsuite", name="lint")
    failed = 0
    with ThreadPoolExecutor(max_workers=4) as pool:
        for (what, how, _), found in zip(cases, pool.map(attempt, cases)):
            test = ElementTree.SubElement(suite, "testcase", classname=what, name=how)
            if found:
                failed += 1
                print(f"--- {what}: {how}\n{found.rstrip()}")
                clean = "".join(c if c.isprintable() or c in "\n\t" else "?" for c in found)
                ElementTree.SubElement(test, "failure", message=how).text = clean
    print(f"  lint             {len(cases) - failed} passed, {failed} failed")
    result.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(suite).write(result, encoding="utf-8", xml_declaration=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
