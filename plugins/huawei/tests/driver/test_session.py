"""The installer login against an inverter that keeps the documented handshake; digests computed here once more."""

from __future__ import annotations

import hashlib
import hmac
import logging

import pytest
from samspel.contract.errors import BadAnswer, ConfigError, RequirementFailed
from samspel_huawei.session import InstallerSession, make_session

pytestmark = pytest.mark.looptime

PASSWORD = "00000a"
CHALLENGE = bytes(range(16))
OURS = bytes(range(100, 116))


def digest(password: str, message: bytes) -> bytes:
    return hmac.new(hashlib.sha256(password.encode()).digest(), message, hashlib.sha256).digest()


class Door:
    """The device's side of the login."""

    def __init__(self, password: str = PASSWORD, tail: bytes = b"", proof: bytes | None = None) -> None:
        self.password, self.tail, self.proof = password, tail, proof
        self.seen: list[bytes] = []

    def __call__(self, payload: bytes) -> bytes:
        self.seen.append(payload)
        if payload[0] == 0x24:
            assert payload == b"\x24\x01\x00"
            return b"\x24\x11" + CHALLENGE + b"\x00"
        assert payload[0] == 0x25
        assert payload[1] == len(payload) - 2
        ours, user, proof = self.fields(payload[2:])
        if user != b"installer" or proof != digest(self.password, CHALLENGE):
            return b"\x25\x02\x01\x00"
        answer = digest(self.password, ours) if self.proof is None else self.proof
        return b"\x25" + bytes([len(answer) + 2]) + b"\x00" + bytes([len(answer)]) + answer + self.tail

    @staticmethod
    def fields(body: bytes) -> tuple[bytes, bytes, bytes]:
        ours, rest = body[:16], body[16:]
        user, rest = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
        return ours, user, rest[1 : 1 + rest[0]]


def session(password: str | None = PASSWORD) -> InstallerSession:
    return InstallerSession(password, random_bytes=lambda count: OURS[:count])


@pytest.mark.parametrize("tail", [b"", b"\x00\x00", b"\x00\x02"], ids=["older", "newer", "newer, change advised"])
async def test_the_handshake(inverter, tail):
    inverter.answers = door = Door(tail=tail)
    await session().open(inverter)
    assert len(door.seen) == 2
    assert door.seen[1][2:18] == OURS


async def test_the_proof_is_the_one_that_another_tool_computes(inverter):
    """`openssl dgst -sha256 -mac HMAC` over bytes 0 to 15, under the SHA-256 of 00000a."""
    inverter.answers = door = Door()
    await session().open(inverter)
    _, _, proof = door.fields(door.seen[1][2:])
    assert proof.hex() == "e53e898f42478c564818689b929ac641b7828eb3808c0170e158e6fea8aee999"


async def test_a_wrong_password_is_said_and_not_shown(inverter, caplog):
    caplog.set_level(logging.DEBUG)
    inverter.answers = Door()
    with pytest.raises(RequirementFailed, match="refused the installer login") as caught:
        await session("s3cret-word").open(inverter)
    assert "s3cret-word" not in str(caught.value) + caplog.text + repr(session("s3cret-word"))


@pytest.mark.parametrize("proof", [b"", bytes(32), digest("other", OURS), digest(PASSWORD, OURS)[:31]])
async def test_a_device_that_cannot_prove_itself_is_refused(inverter, proof):
    inverter.answers = Door(proof=proof)
    with pytest.raises(RequirementFailed, match="impostor"):
        await session().open(inverter)


@pytest.mark.parametrize("answer", [b"", b"\x24", b"\x25\x00", b"\x24\x11" + bytes(5)])
async def test_a_torn_answer_is_a_bad_answer(inverter, answer):
    inverter.answers = lambda payload: answer
    with pytest.raises(BadAnswer):
        await session().open(inverter)


async def test_without_a_password_nothing_is_sent(inverter):
    await session(None).open(inverter)
    await session(None).keep_alive(inverter)
    assert inverter.writes == []


async def test_the_heartbeat(inverter):
    one = session()
    await one.keep_alive(inverter)
    assert [(address, words) for address, words, _ in inverter.writes] == [(49999, (1,))]
    assert one.interval_s == 15


async def test_the_driver_logs_in_on_each_connection_of_the_inverters_own_wlan(inverter, make_driver, manifest):
    inverter.answers = door = Door()
    driver = make_driver(path="inverter_wlan", session=make_session({"password": PASSWORD}))
    await driver.confirm(inverter)
    await driver.confirm(inverter)
    assert len(door.seen) == 4
    assert {name for name, path in manifest.paths.items() if path.session} == {"inverter_wlan", "inverter_wlan_502"}


@pytest.mark.parametrize("settings", [{"pasword": "x"}, {"password": 12345}, {"password": "x", "user": 1}])
def test_settings_that_cannot_be_used(settings):
    with pytest.raises(ConfigError, match="session"):
        make_session(settings)
