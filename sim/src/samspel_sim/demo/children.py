"""The twin and the edge: processes of their own, so that one of them can be killed like in a real home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections import deque
from pathlib import Path
from typing import Any

__all__ = ["Edge", "TwinProcess"]

READY_S = 30.0


class TwinProcess:
    """``samspel sim``: a simulated inverter with its control port."""

    def __init__(self, brand: str, *, soc_pct: float, seed: int) -> None:
        arguments = [brand, "--soc", str(soc_pct), "--seed", str(seed)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "samspel_sim", *arguments], stdout=subprocess.PIPE, text=True
        )
        self.ready: dict[str, Any] = self._read_ready()

    def _read_ready(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the simulated inverter did not start; see its message above")
        ready: dict[str, Any] = json.loads(line)
        return ready

    @property
    def url(self) -> str:
        """Where the edge finds it."""
        return f"modbus-tcp://127.0.0.1:{self.ready['port']}?unit={self.ready['unit']}"

    def state(self) -> dict[str, Any]:
        """The truth, from its control port."""
        return self._ask("GET", "/state")

    def set(self, **values: Any) -> None:  # noqa: ANN401 - whatever the control port takes
        """Change the home: load, sun, charge."""
        self._ask("POST", "/set", values)

    def misbehave(self, name: str, *, on: bool, **parameters: Any) -> None:  # noqa: ANN401 - as above
        """Switch a misbehaviour on or off."""
        self._ask("POST", "/misbehave", {"name": name, "on": on, **parameters})

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ready['control_port']}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            document: dict[str, Any] = json.load(answer)
            return document

    def close(self) -> None:
        """End it."""
        _end(self._process)


class Edge:
    """``samspel run``: the edge itself, started, killed and started again."""

    def __init__(self, site_file: Path, state_folder: Path) -> None:
        self._site_file, self._state_folder = site_file, state_folder
        self._process: subprocess.Popen[str] | None = None
        self.log: deque[str] = deque(maxlen=200)

    def start(self) -> None:
        """Start it; it connects by itself."""
        environment = os.environ | {"XDG_STATE_HOME": str(self._state_folder)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "samspel", "run", str(self._site_file)],
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        threading.Thread(target=self._keep_log, args=(self._process,), daemon=True).start()

    def _keep_log(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None  # noqa: S101 - it was asked for
        for line in process.stderr:
            self.log.append(line.rstrip())

    def kill(self) -> None:
        """SIGKILL: no goodbye, no handover."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=10)

    def close(self) -> None:
        """SIGTERM, and SIGKILL if that is not enough."""
        if self._process is not None:
            _end(self._process)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=10)
