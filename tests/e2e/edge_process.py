"""`samspel run` as a process of its own: started, killed, started again, and what it leaves on disk."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .patience import PATIENCE_S, until


def environment(folder: Path) -> dict[str, str]:
    """Nothing of the machine's own state: journals and locks live in the test's folder."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("SAMSPEL")}
    return {**plain, "XDG_STATE_HOME": str(folder / "state"), "SAMSPEL_LOCK_DIR": str(folder / "locks")}


def _stat(pid: int | str) -> tuple[str, int]:
    """State and parent of a process, as Linux tells them; a zombie counts as gone. ProcessLookupError."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError as error:
        raise ProcessLookupError(pid) from error
    if state in "ZX":
        raise ProcessLookupError(pid)
    return state, int(parent)


def is_gone(pid: int | None) -> bool:
    """Whether a process has ended, although nobody may have asked for its exit code yet."""
    try:
        return pid is None or not _stat(pid)
    except ProcessLookupError:
        return True


def child_of(pid: int) -> int | None:
    """The process that it has started, if it lives."""
    for found in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError):
            if _stat(found.name)[1] == pid:
                return int(found.name)
    return None


@dataclass
class EdgeProcess:
    """`samspel run site.toml`, started, killed and started again: its guard and its edge, which are one process group.

    `kill` is the power loss of the whole box. What happens to the edge alone is in `test_guard.py`.
    """

    site_file: Path
    folder: Path
    more_environment: Mapping[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> str:
        """All that its lives have logged."""
        return (self.folder / "edge.log").read_text("utf-8")

    @property
    def database(self) -> Path:
        """Its journal and outbox."""
        return next((self.folder / "state").rglob("edge.sqlite"))

    async def start(self) -> None:
        """Start it; it connects by itself."""
        with (self.folder / "edge.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "samspel", "--log", "json", "run", str(self.site_file)),
                stderr=log,
                env={**environment(self.folder), **self.more_environment},
                start_new_session=True,
            )

    @property
    def child(self) -> int | None:
        """The process id of what the guard runs just now: the edge itself, a rescuer, or nothing."""
        assert self.process is not None
        return child_of(self.process.pid)

    async def kill(self) -> None:
        """SIGKILL to both at once."""
        assert self.process is not None
        child = self.child
        os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()
        await until(lambda: is_gone(child), "nothing of the edge is left")

    async def terminate(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), PATIENCE_S)

    async def close(self) -> None:
        """Whatever it does, it ends."""
        if self.process is not None and self.process.returncode is None:
            await self.kill()

    def documents(self) -> dict[str, Any]:
        """The journal on disk, by name."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as connection:
            rows = connection.execute("SELECT name, document FROM journal").fetchall()
        connection.close()
        return {name: json.loads(document) for name, document in rows}

    def waiting(self) -> list[dict[str, Any]]:
        """What still waits on disk for the broker."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as connection:
            rows = connection.execute("SELECT payload FROM outbox").fetchall()
        connection.close()
        return [json.loads(payload) for (payload,) in rows]
