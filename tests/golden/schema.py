# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tool prints with --json, held against the schemas in docs/schema/."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import jsonschema

SCHEMAS = Path(__file__).parents[2] / "docs" / "schema"
Fault = tuple[str, str]  # the test's name, and what is wrong: nothing when all is well


def load(name: str) -> dict:
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text())


def loose_ends(schema: object, where: str) -> Iterator[str]:
    """Objects that would let anything through, and fields that nobody has described."""
    if isinstance(schema, list):
        for number, item in enumerate(schema):
            yield from loose_ends(item, f"{where}/{number}")
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        yield f"{where}: lets additional properties through\n"
    for name, field in schema.get("properties", {}).items():
        if "description" not in field:
            yield f"{where}/{name}: has no description\n"
        if name not in schema["required"]:
            yield f"{where}/{name}: is not required\n"
    for name, inner in schema.items():
        yield from loose_ends(inner, f"{where}/{name}")


def check_schemas() -> Iterator[Fault]:
    """Whether each schema is one, and says all that it could."""
    for path in sorted(SCHEMAS.glob("*.schema.json")):
        schema = json.loads(path.read_text())
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
            fault = "".join(loose_ends(schema, path.name))
        except jsonschema.SchemaError as error:
            fault = str(error)
        yield path.name, fault


def run(words: list[str]) -> str:
    return subprocess.run(words, check=False, capture_output=True, text=True).stdout


def violations(name: str, printed: str) -> str:
    try:
        found = jsonschema.Draft202012Validator(load(name)).iter_errors(json.loads(printed))
        return "".join(f"{error.json_path}: {error.message}\n" for error in found)
    except ValueError as error:
        return f"no JSON: {error}: {printed[:200]!r}"


def check_output(
    hvinit: str, options: list[str], checked: list[str], manifest: Path
) -> Iterator[Fault]:
    """Every command that has --json, for one case; checked are the options of "check"."""
    yield "check --json", violations("check", run([hvinit, "check", "--json", *checked, manifest]))
    for name in ("plan", "devices"):
        yield f"{name} --json", violations(name, run([hvinit, name, "--json", *options, manifest]))
    for vm in re.findall(r'^VM\d_NAME="(.+)"$', manifest.read_text(), re.MULTILINE):
        printed = run([hvinit, "argv", "--json", *options, manifest, vm])
        fault = violations("argv", printed)
        words = shlex.split(run([hvinit, "argv", *options, manifest, vm]))
        if not fault and json.loads(printed) != words:
            fault = f"the words are others: {printed}"
        yield f"argv --json {vm}", fault
