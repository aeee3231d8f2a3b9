"""A backend that breaks a rule fails the contract, and one that cannot do something does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.contract.broken import CASES, Case, suite_of
from tests.contract.support import ROOT, Outcome, run_pytest


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    folder = tmp_path_factory.mktemp("broken")
    file = Path(__file__).with_name("broken.py")
    return run_pytest(ROOT, file, f"--basetemp={folder / 'base'}", report=folder / "report.xml")


@pytest.mark.spec("TST-004")
@pytest.mark.parametrize("case", CASES, ids=suite_of)
def test_a_broken_rule_is_found_out(case: Case, outcomes: list[Outcome]) -> None:
    mine = [outcome for outcome in outcomes if outcome.suite == suite_of(case)]
    failed = {outcome.test for outcome in mine if outcome.ended == "failed"}
    assert failed >= set(case.found_by)
    # The rule fails, not the backend as a whole.
    assert any(outcome.ended == "passed" for outcome in mine)


@pytest.mark.spec("TST-003")
def test_what_a_backend_cannot_do_is_skipped(outcomes: list[Outcome]) -> None:
    mine = [outcome for outcome in outcomes if outcome.suite == "TestFew"]
    assert [outcome for outcome in mine if outcome.ended == "failed"] == []
    reasons = {outcome.reason for outcome in mine if outcome.ended == "skipped"}
    missing = (
        "DELETE", "MOVE", "COPY", "ATOMIC_WRITE", "GLOB", "RECURSIVE_LIST", "METADATA", "EXCLUSIVE_CREATE",
        "RESUMABLE_WRITE",
    )  # fmt: skip
    assert reasons == {f"the backend has no {name} capability" for name in missing}
    ran = {outcome.test for outcome in mine if outcome.ended == "passed"}
    assert {"test_what_is_there", "test_a_whole_file", "test_files_of_a_folder"} <= ran


@pytest.mark.spec("TST-001")
def test_a_suite_has_to_say_what_it_tests(outcomes: list[Outcome]) -> None:
    mine = [outcome for outcome in outcomes if outcome.suite == "TestNothing"]
    assert mine
    assert all(outcome.ended == "failed" for outcome in mine)
    assert all("make_backend" in outcome.reason for outcome in mine)
