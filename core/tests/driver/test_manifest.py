"""driver.toml: what is in it, and what is said about what should not be."""

from __future__ import annotations

import random
import shutil
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import pytest
from samspel.bus.profile import BusProfile
from samspel.bus.url import parse_url
from samspel.clock import LoopClock
from samspel.connect import attach
from samspel.contract.capability import Direction
from samspel.contract.errors import ConfigError, MapError
from samspel.driver.manifest import load_manifest
from samspel.driver.manifest_schema import BusDoc
from samspel.driver.options import DriverOptions
from samspel.driver.symptoms import Evidence

HERE = Path(__file__).parent


@pytest.fixture
def folder(tmp_path):
    for name in ("driver.toml", "sample.toml", "faults.toml", "symptoms.toml"):
        shutil.copy(HERE / name, tmp_path)
    return tmp_path


def test_paths_carry_the_common_hints_and_their_own(manifest):
    assert manifest.paths["lan"].bus.settings == {"connect_wait_s": 1.5, "timeout_s": 10.0}
    assert manifest.paths["own_wlan"].bus.settings == {"connect_wait_s": 1.5, "timeout_s": 5.0}
    assert manifest.paths["own_wlan"].session


def test_every_hint_is_one_that_the_bus_knows():
    said_by_the_address = {"tls", "tls_pin"}
    assert set(BusDoc.model_fields) == {field.name for field in fields(BusProfile)} - said_by_the_address


def test_a_route_of_low_confidence_is_off_until_it_is_named(manifest):
    def names(*allowed):
        return [route.name for route in manifest.routes("SAMPLE-5K", "V1.150", "lan", frozenset(allowed))]

    assert "guesswork" not in names()
    assert "guesswork" in names("guesswork")
    assert manifest.routes("OTHER", "V1.150", "lan") == ()


def test_the_first_route_of_a_direction_is_preferred(manifest):
    routes = manifest.routes("SAMPLE-5K", "V1.150", "lan")
    assert [route.name for route in routes if route.direction is Direction.ZERO] == ["held_zero"]


def test_symptoms_are_closed_evidence(manifest):
    assert manifest.symptoms[0].when == {Evidence.CONNECTION_REFUSED}


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("driver.toml", 'title = "', 'titel = "', r"driver.toml: file: unknown key 'titel'; did you mean 'title'"),
        ("driver.toml", "port = 502", "prot = 502", r"\[paths\] 1: unknown key 'prot'; did you mean 'port'"),
        ("driver.toml", "port = 502", "port = 70000", r"\[paths\] 1 port: found 70000"),
        (
            "driver.toml",
            'direction = "charge"',
            'direction = "up"',
            r"\[capabilities\] 1 routes 1 direction: found 'up'.*'charge', 'discharge' or 'zero'",
        ),
        ("driver.toml", 'map_schema = "1.0"', 'map_schema = "9.0"', r"map_schema: found '9.0'"),
        ("driver.toml", "(?P<model>", "(?P<model", "not a regular expression"),
        ("driver.toml", "[[capabilities]]\n", '[[capabilities]]\npaths = ["moon"]\n', r"found \['moon'\], allowed"),
        (
            "driver.toml",
            "[[capabilities]]\n",
            '[[capabilities]]\ncontrol = "forced"\n',
            r"\[capabilities\] 1 control: found 'forced', the maps have: none",
        ),
        ("driver.toml", 'maps = ["sample.toml"]', 'maps = ["gone.toml"]', "gone.toml: cannot be read"),
        ("faults.toml", 'register = "alarm"', 'register = "alram"', "'alram' is not in the map"),
        ("symptoms.toml", "connection_refused", "it_is_late", r"\[symptoms\] 1 when 1: found 'it_is_late', allowed"),
        ("sample.toml", "write = 6,", 'write = 6, never_write = "no",', "nobody may ever write it"),
    ],
)
def test_what_is_wrong_is_said_with_file_table_and_key(folder, file, old, new, complaint):
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    with pytest.raises(MapError, match=complaint):
        load_manifest(folder / "driver.toml")


def test_what_a_site_may_name(manifest, second):
    assert (manifest.controls, manifest.units) == (frozenset(), frozenset())
    assert (second.controls, second.units) == ({"forced", "slots"}, {"pack"})
    assert [path.read_back for path in second.paths.values()] == [True, False]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"control": "force"}, "has no control 'force'; it has forced, slots"),
        ({"units": {"pak": 200}}, "reads no further unit 'pak'; it knows pack"),
        ({"units": {"pack": 1}}, "neither the device's own nor shared"),
    ],
)
def test_a_site_that_names_something_else_is_told(options, complaint):
    brand = SimpleNamespace(manifest=HERE / "second" / "driver.toml", package=SimpleNamespace(session=None))
    url = parse_url("modbus-tcp://127.0.0.1:15020?unit=1")
    with pytest.raises(ConfigError, match=complaint):
        attach(brand, url, LoopClock(), random.Random(1), options=DriverOptions(**options))
    attach(brand, url, LoopClock(), random.Random(1), options=DriverOptions(control="forced", units={"pack": 200}))
