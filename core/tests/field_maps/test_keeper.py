"""Which map a device uses: the folder, the wait for release, the trial, the way back, and what a restart knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from samspel.contract.errors import DriverError, MapError
from samspel.contract.telemetry import Quality, Reading
from samspel.field_maps.folder import MapFolder
from samspel.field_maps.keeper import MapKeeper, same_control
from samspel.field_maps.trial import TRIAL_W
from samspel.registers.loader import load_map
from samspel.store.memory import MemoryJournal

TEXT = (Path(__file__).parent / "map.toml").read_text(encoding="utf-8")
READ_ONLY_CHANGE = TEXT.replace('"1.2"', '"1.3"').replace("address = 1,", "address = 2,")
NEW_CONTROL = TEXT.replace('"1.2"', '"1.10"').replace("address = 11", "address = 12")


class User:
    """The driver's part."""

    def __init__(self) -> None:
        self.registers = load_map(TEXT)
        self.packaged = self.registers

    def packaged_map(self):
        return self.packaged

    def load_map(self, text, name):
        return load_map(text, source_name=name)

    def map_of(self, snapshot):
        if "map" not in snapshot:
            raise DriverError("no map")
        return load_map(snapshot["map"])

    def use_map(self, registers):
        self.registers = registers


async def in_line(work):
    return work()


def never() -> bool:
    return False


def always() -> bool:
    return True


@pytest.fixture
def user() -> User:
    return User()


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


def keeper(user: User, folder: Path, journal: MemoryJournal) -> MapKeeper:
    return MapKeeper("battery", user, MapFolder(folder, user.load_map), journal, in_line)


def reading(power_w: float, at: float) -> Reading:
    return Reading(power_w, "W", datetime(2026, 1, 1, tzinfo=UTC), at, Quality.GOOD)


async def measured(kept: MapKeeper, target_w: float, battery_w: float, begun: float = 0.0) -> str:
    """Command, and look at the battery a few times after the latency."""
    why = await kept.judge(target_w, 5.0, begun, None)
    for n in range(5):
        why = why or await kept.judge(target_w, 5.0, begun + 12 + n, reading(battery_w, begun + 12 + n))
    return why


async def test_without_a_folder_nothing_happens(user, tmp_path, journal):
    kept = keeper(user, tmp_path / "absent", journal)
    assert not await kept.consider(always)
    assert kept.versions() == {}
    assert user.registers.version == "1.2"


async def test_a_newer_map_waits_until_nothing_is_held(user, tmp_path, journal):
    (tmp_path / "a.toml").write_text(READ_ONLY_CHANGE)
    kept = keeper(user, tmp_path, journal)
    assert not await kept.consider(never)
    assert user.registers.version == "1.2"
    assert kept.versions()["map_pending"].startswith("acme 1.3 sha256:")
    assert await kept.consider(always)
    assert user.registers.version == "1.3"
    assert kept.versions() == {}


async def test_what_is_only_read_needs_no_trial(user, tmp_path, journal):
    (tmp_path / "a.toml").write_text(READ_ONLY_CHANGE)
    kept = keeper(user, tmp_path, journal)
    await kept.consider(always)
    assert not kept.on_trial
    assert kept.bound(9000.0) == 9000.0


async def test_the_newest_version_wins_by_number(user, tmp_path, journal):
    (tmp_path / "a.toml").write_text(READ_ONLY_CHANGE)
    (tmp_path / "b.toml").write_text(NEW_CONTROL)
    await keeper(user, tmp_path, journal).consider(always)
    assert user.registers.version == "1.10", "1.10 is newer than 1.3"


async def test_a_new_control_part_is_tried_each_way(user, tmp_path, journal):
    (tmp_path / "b.toml").write_text(NEW_CONTROL)
    kept = keeper(user, tmp_path, journal)
    await kept.consider(always)
    assert (kept.bound(9000.0), kept.bound(-9000.0)) == (TRIAL_W, -TRIAL_W)
    assert await measured(kept, 1000.0, 950.0) == ""
    assert (kept.bound(9000.0), kept.bound(-9000.0)) == (9000.0, -TRIAL_W)
    assert "until charge is proven" in kept.versions()["map_on_trial"]
    assert await measured(kept, -1000.0, -950.0, begun=100.0) == ""
    assert not kept.on_trial
    assert kept.bound(-9000.0) == -9000.0
    assert kept.versions() == {}


async def test_a_map_that_goes_the_wrong_way_is_taken_back(user, tmp_path, journal):
    (tmp_path / "b.toml").write_text(NEW_CONTROL)
    kept = keeper(user, tmp_path, journal)
    await kept.consider(always)
    assert await measured(kept, 1000.0, -900.0) == "told to discharge, the battery did the opposite"
    assert not await kept.consider(never), "it is given back by the map that it was taken with"
    assert user.registers.version == "1.10"
    assert await kept.consider(always)
    assert user.registers.version == "1.2"
    assert kept.suspect
    assert "failed its trial: told to discharge" in kept.versions()["map_refused"]


async def test_a_failed_map_stays_out_after_a_restart(user, tmp_path, journal):
    (tmp_path / "b.toml").write_text(NEW_CONTROL)
    kept = keeper(user, tmp_path, journal)
    await kept.consider(always)
    await measured(kept, 1000.0, -900.0)
    again = User()
    after = keeper(again, tmp_path, journal)
    assert not await after.consider(always)
    assert again.registers.version == "1.2"


