"""The catalogue is what pytest collects, in the words of the docstrings; the safety set is fixed here."""

from __future__ import annotations

from pathlib import Path

from samspel_contract.catalogue import catalogue, catalogue_text, current, page_text

ROOT = Path(__file__).parents[2]
FILE = ROOT / "contract_tests/src/samspel_contract/catalogue.toml"
RENEW = "run: .venv/bin/python -m samspel_contract.catalogue docs/contract-suite.md"

SAFETY = {
    "battery_moves_the_right_way",
    "captures_decode_as_measured",
    "contract_version_is_the_suites",
    "control_block_tells_ours_from_foreign",
    "declared_capabilities_are_the_real_ones",
    "doubtful_rows_are_off",
    "each_driver_object_stands_for_itself",
    "every_claim_has_a_variant",
    "exchanged_device_is_not_written_to",
    "faults_speak_no_brand",
    "forbidden_registers_are_no_ordinary_ones",
    "forbidden_registers_cannot_be_written",
    "forbidden_registers_have_no_owner",
    "foreign_snapshot_is_refused",
    "held_zero_is_not_a_release",
    "left_registers_are_declared",
    "login_opens_the_way",
    "missing_login_reads_or_says_so",
    "no_brand_word_goes_upward",
    "nonsense_is_not_written",
    "not_available_is_no_value",
    "nothing_is_fed_after_the_deadline",
    "nothing_is_written_after_the_deadline",
    "only_core_errors_leave_the_driver",
    "only_owned_registers_are_written",
    "package_is_healthy",
    "power_beyond_the_live_limit_is_bounded",
    "read_back_is_not_for_show",
    "readings_keep_their_own_time",
    "refused_families_are_refused",
    "release_gives_every_register_back",
    "release_is_proved",
    "release_may_be_repeated",
    "release_works_without_a_snapshot",
    "restart_adopts_for_the_remaining_time",
    "restart_after_the_deadline_gives_back",
    "restart_asserts_a_latched_stop",
    "restart_finishes_a_release",
    "restart_leaves_a_stranger_alone",
    "restart_without_a_trusted_clock_gives_back",
    "second_client_is_survived",
    "second_master_is_noticed",
    "signal_follows_the_truth",
    "signals_are_of_the_closed_list",
    "silence_is_no_success",
    "site_bounds_power_by_its_contract",
    "site_calls_a_frozen_device_frozen",
    "site_changes_its_map_only_when_released",
    "site_does_not_fight_a_second_master",
    "site_ends_every_command_once",
    "site_feeds_the_timer_in_time",
    "site_held_zero_is_not_a_release",
    "site_holds_then_releases_on_expiry",
    "site_keeps_the_write_budget",
    "site_leaves_a_foreign_battery_alone",
    "site_never_restores_what_a_stranger_left",
    "site_never_writes_to_another_device",
    "site_refuses_what_is_late",
    "site_refuses_what_no_route_can_follow",
    "site_release_gives_everything_back",
    "site_resumes_after_a_lost_link",
    "site_route_without_timer_goes_on",
    "site_says_nothing_beyond_the_contract",
    "site_stop_does_not_wait_for_polling",
    "site_stop_during_every_step",
    "site_stop_overrules_a_second_master",
    "site_stop_overtakes_two_hundred_set_points",
    "site_stop_survives_a_restart",
    "site_stop_waits_for_a_dead_link_and_comes_first",
    "site_stops_feeding_what_has_expired",
    "site_telemetry_is_never_restamped",
    "site_timer_ends_what_a_cut_link_left",
    "site_timer_ends_what_a_dead_edge_left",
    "stop_does_not_wait_for_polling",
    "stop_needs_neither_snapshot_nor_memory",
    "stop_overtakes_a_running_sequence",
    "stop_works_at_full_power",
    "stop_works_from_every_prefix",
    "stop_works_from_every_prefix_of_a_change",
    "strangers_are_not_identified",
    "take_writes_nothing",
    "twin_answers_where_the_manifest_looks",
    "unknown_firmware_is_read_only",
    "unknown_states_are_survived",
    "variant_is_proved_by_effect",
    "variant_measures_the_truth",
    "variant_obeys_stops_and_gives_back",
    "variant_says_who_it_is",
    "wrong_login_is_refused",
    "wrong_serial_is_refused",
    "site_answers_a_kind_that_it_cannot_follow",
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
