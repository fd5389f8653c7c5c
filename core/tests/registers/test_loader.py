import hashlib
from pathlib import Path

import pytest
from samspel.contract.errors import ConfigError, MapError
from samspel.contract.ports import Table
from samspel.contract.signals import SIGNALS, Positive
from samspel.registers.codec import decode, from_raw, sign
from samspel.registers.loader import load_map, load_variants
from samspel.registers.model import HhmmAfter, Literal, Pack, Restore, SignalValue, SignFrom, Verb, WordOrder
from samspel.registers.vocabulary import STATE_WORDS


def test_a_row_becomes_a_register_with_defaults_and_sign_resolved(map_text: str) -> None:
    row = load_map(map_text).registers["battery_power"]
    assert (row.count, row.poll, row.word_order, row.table) == (2, "fast", WordOrder.LOW_FIRST, Table.HOLDING)
    assert sign(row) == -1
    assert row.valid == (-5000.0, 3000.0)
    assert decode(row, from_raw(row, 4000)) == -4000.0
    assert decode(row, from_raw(row, 5001)) is None
    assert decode(row, from_raw(row, 0x7FFFFFFF)) is None


def test_sentinels_of_signed_types_may_be_bit_patterns(map_text: str) -> None:
    row = load_map(map_text.replace("[0x7FFFFFFF]", "[0xFFFFFFFE]")).registers["battery_power"]
    assert row.invalid == {-2}


def test_every_value_and_step_becomes_its_type(map_text: str) -> None:
    loaded = load_map(map_text)
    block, pack, hhmm, bits, pause, until, verify, verify_is = loaded.sequences["charge"]
    assert block.values[0] == SignalValue("target_power_w", share_of="rated_power_w")
    assert block.values[1:] == (Literal("charge"), SignalValue("target_power_w", clamp_to="charge_limit_w"))
    assert block.fallback == ("power", "command")
    assert isinstance(pack.values[0], Pack)
    assert hhmm.values == (HhmmAfter(600, 300),)
    assert (bits.verb, bits.bits, pause.seconds) == (Verb.SET_BITS, (6,), 0.5)
    assert (until.values, until.seconds, until.negate) == ((Literal("on_grid"),), 30.0, False)
    assert (verify.registers, verify.values, verify_is.values) == (("share", "command"), (), (Literal("online"),))
    assert loaded.sequences["release"][0].values == (Restore(None, Literal(0.5)),)
    assert loaded.sequences["release"][1].values == (Restore(None, SignalValue("charge_limit_w")),)
    (require,) = loaded.sequences["take"]
    assert (require.negate, require.because) == (True, "it is starting")
    assert loaded.sequences["wake"] == ()


def test_release_treats_triggers_first_and_what_it_wrote_itself_last(map_text: str) -> None:
    assert load_map(map_text).owned == ("command", "slot", "slot_end", "share", "power")


def test_a_guard_becomes_a_raw_number(map_text: str) -> None:
    assert load_map(map_text).registers["grid_power"].only_if == ("meter_status", 1)


def test_names_lead_to_registers(map_text: str) -> None:
    loaded = load_map(map_text)
    assert loaded.source("charge_limit_w") is loaded.registers["charge_limit"]
    assert loaded.source("charge_limit") is loaded.registers["charge_limit"]
    assert loaded.source("nothing") is None


def test_low_confidence_is_off_unless_switched_on(map_text: str) -> None:
    off = load_map(map_text).registers["guess"]
    assert (off.signal, off.poll) == (None, "never")
    on = load_map(map_text, allow_low_confidence=frozenset({"guess"})).registers["guess"]
    assert (on.signal, on.poll) == ("load_power_w", "fast")


def test_low_confidence_in_a_sequence_is_refused_until_switched_on(map_text: str) -> None:
    text = map_text.replace("{ wait = 0.5 }", '{ write = "guess", value = 5 }')
    with pytest.raises(MapError, match=r"charge step 5 write: guess rests on low confidence \(forum\)"):
        load_map(text)
    assert "guess" in load_map(text, allow_low_confidence=frozenset({"guess"})).owned


