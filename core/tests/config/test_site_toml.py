"""site.toml: fifteen lines are enough, and every mistake is named with file, key, finding and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
from samspel.config import SiteConfig, load_site
from samspel.contract.command import Rank
from samspel.contract.errors import ConfigError

FIFTEEN = """\
[site]
name = "home-0001"

[mqtt]
url = "mqtt://127.0.0.1:1883"

[issuers]
dispatcher = ["fleet-a"]
installer = ["installer"]

[devices.battery]
driver = "acme"
url = "modbus-tcp://127.0.0.1:15020?unit=1"
limits = { charge_w = 5000, discharge_w = 5000, soc_min_pct = 10, soc_max_pct = 95 }
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Load the fifteen lines with one part replaced."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def loaded(old: str = "", new: str = "") -> SiteConfig:
        assert old in FIFTEEN
        path = tmp_path / "site.toml"
        path.write_text(FIFTEEN.replace(old, new, 1), encoding="utf-8")
        return load_site(path)

    return loaded


def test_fifteen_lines_are_enough(load, tmp_path):
    site = load()
    assert site.site.name == "home-0001"
    assert (site.mqtt.host, site.mqtt.port, site.mqtt.tls) == ("127.0.0.1", 1883, False)
    assert site.ranks() == {"fleet-a": Rank.DISPATCHER, "installer": Rank.INSTALLER}
    battery = site.devices["battery"]
    assert (battery.driver, battery.limits.charge_w, battery.limits.soc_max_pct) == ("acme", 5000, 95)
    assert battery.filters == ("contract_limits", "gate", "wear_budget", "battery_limits")
    assert site.site.state_directory() == tmp_path / "samspel" / "home-0001"
    assert site.mqtt.read_password() is None


@pytest.mark.parametrize(
    ("url", "port", "tls"), [("mqtts://broker", 8883, True), ("mqtt://broker", 1883, False), ("mqtts://b:1", 1, True)]
)
def test_the_brokers_address(load, url, port, tls):
    site = load("mqtt://127.0.0.1:1883", url)
    assert (site.mqtt.port, site.mqtt.tls) == (port, tls)


MQTT = 'url = "mqtt://127.0.0.1:1883"'

WRONG = [
    ('"home-0001"', '"home 1"', "site.name", "'home 1'"),
    ('name = "home-0001"', 'nam = "home"', "site.nam", "did you mean 'name'"),
    ('name = "home-0001"', "", "site.name", "required and missing"),
    ("[site]", "[site]\nnonce_s = 0", "site.nonce_s", "greater than 0; found 0"),
    ("[site]", "[site]\nmax_skew_s = inf", "site.max_skew_s", "finite"),
    ("[site]", "[sites]\na = 1\n[site]", "sites", "did you mean 'site'"),
    ("mqtt://127.0.0.1:1883", "http://127.0.0.1", "mqtt.url", "mqtt://host:port or mqtts://host:port; found 'http:"),
    ("1883", "99999", "mqtt.url", "mqtt://host:port"),
    (MQTT, f'{MQTT}\nprotocol = "6"', "mqtt.protocol", "'auto', '5' or '3.1.1'; found '6'"),
    (MQTT, f"{MQTT}\nkeepalive_s = 1", "mqtt.keepalive_s", "greater than or equal to 5; found 1"),
    (MQTT, f'{MQTT}\npassword = "x"', "mqtt.password", "allowed: mqtt.password_file"),
    (
        'driver = "acme"',
        'driver = "acme"\nsession = { password = "x" }',
        "devices.battery.session.password",
        "_file, or SAM",
    ),
    (MQTT, "", "mqtt.url", "required and missing"),
    ("dispatcher", "boss", "issuers.boss", "'household', 'dispatcher', 'installer' or 'local_safety'; found 'boss'"),
    ('["fleet-a"]', '"fleet-a"', "issuers.dispatcher", "found 'fleet-a'"),
    ('["installer"]', '["fleet-a"]', "issuers", "both dispatcher and installer"),
    ('driver = "acme"\n', "", "devices.battery.driver", "required and missing"),
    ('driver = "acme"', "driver = 7", "devices.battery.driver", "found 7"),
    ("[devices.battery]", '[devices."bat.tery"]', "devices", "letters, digits, '_' and '-' only"),
    ("charge_w = 5000, d", "charge_w = -1, d", "devices.battery.limits.charge_w", "equal to 0; found -1"),
    ("charge_w = 5000, d", 'charge_w = "lots", d', "devices.battery.limits.charge_w", "valid number"),
    ("charge_w = 5000, d", "charge_kw = 5, d", "devices.battery.limits.charge_kw", "did you mean 'charge_w'"),
    ("soc_min_pct = 10", "soc_min_pct = 95", "devices.battery.limits", "95 is not below soc_max_pct 95"),
    ("soc_max_pct = 95", "soc_max_pct = 101", "devices.battery.limits.soc_max_pct", "equal to 100; found 101"),
    (
        "[devices.battery]",
        '[devices.battery]\ngrid_sign = "odd"',
        "devices.battery.grid_sign",
        "'reversed'; found 'odd'",
    ),
    (
        "[devices.battery]",
        "[devices.battery]\npoll = { fast = 1 }",
        "devices.battery.poll.fast",
        "did you mean 'fast_s'",
    ),
    ("[site]", "[control]\nzzz = 1\n[site]", "control.zzz", "allowed: check_s, orphan_s, stop_hold_max_s"),
    ("[site]", "[site", "not valid TOML", "line 1"),
]


