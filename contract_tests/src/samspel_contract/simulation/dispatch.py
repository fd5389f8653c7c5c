"""Everybody who commands the simulated home, honest and not, from a seed."""

from __future__ import annotations

import asyncio
import json
import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from math import inf
from typing import Any

from samspel.contract.command import Rank

from samspel_contract.edge import DEVICE, SITE
from samspel_contract.simulation.events import Heard, Sent
from samspel_contract.simulation.home import Home
from samspel_contract.simulation.plan import Commands

__all__ = ["ISSUERS", "Dispatch"]

Payload = dict[str, Any]

ISSUERS: Mapping[str, Rank] = {
    "fleet-a": Rank.DISPATCHER,
    "fleet-b": Rank.DISPATCHER,
    "installer": Rank.INSTALLER,
    "family": Rank.HOUSEHOLD,
}
WEIGHTS = (6, 2, 1, 1)
STRANGER = "stranger"
HOUR_S = 3600.0
HOLDS_S = (0.0, 30.0, 120.0)
ZEROS = 1 / 6
EXACT = 1 / 4
NAMES_THE_STOP = 1 / 3
ECHOES = 1 / 2
STALE_BY_S = (1.0, 7200.0)
BROKEN: tuple[Payload, ...] = (
    {"power_w": "NaN"},
    {"ttl_s": -5.0},
    {"hold_s": -1.0},
    {"schema": "command/9.0"},
    {"power_w": None},
    {"epoch": -1},
)


