# SPDX-License-Identifier: GPL-2.0-or-later
"""The image's kernel, held against kernel-hardening-checker's rules: each that it does not follow has
its reason in board/common/hardening.config, and each reason there is still needed."""

import json
import re
import sys

import pytest

from .paths import KERNEL, ROOT, TOOLS, run

FRAGMENT = ROOT / "board/common/hardening.config"
REASON = re.compile(r"^#- (CONFIG_\w+): (.+)$", re.MULTILINE)
CHECKER = TOOLS / "usr/bin/kernel-hardening-checker"
REASONS = dict(REASON.findall(FRAGMENT.read_text()))


@pytest.fixture(scope="module")
def rules() -> list[dict[str, str]]:
    """What the checker asks for, and what it found."""
    told = run([sys.executable, CHECKER, "-m", "json", "-c", KERNEL / "config"])
    return json.loads(told)


def _failed(rules: list[dict[str, str]]) -> set[str]:
    return {rule["option_name"] for rule in rules if rule["check_result"].startswith("FAIL")}


def test_the_checker_knows_this_kernel(rules: list[dict[str, str]]) -> None:
    assert len(rules) > 200
    passed = {rule["option_name"] for rule in rules if rule["check_result"].startswith("OK")}
    assert {"CONFIG_INIT_ON_ALLOC_DEFAULT_ON", "CONFIG_STRICT_KERNEL_RWX"} <= passed


def test_each_deviation_has_a_reason(rules: list[dict[str, str]]) -> None:
    assert sorted(_failed(rules) - set(REASONS)) == []


def test_no_reason_is_out_of_date(rules: list[dict[str, str]]) -> None:
    assert sorted(set(REASONS) - _failed(rules)) == []
