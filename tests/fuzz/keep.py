# SPDX-License-Identifier: GPL-2.0-or-later
"""Adds to the kept corpus what fuzzing found: keep.py FOLDER

Only inputs that reach code which no other one reaches, that are short, and text: one can read why
they are there. libFuzzer chooses (-merge); names are hashes of the content.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
LONGEST = 2048


def is_text(path: Path) -> bool:
    data = path.read_bytes()
    if len(data) > LONGEST:
        return False
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return all(c.isprintable() or c in "\n\t" for c in text)


def keep(program: Path, folder: Path) -> int:
    name = program.name.removeprefix("fuzz_")
    kept = HERE / "corpus" / name
    if not kept.is_dir():  # the format is no text
        return 0
    with tempfile.TemporaryDirectory() as work:
        for path in (folder / "corpus" / name).iterdir():
            if is_text(path):
                shutil.copy(path, work)
        before = len(list(kept.iterdir()))
        words = [program, "-merge=1", "-use_counters=0", kept, work]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return len(list(kept.iterdir())) - before


def main(folder: Path) -> int:
    for program in sorted(path for path in folder.glob("fuzz_*") if not path.suffix):
        print(f"  {program.name:16} {keep(program, folder)} inputs more")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