@dataclass
class Dispatch:
    """`run` sends until it is cancelled; `hear` tells it what came of that."""

    home: Home
    habits: Commands
    rng: random.Random
    _epochs: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*ISSUERS, STRANGER), 1))
    _seqs: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*ISSUERS, STRANGER), 0))
    _number: int = 0
    _admitted: dict[str, int] = field(default_factory=dict)
    _sent: deque[tuple[Payload, Sent]] = field(default_factory=lambda: deque(maxlen=50))
    _open_stop: str | None = None
    _resting: dict[int, bool] = field(default_factory=dict)

    async def run(self) -> None:
        """As many of each kind as the scenario says."""
        kinds = [name for name in Commands.model_fields if name not in ("ttl_s", "most_w", "resting_share")]
        rates = [float(getattr(self.habits, kind)) for kind in kinds]
        await self.home.ready.wait()
        while sum(rates):
            await asyncio.sleep(self.rng.expovariate(sum(rates) / HOUR_S))
            (kind,) = self.rng.choices(kinds, rates)
            if kind != "set_power" or not self._is_resting():
                await getattr(self, f"_{kind}")()

    def hear(self, heard: Heard) -> None:
        """What an issuer learns from an outcome: which of its epochs has come through, and that a stop is over."""
        if heard.leaf != "outcome":
            return
        command_id = heard.message["command_id"]
        if heard.message.get("stage") == "accepted":
            issuer, epoch = command_id.split(":")[:2]
            self._admitted[issuer] = max(int(epoch), self._admitted.get(issuer, 0))
        if heard.message.get("end") is not None and command_id == self._open_stop:
            self._open_stop = None

    def _is_resting(self) -> bool:
        hour = int(self.home.now_s // HOUR_S)
        if hour not in self._resting:
            self._resting[hour] = self.rng.random() < self.habits.resting_share
        return self._resting[hour]

    # --- honest ---

    async def _set_power(self) -> None:
        await self._publish(self._follow(self._issuer()))

    async def _stop(self) -> None:
        command = self._command("stop", self._issuer())
        self._open_stop = command["id"]
        await self._publish(command)

    async def _release(self) -> None:
        issuer = "installer" if self.rng.random() < 0.5 else self._issuer()
        await self._publish(self._command("release", issuer))

    async def _new_epoch(self) -> None:
        issuer = self._issuer()
        self._epochs[issuer] += 1
        self._seqs[issuer] = 0

    async def _arm(self) -> None:
        window = {
            "product": "fcr_d_up",
            "capacity_w": 1000.0,
            "start_at": self._wall(60.0),
            "end_at": self._wall(600.0),
        }
        await self._publish(self._command("arm", self._issuer(), **window), legit=False)

    # --- not ---

    async def _stale(self) -> None:
        """Its life was over before it was sent."""
        command = self._follow(self._issuer())
        age_s = command["ttl_s"] + self.rng.uniform(*STALE_BY_S)
        await self._publish({**command, "issued_at": self._wall(-age_s), "nonce": None}, age_s=age_s)

    async def _replayed(self) -> None:
        """Word for word what was sent before."""
        if not self._sent:
            return
        command, sent = self.rng.choice(self._sent)
        self.home.events.append(replace(sent, at_s=self.home.now_s, again=True))
        await self.home.site.publish(command)

    async def _out_of_range(self) -> None:
        command = self._follow(self._issuer())
        await self._publish({**command, **self.rng.choice(BROKEN)}, legit=False)

    async def _wrong_epoch(self) -> None:
        """From a dispatcher that has lost its lease: a set-point, or a release."""
        issuer = self._issuer()
        newest = self._admitted.get(issuer, 0)
        if newest:
            command = self._follow(issuer) if self.rng.random() < 0.5 else self._command("release", issuer)
            await self._publish({**command, "epoch": newest - 1}, legit=False)

    async def _wrong_address(self) -> None:
        await self._publish({**self._follow(self._issuer()), "target": "another-site/battery"}, legit=False)

    async def _unknown_issuer(self) -> None:
        kind = self.rng.choice(("set_power", "stop", "release"))
        command = self._follow(STRANGER) if kind == "set_power" else self._command(kind, STRANGER)
        await self._publish(command, legit=False)

    # --- making and sending ---

    def _issuer(self) -> str:
        (issuer,) = self.rng.choices(list(ISSUERS), WEIGHTS)
        return issuer

    def _wall(self, in_s: float = 0.0) -> str:
        """The true time, whatever the site's clock says."""
        wall = self.home.site.setting.clock.wall() - timedelta(seconds=self.home.true_wall_offset_s - in_s)
        return wall.isoformat(timespec="milliseconds")

    def _command(self, kind: str, issuer: str, **fields: Any) -> Payload:  # noqa: ANN401 - whatever the contract's fields hold
        self._seqs[issuer] += 1
        self._number += 1
        return {
            "schema": "command/1.0",
            "id": f"{issuer}:{self._epochs[issuer]}:{self._number}",
            "issuer": issuer,
            "epoch": self._epochs[issuer],
            "seq": self._seqs[issuer],
            "issued_at": self._wall(),
            "ttl_s": self._ttl_s(),
            "target": f"{SITE}/{DEVICE}",
            "kind": kind,
            **fields,
        }

    def _follow(self, issuer: str) -> Payload:
        rng, most_w = self.rng, self.habits.most_w
        return self._command(
            "set_power",
            issuer,
            power_w=0.0 if rng.random() < ZEROS else round(rng.uniform(-most_w, most_w)),
            on_expiry=rng.choices(("hold_then_release", "release", "hold"), (6, 3, 1))[0],
            hold_s=rng.choice(HOLDS_S),
            accept="exact" if rng.random() < EXACT else "load_following",
            nonce=self.home.nonce if rng.random() < ECHOES else None,
            ends_stop=self._open_stop if rng.random() < NAMES_THE_STOP else None,
        )

    def _ttl_s(self) -> float:
        return round(self.rng.uniform(*self.habits.ttl_s), 1)

    async def _publish(self, command: Payload, *, legit: bool = True, age_s: float = 0.0) -> None:
        sent = self._as_sent(command, legit, age_s)
        self.home.events.append(sent)
        self._sent.append((json.loads(json.dumps(command)), sent))
        await self.home.site.publish(command)

    def _as_sent(self, command: Payload, legit: bool, age_s: float) -> Sent:
        now_s = self.home.now_s
        deadline_s = now_s - age_s + float(command["ttl_s"])
        held_s = {"hold": inf, "release": 0.0}.get(command.get("on_expiry", ""), command.get("hold_s") or 0.0)
        return Sent(
            at_s=now_s,
            command_id=command["id"],
            kind=command["kind"],
            issuer=command["issuer"],
            legit=legit,
            deadline_s=deadline_s,
            until_s=deadline_s + held_s if age_s == 0 else deadline_s,
            power_w=command.get("power_w") if legit else None,
            rank=ISSUERS.get(command["issuer"], 0),
            epoch=command["epoch"],
            seq=command["seq"],
            ends_stop=command.get("ends_stop"),
            has_nonce=command.get("nonce") is not None,
        )
