"""What was refused once is not refused again: a broker that repeats a message must not end its command twice."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

__all__ = ["Repeats"]

REMEMBERED_REFUSALS = 256


class Repeats:
    """The newest refused messages, byte for byte: a retained one comes again at each connect.

    Another message with the same id is judged anew. Kept in memory: a restart may answer one more time.
    """

    def __init__(self, keep: int = REMEMBERED_REFUSALS) -> None:
        self._keep = keep
        self._refused: OrderedDict[bytes, None] = OrderedDict()

    def refused(self, topic: str, payload: bytes) -> bool:
        """Whether this very message was refused before."""
        return _digest(topic, payload) in self._refused

    def remember(self, topic: str, payload: bytes) -> None:
        """This message has been refused."""
        self._refused[_digest(topic, payload)] = None
        while len(self._refused) > self._keep:
            self._refused.popitem(last=False)


def _digest(topic: str, payload: bytes) -> bytes:
    return hashlib.blake2b(topic.encode() + b"\0" + payload, digest_size=16).digest()