def test_low_confidence_turned_off_keeps_the_devices_own_range(map_text: str) -> None:
    text = map_text.replace('confidence = "high"', 'confidence = "low"', 1).replace('instead_of = "battery_power"', "")
    assert load_map(text).registers["battery_power"].valid == (-3000.0, 5000.0)


@pytest.mark.parametrize(
    ("model", "firmware", "overlaid"),
    [
        ("ACME-2000", "V1.5", True),
        ("ACME-2000", "V1.9", True),
        ("ACME-2000", "V1.10", False),
        ("ACME-2000", "V1.4", False),
        ("ACME-2000", "", False),
        ("ACME-1000", "V1.6", False),
        ("", "", False),
    ],
)
def test_an_overlay_replaces_whole_rows_and_sequences(map_text: str, model: str, firmware: str, overlaid: bool) -> None:
    loaded = load_map(map_text, model=model, firmware=firmware)
    assert loaded.overlay == ("ACME-2*: V1.5..V1.9" if overlaid else None)
    assert loaded.registers["command"].write_function == (6 if overlaid else 16)
    assert (5 in loaded.registers["command"].labels) is overlaid
    assert len(loaded.sequences["charge"]) == (1 if overlaid else 8)
    assert loaded.feed_repeats
    assert len(loaded.sequences["release"]) == 2


def test_two_overlays_for_one_device_are_one_too_many(map_text: str) -> None:
    text = map_text.replace('models = ["ACME-3*"]', 'models = ["ACME-*"]')
    assert load_map(text, model="ACME-4", firmware="V1.5").overlay == "ACME-*: any firmware"
    with pytest.raises(MapError, match=r"1 and 2 both claim model 'ACME-2', firmware 'V1\.5'"):
        load_map(text, model="ACME-2", firmware="V1.5")


def test_every_variant_is_loaded(map_text: str) -> None:
    overlays = [None, "ACME-2*: V1.5..V1.9", "ACME-3*: any firmware"]
    assert [(one.control, one.overlay) for one in load_variants(map_text)] == [
        *(("", overlay) for overlay in overlays),
        *(("slots", overlay) for overlay in overlays),
    ]


def test_a_mistake_in_an_overlay_is_found_without_such_a_device(map_text: str) -> None:
    text = map_text.replace('value = "halt"', 'value = "hlat"')
    load_map(text)
    with pytest.raises(
        MapError, match=r"\[\[overlays\]\] 1 \[sequences\] stop rung 1 step 1 value: found 'hlat'.*'halt'"
    ):
        load_variants(text, source_name="acme.toml")


def test_a_map_remembers_its_text(map_text: str) -> None:
    loaded = load_map(map_text)
    assert loaded.digest == hashlib.sha256(map_text.encode()).hexdigest()
    assert load_map(loaded.text) == loaded


def test_a_file_is_named_in_its_errors(tmp_path: Path, map_text: str) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(map_text)
    assert load_map(path).id == "acme"
    path.write_text("[map]\nid = = 3")
    with pytest.raises(ConfigError, match=r"acme\.toml: is not valid TOML: .*line 2"):
        load_map(path)
    with pytest.raises(MapError, match=r"gone\.toml: cannot be read"):
        load_map(tmp_path / "gone.toml")


def test_the_words_of_states_are_those_of_the_contract() -> None:
    states = {name for name, spec in SIGNALS.items() if not spec.unit and spec.positive is Positive.NONE}
    assert states - {"meter_online"} == STATE_WORDS.keys()
    for signal, words in STATE_WORDS.items():
        assert SIGNALS[signal].meaning.replace(" or ", ", ").split(", ") == list(words)


# --- controls ---


def test_a_control_is_the_same_map_with_other_sequences(map_text: str) -> None:
    own, slots = load_map(map_text), load_map(map_text, control="slots")
    assert (own.control, own.needs_guard, slots.control, slots.needs_guard) == ("", False, "slots", True)
    assert slots.registers == own.registers
    assert slots.digest == own.digest
    assert slots.sequences["charge"] == own.sequences["charge"]
    assert len(slots.sequences["discharge"]) == 2
    assert slots.sequences["discharge"][0].values == (HhmmAfter(600, 300, "clock"),)
    assert len(slots.stop[0].steps) == 2
    assert slots.feed_repeats


