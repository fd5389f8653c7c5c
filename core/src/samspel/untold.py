"""Commands that were accepted, and of whose end nothing is on its way to disk yet.

An end is journaled before it is said; a process that is killed between the two would leave a dispatcher waiting for
ever. The list goes to disk together with the outcomes themselves, so that the next process can tell what it finds
there and control no longer holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from samspel.contract.outcome import Outcome, Stage
from samspel.contract.ports import JournalPort

__all__ = ["Untold"]

DOCUMENT = "untold"


class Untold:
    """Of one site. `note` is called with every outcome as it is queued."""

    def __init__(self, journal: JournalPort) -> None:
        self._journal = journal
        document = journal.get(DOCUMENT) or {}
        self._open = {device: [str(one) for one in ids] for device, ids in document.items() if isinstance(ids, list)}

    def note(self, outcome: Outcome) -> None:
        """An acceptance opens a command, an end closes it."""
        open_ = self._open.setdefault(outcome.device, [])
        is_open = outcome.command_id in open_
        if outcome.stage is Stage.ACCEPTED and not is_open:
            open_.append(outcome.command_id)
        elif outcome.end is not None and is_open:
            open_.remove(outcome.command_id)
        else:
            return
        self._keep()

    def adopt(self, device: str, held: Iterable[str]) -> None:
        """Control holds these from an earlier process, which may have died before it said that they were accepted."""
        open_ = self._open.setdefault(device, [])
        open_ += [one for one in held if one not in open_]
        self._keep()

    def _keep(self) -> None:
        self._journal.note(DOCUMENT, {device: [*ids] for device, ids in self._open.items()})

    def left(self, device: str, held: Collection[str | None], decided: Collection[str]) -> list[str]:
        """What an earlier process owes of this device, when control holds these commands. `decided` are the keys of
        those that the broker has let go, ending in the id: any other comes again, and is answered then.
        """
        owed = (one for one in self._open.get(device, []) if one not in held)
        return [one for one in owed if any(key == one or key.endswith(f"/{one}") for key in decided)]
