"""Scenes of a module that play at the same time, each reported as a test of its own.

Nearly all of a real home's time is waiting (for a start, a time-out, a deadline), so that ten homes take hardly
longer than one. Only the scenes that were selected are played.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio


@dataclass(frozen=True)
class Backstage:
    """What a scene may use: a folder for all, and brokers."""

    folder: Path
    make_broker: Callable[..., Any]


@asynccontextmanager
async def _bare(backstage: Backstage) -> AsyncIterator[Backstage]:
    yield backstage


class Scenes:
    """Decorate scenes with it, and give the module its `stage` and its `test_scene`.

    `opening` makes what the scenes share from the backstage; each scene is called with that. At most `at_once` play
    at the same time.
    """

    def __init__(
        self, opening: Callable[[Backstage], AbstractAsyncContextManager[Any]] = _bare, *, at_once: int = 6
    ) -> None:
        self._opening, self._at_once = opening, at_once
        self._scenes: dict[str, Callable[[Any], Awaitable[None]]] = {}
        self._slow: set[str] = set()

    def __call__(self, scene: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
        self._scenes[scene.__name__] = scene
        return scene

    def slow(self, scene: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
        """A scene that waits long whatever the machine, or one of many of its kind: `make test` leaves it out."""
        self._slow.add(scene.__name__)
        return self(scene)

    def _named(self, name: str) -> Any:
        return pytest.param(name, marks=pytest.mark.slow) if name in self._slow else name

    def stage(self) -> Any:
        """The module's fixture: plays what was selected, and ends what is left."""

        @pytest_asyncio.fixture(scope="module", loop_scope="module", name="stage")
        async def stage(request, mosquitto_factory, tmp_path_factory) -> AsyncIterator[dict[str, asyncio.Task[None]]]:
            module = request.node.nodeid
            wanted = [
                item.callspec.params["scene"]
                for item in request.session.items
                if item.nodeid.startswith(f"{module}::test_scene[")
            ]
            backstage = Backstage(tmp_path_factory.mktemp("stage"), mosquitto_factory)
            async with self._opening(backstage) as shared:
                gate = asyncio.Semaphore(self._at_once)
                playing = {name: asyncio.create_task(_play(self._scenes[name], shared, gate)) for name in wanted}
                yield playing
                for task in playing.values():
                    task.cancel()
                await asyncio.gather(*playing.values(), return_exceptions=True)

        return stage

    def test(self) -> Any:
        """The module's test: one for each scene."""

        @pytest.mark.mosquitto
        @pytest.mark.asyncio(loop_scope="module")
        @pytest.mark.parametrize("scene", [self._named(name) for name in self._scenes])
        async def test_scene(scene: str, stage: dict[str, asyncio.Task[None]]) -> None:
            await stage[scene]

        return test_scene


async def _play(scene: Callable[[Any], Awaitable[None]], shared: Any, gate: asyncio.Semaphore) -> None:
    async with gate:
        await scene(shared)
