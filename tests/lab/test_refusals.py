# SPDX-License-Identifier: GPL-2.0-or-later
"""What hvinit foretells of QEMU is what QEMU does; the cases are in refusal_cases.py."""

import re

import pytest

from .paths import ROOT
from .refusal_cases import CASES, UNPROVED, UNSEEN, VMS, Case
from .refusals import Outcome, appear, catalogue, foretold, outcomes
from .stories import Seen

DIED_BY_SIGNAL = 128


def of(seen: Seen, case: Case) -> Outcome:
    all_of_them = outcomes(seen.answers["cases"])
    assert len(all_of_them) == len(CASES)
    return all_of_them[CASES.index(case)]


@pytest.mark.parametrize("case", [case for case in CASES if case.refused], ids=lambda c: c.name)
def test_qemu_refuses_in_known_words(refusals: Seen, case: Case) -> None:
    outcome = of(refusals, case)
    assert outcome.status == 1 and not outcome.accepted, outcome
    assert outcome.codes()[:1] == [case.code], outcome


@pytest.mark.parametrize("case", [case for case in CASES if case.accepted], ids=lambda c: c.name)
def test_qemu_accepts_what_only_hvinit_refuses(refusals: Seen, case: Case) -> None:
    outcome = of(refusals, case)
    assert outcome.status == 0 and outcome.accepted, outcome
    assert set(outcome.codes()) == ({case.code} if case.code else set()), outcome


@pytest.mark.parametrize("case", [case for case in CASES if case.dies], ids=lambda c: c.name)
def test_qemu_dies_without_words(refusals: Seen, case: Case) -> None:
    outcome = of(refusals, case)
    assert outcome.status > DIED_BY_SIGNAL and not outcome.accepted, outcome


@pytest.mark.parametrize("vm", VMS)
def test_operator_reads_code_and_remedy_beside_qemus_words(refusals: Seen, vm: str) -> None:
    code, words, _ = VMS[vm]
    found = rf"hvinit: {vm}: QEMU: [^\n]*{re.escape(words)}[^\n]*\[{code}\]"
    assert re.search(rf"{found}\s+(?:\S[^\n]*\n)*?[^\n]*hvinit: remedy: ", refusals.console)
    assert re.search(rf"{vm}\s+failed", refusals.answers["status"])


@pytest.mark.parametrize("words", catalogue())
def test_words_of_the_catalogue_are_qemus(refusals: Seen, words: str) -> None:
    seen = appear(words, refusals.console)
    assert seen != (words in UNSEEN), "list what cannot be brought about in UNSEEN, and only that"


def test_what_the_lab_cannot_bring_about_is_documented() -> None:
    document = (ROOT / "docs/hardware.md").read_text()
    assert not [words for words in UNSEEN if f"`{words.strip()}`" not in document]
    assert set(UNSEEN) <= set(catalogue())


def test_every_rule_that_foretells_a_refusal_is_proved() -> None:
    """Or it is said why it cannot be, here and to the reader of the document."""
    proved = {case.code for case in CASES} | {code for code, _, _ in VMS.values()}
    assert foretold() == (proved & foretold()) | set(UNPROVED)
    assert not proved & set(UNPROVED), "list what cannot be brought about, and only that"
    document = (ROOT / "docs/hardware.md").read_text()
    assert not [code for code in UNPROVED if f"`{code}`" not in document]
