"""The installer login of the inverter's own WLAN: vendor function 0x41, kept alive through register 49999.

Subfunction 0x24 asks for a challenge of 16 bytes. Subfunction 0x25 answers it with HMAC-SHA256 under the SHA-256 of the
password, and sends a challenge of ours, which the device must answer in the same way. Source: facts 4.9 (medium).
"""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from samspel.contract.errors import BadAnswer, ConfigError, RequirementFailed
from samspel.contract.ports import BusLink, Priority

__all__ = ["InstallerSession", "make_session"]

_log = logging.getLogger(__name__)

LOGIN = 0x41
CHALLENGE = 0x24
ANSWER = 0x25
CHALLENGE_BYTES = 16
HEARTBEAT_REGISTER = 49999
HEARTBEAT_S = 15.0


class InstallerSession:
    """Logs in on every new connection. Without a password it does nothing: reading needs no login.

    `random_bytes(n)` gives the challenge that the device has to answer.
    """

    def __init__(
        self,
        password: str | None,
        user: str = "installer",
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._key = None if password is None else sha256(password.encode()).digest()
        self._user = user.encode()
        self._random_bytes = random_bytes

    @property
    def interval_s(self) -> float:
        """Seconds between heartbeats."""
        return HEARTBEAT_S

    async def open(self, link: BusLink) -> None:
        """Log in. Raises RequirementFailed for a wrong password or a device that does not know it either."""
        if self._key is None:
            _log.info("no installer password is configured; the device may refuse writes")
            return
        challenge = _challenge_in(await self._exchange(link, CHALLENGE, b"\0"))
        ours = self._random_bytes(CHALLENGE_BYTES)
        proof = _digest(self._key, challenge)
        body = ours + _counted(self._user) + _counted(proof)
        self._check(await self._exchange(link, ANSWER, body), ours, self._key)

    async def keep_alive(self, link: BusLink) -> None:
        """One heartbeat; the session ends without one for too long."""
        if self._key is not None:
            await link.write(HEARTBEAT_REGISTER, (1,), function=6, priority=Priority.VERIFICATION)

    async def _exchange(self, link: BusLink, subfunction: int, body: bytes) -> bytes:
        """Send `body` under a subfunction; the body of the answer."""
        payload = bytes([subfunction]) + _counted(body)
        answer = await link.exchange(LOGIN, payload, priority=Priority.VERIFICATION)
        if len(answer) < 2 or answer[0] != subfunction:
            raise BadAnswer(f"login step 0x{subfunction:02X} was answered with {answer[:2].hex() or 'nothing'}")
        return answer[2:]

    def _check(self, body: bytes, ours: bytes, key: bytes) -> None:
        """First byte: 0 is success. Then the device's own proof, counted; newer firmware appends a password status."""
        if not body:
            raise BadAnswer("the login was answered without a result")
        if body[0] != 0:
            raise RequirementFailed("the device refused the installer login; check the password in the session table")
        proof = body[2 : 2 + body[1]] if len(body) > 1 else b""
        if not hmac.compare_digest(proof, _digest(key, ours)):
            raise RequirementFailed("the device does not know the installer password itself; it may be an impostor")


def make_session(settings: Mapping[str, Any], /) -> InstallerSession:
    """The session for a device's `session` table: `password`, and `user` (default installer). Raises ConfigError."""
    unknown = sorted(set(settings) - {"password", "user"})
    if unknown:
        raise ConfigError(f"session: unknown key {', '.join(unknown)}; allowed: password, user")
    password, user = settings.get("password"), settings.get("user", "installer")
    if not isinstance(password, str | None) or not isinstance(user, str):
        raise ConfigError("session: password and user are texts in quotes")
    return InstallerSession(password, user)


def _challenge_in(body: bytes) -> bytes:
    if len(body) < CHALLENGE_BYTES:
        raise BadAnswer(f"the login challenge has {len(body)} bytes; {CHALLENGE_BYTES} are expected")
    return body[:CHALLENGE_BYTES]


def _digest(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _counted(content: bytes) -> bytes:
    return bytes([len(content)]) + content
