"""The installer's login (function 0x41): challenge and answer by HMAC-SHA256, bound to the connection."""

from __future__ import annotations

import hmac
import random
from hashlib import sha256

from samspel_sim.behaviour import Login
from samspel_sim.pdu import ILLEGAL_FUNCTION, ILLEGAL_VALUE, exception

FUNCTION = 0x41
_CHALLENGE, _LOGIN = 0x24, 0x25
_CHALLENGE_BYTES = 16


def answer(pdu: bytes, login: Login, account: tuple[str, str], now_s: float, rng: random.Random) -> bytes:
    """Answer one request of function 0x41, remembering in ``login`` what it led to; ``account`` is (user, password)."""
    if len(pdu) < 3 or pdu[2] != len(pdu) - 3:
        return exception(FUNCTION, ILLEGAL_VALUE)
    if pdu[1] == _CHALLENGE:
        login.challenge = rng.randbytes(_CHALLENGE_BYTES)
        return bytes([FUNCTION, _CHALLENGE, _CHALLENGE_BYTES + 1]) + login.challenge + b"\0"
    if pdu[1] == _LOGIN:
        return _log_in(pdu[3:], login, account, now_s)
    return exception(FUNCTION, ILLEGAL_FUNCTION)


def _log_in(content: bytes, login: Login, account: tuple[str, str], now_s: float) -> bytes:
    user, password = account
    theirs, rest = content[:_CHALLENGE_BYTES], content[_CHALLENGE_BYTES:]
    challenge, login.challenge, login.user = login.challenge, None, None
    try:
        name, digest = _fields(rest)
    except IndexError:
        return exception(FUNCTION, ILLEGAL_VALUE)
    right = challenge is not None and name == user.encode() and hmac.compare_digest(digest, _mac(password, challenge))
    if not right:
        return bytes([FUNCTION, _LOGIN, 2, 1, 0])
    login.user, login.heartbeat_at_s = user, now_s
    mac = _mac(password, theirs)
    return bytes([FUNCTION, _LOGIN, 2 + len(mac), 0, len(mac)]) + mac


def _fields(rest: bytes) -> tuple[bytes, bytes]:
    name_end = 1 + rest[0]
    digest_end = name_end + 1 + rest[name_end]
    return rest[1:name_end], rest[name_end + 1 : digest_end]


def _mac(password: str, challenge: bytes) -> bytes:
    return hmac.digest(sha256(password.encode()).digest(), challenge, sha256)
