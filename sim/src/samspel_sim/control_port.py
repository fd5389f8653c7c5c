"""HTTP with JSON on 127.0.0.1, to look at a twin and to disturb it.

``GET /state`` · ``GET /log`` · ``POST /set`` {key: value, …} · ``POST /misbehave`` {"name", "on", …}.
An answer other than 200 carries {"error": "a sentence"}. One request per connection.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from samspel_sim.behaviour import OptionError
from samspel_sim.misbehave import UnknownMisbehaviourError
from samspel_sim.twin import Twin

_MAX_BODY_BYTES = 65_536
_PATIENCE_S = 10.0


class _RequestError(Exception):
    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class ControlPort:
    """The control port of one twin."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._server: asyncio.Server | None = None
        self._routes: Mapping[tuple[str, str], Callable[[dict[str, Any]], dict[str, Any]]] = {
            ("GET", "/state"): lambda _body: twin.state(),
            ("GET", "/log"): lambda _body: {"writes": list(twin.writes), "events": list(twin.events)},
            ("POST", "/set"): self._set,
            ("POST", "/misbehave"): self._misbehave,
        }

    async def start(self, port: int = 0) -> int:
        """Listen on 127.0.0.1; the port that was taken. OSError when it cannot be had."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=_MAX_BODY_BYTES)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def _set(self, body: dict[str, Any]) -> dict[str, Any]:
        self._twin.set(body)
        return {"ok": True}

    def _misbehave(self, body: dict[str, Any]) -> dict[str, Any]:
        name, on = body.pop("name", None), body.pop("on", True)
        if not isinstance(name, str) or not isinstance(on, bool):
            raise OptionError('misbehave wants {"name": "…", "on": true or false, …parameters}')
        self._twin.misbehave(name, on, **body)
        return {"ok": True, "misbehaviours": self._twin.misbehaviours.on()}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                status, body = await self._answer(reader)
                writer.write(_encode(status, body))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass  # the asker has gone; there is nobody to tell
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[HTTPStatus, dict[str, Any]]:
        try:
            method, path, body = await _read_request(reader)
            return HTTPStatus.OK, self._route(method, path)(body)
        except _RequestError as error:
            return error.status, {"error": str(error)}
        except (OptionError, UnknownMisbehaviourError) as error:
            return HTTPStatus.BAD_REQUEST, {"error": str(error)}

    def _route(self, method: str, path: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
        if (method, path) in self._routes:
            return self._routes[method, path]
        if any(path == known for _, known in self._routes):
            raise _RequestError(HTTPStatus.METHOD_NOT_ALLOWED, f"{path} does not take {method}")
        known = ", ".join(" ".join(route) for route in self._routes)
        raise _RequestError(HTTPStatus.NOT_FOUND, f"there is no {path}; there are {known}")


async def _read_request(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, Any]]:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _version = head[0].split(" ")
        headers = {name.strip().lower(): value.strip() for name, _, value in (row.partition(":") for row in head[1:])}
        length = int(headers.get("content-length", "0"))
    except (ValueError, asyncio.LimitOverrunError) as error:
        raise _RequestError(HTTPStatus.BAD_REQUEST, "this is no HTTP request") from error
    if not 0 <= length <= _MAX_BODY_BYTES:
        raise _RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {_MAX_BODY_BYTES} bytes")
    return method, target.partition("?")[0], _json_object(await reader.readexactly(length))


def _json_object(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data or b"{}")
    except ValueError as error:
        raise _RequestError(HTTPStatus.BAD_REQUEST, f"the body is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise _RequestError(HTTPStatus.BAD_REQUEST, "the body has to be a JSON object")
    return body


def _encode(status: HTTPStatus, body: dict[str, Any]) -> bytes:
    data = json.dumps(body).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + data
