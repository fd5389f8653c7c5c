"""What people write: addresses and profiles, and what they hear when it is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.bus.profile import BusProfile
from samspel.bus.url import BusUrl, parse_url
from samspel.contract.errors import ConfigError

PIN = "0f" * 32


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("modbus-tcp://192.0.2.7:502?unit=1", BusUrl("modbus-tcp", "192.0.2.7", 502, 1)),
        ("modbus-tcp://192.0.2.7:6607/?unit=0", BusUrl("modbus-tcp", "192.0.2.7", 6607, 0)),
        ("modbus-tcp://dongle.lan", BusUrl("modbus-tcp", "dongle.lan", 502, None)),
        ("modbus-rtu-tcp://192.0.2.7:4196?unit=247", BusUrl("modbus-rtu-tcp", "192.0.2.7", 4196, 247)),
        ("modbus-tcp://[2001:db8::7]:502", BusUrl("modbus-tcp", "2001:db8::7", 502, None)),
        ("modbus-tls://192.0.2.7", BusUrl("modbus-tls", "192.0.2.7", 802, None)),
        (f"modbus-tls://192.0.2.7:516?pin={PIN.upper()}&unit=1", BusUrl("modbus-tls", "192.0.2.7", 516, 1, PIN)),
    ],
)
def test_addresses(text, url):
    assert parse_url(text) == url


@given(
    st.ip_addresses().map(str), st.integers(1, 65535), st.none() | st.integers(0, 255), st.sampled_from(["", "0f" * 32])
)
def test_an_address_reads_back_as_it_prints(host, port, unit, pin):
    url = BusUrl("modbus-tls" if pin else "modbus-tcp", host, port, unit, pin)
    assert parse_url(str(url)) == url


def test_the_scheme_names_the_framing():
    assert parse_url("modbus-tcp://a").framing == "socket"
    assert parse_url("modbus-rtu-tcp://a").framing == "rtu"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "scheme"),
        ("192.0.2.7:502", "scheme"),
        ("http://192.0.2.7", "scheme 'http'"),
        ("modbus-serial:///dev/ttyUSB0", "not supported yet"),
        ("modbus-tcp://", "no host"),
        ("modbus-tcp://a:0", "port 0"),
        ("modbus-tcp://a:70000", "port"),
        ("modbus-tcp://a:x", "port"),
        ("modbus-tcp://a b", "host"),
        ("modbus-tcp://" + "a" * 80, "valid name"),
        ("modbus-tcp://a?unit=", "unit ''"),
        ("modbus-tcp://a?unit=-1", "unit '-1'"),
        ("modbus-tcp://a?unit=256", "unit '256'"),
        ("modbus-tcp://a?unit=1&unit=2", "one unit"),
        ("modbus-tcp://a?slave=1", "options"),
        (f"modbus-tcp://a?pin={'0f' * 32}", "options"),
        ("modbus-tls://a?pin=0f", "64 hexadecimal digits"),
        ("modbus-tls://a?pin=", "64 hexadecimal digits"),
        ("modbus-tcp://a/b", "only host"),
        ("modbus-tcp://user:secret@a", "only host"),
        ("modbus-tcp://[::1", "expected"),
    ],
)
def test_wrong_addresses_say_what_is_wrong_and_show_a_right_one(text, reason):
    with pytest.raises(ConfigError, match="expected for example modbus-tcp://") as caught:
        parse_url(text)
    assert reason.lower() in str(caught.value).lower()


@pytest.mark.parametrize(
    "changes",
    [
        {"framing": "ascii"},
        {"gap_s": -1.0},
        {"gap_s": float("nan")},
        {"timeout_s": 0.0},
        {"timeout_s": 1.0, "min_timeout_s": 2.0},
        {"connect_timeout_s": 0.0},
        {"backoff_s": (2.0, 1.0)},
        {"backoff_s": (0.0, 1.0)},
        {"reconnect_s": (0.0, 30.0)},
        {"reconnect_s": (1.0, 31.0)},
        {"drop_after_timeouts": 0},
        {"busy_tries": 0},
        {"gap_s": 2.0, "gap_max_s": 1.0},
    ],
)
def test_a_profile_that_cannot_work_is_refused(changes):
    with pytest.raises(ConfigError, match="bus profile"):
        BusProfile(**changes)