async def test_a_restart_goes_on_with_the_trial(user, tmp_path, journal):
    (tmp_path / "b.toml").write_text(NEW_CONTROL)
    kept = keeper(user, tmp_path, journal)
    await kept.consider(always)
    await measured(kept, 1000.0, 950.0)
    again = User()
    after = keeper(again, tmp_path, journal)
    await after.consider(always)
    assert again.registers.version == "1.10"
    assert (after.bound(9000.0), after.bound(-9000.0)) == (9000.0, -TRIAL_W)


async def test_a_proven_map_is_not_tried_again(user, tmp_path, journal):
    (tmp_path / "b.toml").write_text(NEW_CONTROL)
    kept = keeper(user, tmp_path, journal)
    await kept.consider(always)
    await measured(kept, 1000.0, 950.0)
    await measured(kept, -1000.0, -950.0, begun=100.0)
    after = keeper(User(), tmp_path, journal)
    await after.consider(always)
    assert not after.on_trial


async def test_a_held_device_keeps_the_map_of_its_snapshot(user, tmp_path, journal):
    (tmp_path / "b.toml").write_text(NEW_CONTROL)
    kept = keeper(user, tmp_path, journal)
    kept.hold({"map": NEW_CONTROL})
    assert user.registers.version == "1.10"
    await kept.consider(never)
    assert user.registers.version == "1.10"


async def test_an_upgraded_package_waits_as_well(user, tmp_path, journal):
    """The package became newer while the device was held."""
    user.packaged = user.registers = load_map(READ_ONLY_CHANGE)
    kept = keeper(user, tmp_path, journal)
    kept.hold({"map": TEXT})
    assert user.registers.version == "1.2"
    assert not await kept.consider(never)
    assert await kept.consider(always)
    assert user.registers.version == "1.3"


async def test_a_snapshot_without_its_map_changes_nothing(user, tmp_path, journal):
    keeper(user, tmp_path, journal).hold({})
    assert user.registers.version == "1.2"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[map", "is not valid TOML"),
        (TEXT, "it must be newer than the installed one, 1.2"),
        (READ_ONLY_CHANGE.replace('id = "acme"', 'id = "other"'), "this device uses 'acme'"),
        (READ_ONLY_CHANGE.replace('write = "power"', 'write = "pwoer"'), "pwoer"),
    ],
)
async def test_a_file_that_cannot_be_used_says_why(user, tmp_path, journal, text, why):
    (tmp_path / "a.toml").write_text(text)
    kept = keeper(user, tmp_path, journal)
    assert not await kept.consider(always)
    assert user.registers.version == "1.2"
    assert "a.toml" in kept.versions()["map_refused"]
    assert why in kept.versions()["map_refused"]
    assert kept.suspect


async def test_a_mended_file_is_read_again(user, tmp_path, journal):
    file = tmp_path / "a.toml"
    file.write_text("[map")
    kept = keeper(user, tmp_path, journal)
    await kept.consider(always)
    file.write_text(READ_ONLY_CHANGE)
    assert await kept.consider(always)
    assert user.registers.version == "1.3"
    assert not kept.suspect


async def test_a_file_is_checked_once(user, tmp_path, journal):
    (tmp_path / "a.toml").write_text(READ_ONLY_CHANGE)
    loads = []
    folder = MapFolder(tmp_path, lambda text, name: loads.append(name) or user.load_map(text, name))
    kept = MapKeeper("battery", user, folder, journal, in_line)
    for _ in range(3):
        await kept.consider(never)
    assert loads == ["a.toml"]
    await kept.begin(None, never)
    assert loads == ["a.toml", "a.toml"]


async def test_a_removed_file_gives_the_packaged_map_back(user, tmp_path, journal):
    file = tmp_path / "a.toml"
    file.write_text(READ_ONLY_CHANGE)
    kept = keeper(user, tmp_path, journal)
    await kept.consider(always)
    file.unlink()
    assert await kept.consider(always)
    assert user.registers.version == "1.2"


async def test_an_unreadable_file_is_refused(user, tmp_path, journal):
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe")
    kept = keeper(user, tmp_path, journal)
    await kept.consider(always)
    assert "cannot be read" in kept.versions()["map_refused"]


def test_a_note_is_no_control():
    one, other = load_map(TEXT), load_map(TEXT.replace('source = "book"', 'source = "library"'))
    assert same_control(one, other)
    assert not same_control(one, load_map(NEW_CONTROL))
    assert not same_control(one, replace(one, zero=()))


def test_the_check_is_the_drivers(user, tmp_path):
    (tmp_path / "a.toml").write_text(READ_ONLY_CHANGE)

    def refuse(text: str, name: str):
        raise MapError(f"{name}: its fault table names a register that is gone")

    found = MapFolder(tmp_path, refuse).look(user.packaged)
    assert "fault table" in found.refused["a.toml"]


async def test_another_way_of_control_is_another_map_until_what_is_held_is_given_back(user, journal, tmp_path):
    forced = replace(user.registers, control="forced")
    user.packaged = forced
    kept = keeper(user, tmp_path, journal)
    kept.hold({"map": TEXT})
    assert not await kept.consider(never)
    assert user.registers.control == ""
    assert "control forced" in kept.versions()["map_pending"]
    assert await kept.consider(always)
    assert user.registers is forced
    assert not kept.on_trial, "its rows are those of the package"
