"""The catalogue is what pytest collects, in the words of the docstrings; the safety set is fixed here."""

from __future__ import annotations

from pathlib import Path

from samspel_contract.catalogue import catalogue, catalogue_text, current, page_text

ROOT = Path(__file__).parents[2]
FILE = ROOT / "contract_tests/src/samspel_contract/catalogue.toml"
RENEW = "run: .venv/bin/python -m samspel_contract.catalogue docs/contract-suite.md"

SAFETY = {
    "battery_moves_the_right_way",
    "contract_version_is_the_suites",
    "control_block_tells_ours_from_foreign",
    "declared_capabilities_are_the_real_ones",
    "doubtful_rows_are_off",
    "exchanged_device_is_not_written_to",
    "faults_speak_no_brand",
    "forbidden_registers_have_no_owner",
    "foreign_snapshot_is_refused",
    "held_zero_is_not_a_release",
    "left_registers_are_declared",
    "no_brand_word_goes_upward",
    "nothing_is_written_after_the_deadline",
    "only_core_errors_leave_the_driver",
    "only_owned_registers_are_written",
    "package_is_healthy",
    "power_beyond_the_live_limit_is_bounded",
    "read_back_is_not_for_show",
    "readings_keep_their_own_time",
    "release_gives_every_register_back",
    "release_is_proved",
    "release_may_be_repeated",
    "release_works_without_a_snapshot",
    "signal_follows_the_truth",
    "signals_are_of_the_closed_list",
    "stop_needs_neither_snapshot_nor_memory",
    "stop_overtakes_a_running_sequence",
    "stop_works_at_full_power",
    "stop_works_from_every_prefix",
    "take_writes_nothing",
    "twin_answers_where_the_manifest_looks",
    "unknown_states_are_survived",
    "wrong_serial_is_refused",
}


def test_the_catalogue_is_what_pytest_collects(toy):
    output = toy.collect()
    found = {line.partition("::test_")[2].partition("[")[0] for line in output.splitlines() if "::" in line}
    assert found == set(catalogue()), output


def test_the_committed_catalogue_is_current():
    assert FILE.read_text(encoding="utf-8") == catalogue_text(current()), RENEW


def test_the_page_is_current():
    assert (ROOT / "docs/contract-suite.md").read_text(encoding="utf-8") == page_text(current()), RENEW


def test_the_safety_set_is_fixed():
    assert {name for name, promise in catalogue().items() if promise.safety} == SAFETY
