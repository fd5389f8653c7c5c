"""What was refused once is not refused again: a broker that repeats a message must not end its command twice."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping

from samspel.contract.driver import Json

__all__ = ["Repeats"]

REMEMBERED_REFUSALS = 256


class Repeats:
    """The newest refused messages, byte for byte: a retained one comes again at each connect, and one whose
    acknowledgement was lost with a process comes again to the next. Another message with the same id is judged anew.
    """

    def __init__(self, kept: Mapping[str, Json], keep: int = REMEMBERED_REFUSALS) -> None:
        digests = kept.get("refused")
        self._keep = keep
        self._refused = (
            OrderedDict.fromkeys(str(one) for one in digests) if isinstance(digests, list) else OrderedDict()
        )

    def to_json(self) -> dict[str, Json]:
        """For the journal."""
        return {"refused": [*self._refused]}

    def refused(self, topic: str, payload: bytes) -> bool:
        """Whether this very message was refused before."""
        return _digest(topic, payload) in self._refused

    def remember(self, topic: str, payload: bytes) -> None:
        """This message has been refused."""
        self._refused[_digest(topic, payload)] = None
        while len(self._refused) > self._keep:
            self._refused.popitem(last=False)


def _digest(topic: str, payload: bytes) -> str:
    return hashlib.blake2b(topic.encode() + b"\0" + payload, digest_size=16).hexdigest()
