"""For tests of other parts: a twin in this process or in its own, and its control port from sync code."""

from __future__ import annotations

import asyncio
import json
import struct
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

from samspel_sim.behaviour import TwinOptions
from samspel_sim.finder import make_twin
from samspel_sim.pdu import READ_HOLDING, READ_INPUT, WRITE_MULTIPLE
from samspel_sim.registers import Space, Value, Words
from samspel_sim.server import ModbusServer
from samspel_sim.twin import Clock, Twin

BRISK = {"connect_wait_s": 0.0, "pace_s": 0.0, "answer_s": 0.0}
"""Settings that take the waiting out of the link (not out of the physics)."""


class Served(NamedTuple):
    """A twin behind its own server in this process."""

    host: str
    port: int
    twin: Twin


def simulated_twin(
    name: str, clock: Clock, options: TwinOptions | None = None, *, brisk: bool = True, step_s: float = 0.1
) -> Twin:
    """A twin without sockets, on a clock of yours."""
    return make_twin(name, _options(options, brisk=brisk), clock=clock, step_s=step_s)


@asynccontextmanager
async def served_twin(
    name: str, options: TwinOptions | None = None, *, brisk: bool = True, speed: float = 1.0
) -> AsyncIterator[Served]:
    """A twin served over TCP in this process, on a free port of 127.0.0.1."""
    clock = asyncio.get_running_loop().time
    twin = make_twin(name, _options(options, brisk=brisk), clock=clock, speed=speed)
    server = ModbusServer(twin)
    port = await server.start()
    try:
        yield Served("127.0.0.1", port, twin)
    finally:
        await server.close()


def _options(options: TwinOptions | None, *, brisk: bool) -> TwinOptions:
    options = options or TwinOptions()
    return replace(options, settings={**BRISK, **options.settings}) if brisk else options


class Bench:
    """A twin on a clock moved by hand, spoken to by register name: for tests of behaviour."""

    def __init__(self, name: str, options: TwinOptions | None = None, *, step_s: float = 0.1) -> None:
        self.now_s = 0.0
        self.twin = simulated_twin(name, lambda: self.now_s, options, step_s=step_s)

    def wait(self, seconds: float) -> Self:
        """Let time pass."""
        self.now_s += seconds
        self.twin.advance()
        return self

    def house(self, pv_w: float, load_w: float) -> Self:
        """Pin what the panels could give and what the household takes."""
        self.twin.set({"pv_power_w": pv_w, "load_power_w": load_w})
        return self

    def read(self, name: str, unit: int | None = None) -> Any:  # noqa: ANN401 - number or text, as the register is
        """The decoded value of a register as read over the wire; RefusedError with the exception code."""
        unit = self.twin.behaviour.unit if unit is None else unit
        row = self.twin.behaviour.banks[unit].table[name]
        function = READ_INPUT if row.space is Space.INPUT else READ_HOLDING
        return row.decode(self.words(row.address, row.count, function, unit))

    def write(self, **values: Value) -> None:
        """Write registers in this order, each with function 16; RefusedError with the exception code."""
        for name, value in values.items():
            row = self.twin.behaviour.banks[self.twin.behaviour.unit].table[name]
            self.write_words(row.address, *row.encode(value))

    def words(self, address: int, count: int = 1, function: int = READ_HOLDING, unit: int | None = None) -> Words:
        """Words as they are read in one request; RefusedError with the exception code."""
        answer = self.ask(struct.pack(">BHH", function, address, count), unit)
        return struct.unpack(f">{count}H", answer[2:])

    def write_words(self, address: int, *words: int) -> bytes:
        """The answer to one request with function 16; RefusedError with the exception code."""
        count = len(words)
        return self.ask(struct.pack(f">BHHB{count}H", WRITE_MULTIPLE, address, count, 2 * count, *words))

    def ask(self, pdu: bytes, unit: int | None = None) -> bytes:
        """Any request; TimeoutError for silence, RefusedError for an exception."""
        answer = self.twin.handle(self.twin.behaviour.unit if unit is None else unit, pdu)
        if answer is None:
            raise TimeoutError("the twin is silent")
        if answer[0] & 0x80:
            raise RefusedError(answer[1])
        return answer

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - as the key is
        """A key of ``GET /state``."""
        return self.twin.state()[key]


class RefusedError(Exception):
    """The twin answered with an exception; ``code`` says which."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code:#04x}")
        self.code = code


def refusal(call: Callable[..., object], *arguments: object, **values: object) -> int:
    """The exception code that a call on a bench gets; AssertionError where nothing is refused."""
    try:
        call(*arguments, **values)
    except RefusedError as error:
        return error.code
    raise AssertionError("the twin has refused nothing")


class ControlError(Exception):
    """The control port answered other than 200; the message is its sentence."""


@dataclass(frozen=True, slots=True)
class SpawnedTwin:
    """A twin in a process of its own. ``ready`` is its ready line."""

    process: asyncio.subprocess.Process
    ready: dict[str, Any]

    @property
    def port(self) -> int:
        """Modbus port."""
        return int(self.ready["port"])

    async def state(self) -> dict[str, Any]:
        """``GET /state``."""
        return await self._ask("/state", None)

    async def log(self) -> dict[str, Any]:
        """``GET /log``."""
        return await self._ask("/log", None)

    async def set(self, **values: object) -> None:
        """``POST /set``; ControlError for a value that it does not take."""
        await self._ask("/set", values)

    async def misbehave(self, name: str, on: bool = True, **parameters: object) -> None:
        """``POST /misbehave``; ControlError for an unknown name."""
        await self._ask("/misbehave", {"name": name, "on": on, **parameters})

    async def _ask(self, path: str, body: dict[str, object] | None) -> dict[str, Any]:
        return await asyncio.to_thread(ask, int(self.ready["control_port"]), path, body)


def ask(control_port: int, path: str, body: dict[str, object] | None = None) -> dict[str, Any]:
    """One request to a control port, from sync code. ControlError carries the port's sentence."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{control_port}{path}", data=data)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        with error:
            raise ControlError(json.load(error)["error"]) from error


@asynccontextmanager
async def spawned_twin(name: str, *arguments: str) -> AsyncIterator[SpawnedTwin]:
    """A twin in its own process (``python -m samspel_sim NAME ARGUMENTS``), ready to be spoken to."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "samspel_sim", name, *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        line = await asyncio.wait_for(_first_line(process), 30)
        yield SpawnedTwin(process, json.loads(line))
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _first_line(process: asyncio.subprocess.Process) -> bytes:
    if process.stdout is None:
        raise RuntimeError("the twin's output is not piped")
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError(f"the twin ended with {await process.wait()} before it was ready")
    return line
