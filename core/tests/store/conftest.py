from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from samspel.clock import SystemClock
from samspel.store.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "samspel.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    made = Store.open(path, SystemClock())
    yield made
    await made.close()