def test_what_a_control_owns_is_what_its_own_sequences_write(map_text: str) -> None:
    text = map_text.replace('{ write = "slot_end", value = { hhmm_after_s = 600, floor_s = 300 } },\n', "")
    assert "slot_end" not in load_map(text).owned
    assert "slot_end" in load_map(text, control="slots").owned


def test_an_overlay_changes_rows_for_every_control_but_no_sequence_of_one(map_text: str) -> None:
    text = map_text.replace(
        "command = { address = 201,",
        'rated = { address = 122, type = "u16", unit = "W", '
        'signal = "rated_power_w", confidence = "high", source = "field" }\ncommand = { address = 201,',
    )
    slots = load_map(text, model="ACME-2000", firmware="V1.5", control="slots")
    assert slots.overlay is not None
    assert slots.registers["rated"].address == 122
    assert len(slots.sequences["discharge"]) == 2, "the control's own"
    assert len(slots.sequences["charge"]) == 1, "left out by the control: the map's own for this firmware"


def test_an_unknown_control_is_refused_with_the_known_ones(map_text: str) -> None:
    with pytest.raises(MapError, match="found control 'slot', known: slots; did you mean 'slots'"):
        load_map(map_text, control="slot")


def test_a_mistake_in_a_control_is_found_without_choosing_it(map_text: str) -> None:
    text = map_text.replace('clock = "clock"', 'clock = "clck"')
    load_map(text)
    with pytest.raises(
        MapError, match=r"\[controls\.slots\] \[sequences\] discharge step 1 value\.clock: found 'clck'"
    ):
        load_variants(text)


# --- companions ---


def test_companions_are_resolved_with_the_unit_of_the_value(map_text: str) -> None:
    rows = load_map(map_text).registers
    assert (rows["discharge_amperes"].unit, rows["discharge_amperes"].value_unit) == ("A", "W")
    assert rows["discharge_amperes"].companions == ("volts",)
    assert (rows["level"].companions, rows["level"].value_unit) == (("floor", "top"), "%")
    assert rows["battery_power_old"].sign_from == SignFrom("flow", negative=1, positive=2)
    assert rows["pack_temperature"].at == "pack"


def test_a_product_of_watts_bounds_watts(map_text: str) -> None:
    load_map(map_text.replace('clamp_to = "charge_limit_w"', 'clamp_to = "discharge_limit_w"'))


def test_of_two_carriers_the_preferred_one_is_the_signals(map_text: str) -> None:
    loaded = load_map(map_text)
    assert loaded.signal("battery_power_w") is loaded.registers["battery_power"]
    assert loaded.stand_in("battery_power") is loaded.registers["battery_power_old"]
    assert loaded.stand_in("level") is None
    text = map_text.replace('instead_of = "battery_power"', "")
    turned = load_map(text.replace("[0x7FFFFFFF]", '[0x7FFFFFFF]\ninstead_of = "battery_power_old"', 1))
    assert turned.signal("battery_power_w") is turned.registers["battery_power_old"], "whatever stands first"


def test_another_unit_has_addresses_of_its_own(map_text: str) -> None:
    load_map(map_text.replace('table = "input"\n', ""))


def test_low_confidence_needs_no_companion(map_text: str) -> None:
    text = map_text.replace('times = "volts"\nconfidence = "high"', 'times = "volts"\nconfidence = "low"')
    off = load_map(text).registers["discharge_amperes"]
    assert (off.signal, off.companions, off.poll) == (None, (), "never")


def test_what_stands_on_the_nameplate_needs_no_register(map_text: str) -> None:
    load_map(map_text.replace('share_of = "rated_power_w"', 'share_of = "max_ac_power_w"'))


def test_a_file_that_was_edited_is_read_again(tmp_path: Path, map_text: str) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(map_text)
    first = load_map(path)
    assert load_map(path) is first, "a map that is the same is made once"
    path.write_text(map_text + "# edited\n")
    assert load_map(path).digest != first.digest