@pytest.mark.parametrize(("old", "new", "key", "sentence"), WRONG, ids=[f"{row[2]}: {row[1]!r}" for row in WRONG])
def test_every_mistake_is_named(load, old, new, key, sentence):
    with pytest.raises(ConfigError) as caught:
        load(old, new)
    text = str(caught.value)
    assert "site.toml: " in text
    assert key in text
    assert sentence in text
    assert "pydantic" not in text


def test_all_mistakes_are_named_at_once(load):
    with pytest.raises(ConfigError, match=r"2 mistake\(s\)(?s:.*)site.name(?s:.*)site.nam"):
        load('name = "home-0001"', 'nam = "home"')


def test_a_password_in_the_url_is_refused_and_not_repeated(load):
    with pytest.raises(ConfigError, match="password_file") as caught:
        load("mqtt://", "mqtt://someone:secret@")
    assert "secret" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.toml: cannot be read: No such file"):
        load_site(tmp_path / "absent.toml")


def test_a_file_that_is_no_text(tmp_path):
    path = tmp_path / "site.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_site(path)


# --- environment and secrets ----------------------------------------------------------------------------------------


def test_the_environment_outranks_the_file(load, monkeypatch):
    monkeypatch.setenv("SAMSPEL__SITE__NAME", "another")
    monkeypatch.setenv("SAMSPEL__DEVICES__BATTERY__LIMITS__CHARGE_W", "1000")
    site = load()
    assert site.site.name == "another"
    limits = site.devices["battery"].limits
    assert (limits.charge_w, limits.discharge_w) == (1000, 5000), "what it does not name stays"


def test_a_mistake_in_the_environment_is_named_too(load, monkeypatch):
    monkeypatch.setenv("SAMSPEL__MQTT__PROTOCOL", "6")
    with pytest.raises(ConfigError, match=r"mqtt\.protocol"):
        load()


def test_the_password_comes_from_the_environment_and_is_not_shown(load, monkeypatch):
    monkeypatch.setenv("SAMSPEL__MQTT__PASSWORD", "secret")
    site = load()
    assert site.mqtt.read_password() == "secret"
    assert "secret" not in repr(site)


def test_the_password_comes_from_a_file_without_its_line_end(load, tmp_path):
    file = tmp_path / "password"
    file.write_text("se cret \n")
    site = load(MQTT, f'{MQTT}\npassword_file = "{file}"')
    assert site.mqtt.read_password() == "se cret "


def test_a_password_file_that_is_not_there_is_named(load):
    site = load(MQTT, f'{MQTT}\npassword_file = "/nowhere/password"')
    with pytest.raises(ConfigError, match=r"mqtt\.password_file: /nowhere/password cannot be read"):
        site.mqtt.read_password()


def test_a_directory_of_its_own(load):
    site = load("[site]", '[site]\ndirectory = "~/samspel"')
    assert site.site.state_directory() == Path.home() / "samspel"


def test_the_password_of_a_login_comes_from_a_file_or_the_environment(load, tmp_path, monkeypatch):
    file = tmp_path / "installer"
    file.write_text("00000a\n", encoding="utf-8")
    site = load('driver = "acme"', f'driver = "acme"\nsession = {{ user = "i", password_file = "{file}" }}')
    assert site.devices["battery"].read_session() == {"user": "i", "password": "00000a"}
    monkeypatch.setenv("SAMSPEL__DEVICES__BATTERY__SESSION__PASSWORD", "other")
    assert load().devices["battery"].read_session() == {"password": "other"}


# --- control, constants, units ---

DEVICE_END = "limits = { charge_w = 5000"


def test_a_device_may_name_control_constants_and_units(load):
    keys = 'control = "compulsory"\nconstants = { rated_power_w = 10000 }\nunits = { pack = 200 }\n'
    battery = load(DEVICE_END, keys + DEVICE_END).devices["battery"]
    assert (battery.control, battery.constants, battery.units) == (
        "compulsory",
        {"rated_power_w": 10000},
        {"pack": 200},
    )
    plain = load().devices["battery"]
    assert (plain.control, plain.constants, plain.units) == ("", {}, {})


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ("constants = { rated_power = 1 }", "'rated_power' is no signal with a unit; did you mean 'rated_power_w'?"),
        ("constants = { battery_state = 1 }", "'battery_state' is no signal with a unit"),
        (
            "constants = { rated_power_w = 0 }",
            "devices.battery.constants.rated_power_w: Input should be greater than 0",
        ),
        ("units = { pack = 256 }", "devices.battery.units.pack: Input should be less than or equal to 255"),
        ("contol = 1", "did you mean 'control'?"),
    ],
)
def test_what_is_wrong_with_them_is_said(load, keys, complaint):
    with pytest.raises(ConfigError) as caught:
        load(DEVICE_END, f"{keys}\n{DEVICE_END}")
    assert complaint in str(caught.value)
