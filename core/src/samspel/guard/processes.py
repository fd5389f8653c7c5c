"""The guard's view of the machine: processes, signals and time. Of ours, only the form of a log line."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence

from samspel.guard.duty import Role, announce
from samspel.guard.watch import Heard
from samspel.log_lines import Event, LogFormat, line

__all__ = ["Machine", "Process"]

GONE_S = 5.0
"""A process that has let go of its socket is about to exit; one that is not, is killed."""

LOOK_S = 0.02

TELLS = (signal.SIGTERM, signal.SIGINT)


class Machine:
    """Implements `watch.World`. SIGTERM and SIGINT tell us to end, from the moment it is made."""

    def __init__(self, command: Sequence[str], log_format: LogFormat) -> None:
        self._command, self._log_format = list(command), log_format
        self._told, teller = socket.socketpair()
        for one in (self._told, teller):
            one.setblocking(False)
        signal.set_wakeup_fd(teller.detach(), warn_on_full_buffer=False)
        for number in TELLS:
            signal.signal(number, lambda *_: None)  # The wake-up descriptor says it.

    def close(self) -> None:
        """We are about to go: another signal must not change the exit code."""
        for number in TELLS:
            signal.signal(number, signal.SIG_IGN)

    def monotonic(self) -> float:
        """Seconds; does not run while the box sleeps."""
        return time.monotonic()

    def pause(self, seconds: float) -> bool:
        """Let them pass; true when told to end."""
        return bool(select.select([self._told], [], [], seconds)[0])

    def spawn(self, role: Role, stay_s: float) -> Process:
        """Start the command line in this role, with its end of a new socket."""
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.set_inheritable(True)
            environment = announce(role, stay_s, theirs.fileno())
            # No signal that we ignore or handle may be so in the child.
            pid = os.posix_spawn(
                self._command[0],
                self._command,
                environment,
                setsigdef=[signal.SIGTERM, signal.SIGINT, signal.SIGPIPE],
            )
        return Process(pid, ours, self._told)

    def report(self, event: str, *, is_trouble: bool, **values: object) -> None:
        """On standard error, in one write: what a full disk or a lost reader did not take is not tried again."""
        happened = Event(time.time(), "ERROR" if is_trouble else "INFO", "guard", event, values)
        text = line(happened, self._log_format) + "\n"
        if sys.stderr is not None:  # Where it was closed, its number may be one of our sockets.
            with contextlib.suppress(OSError):
                os.write(sys.stderr.fileno(), text.encode(errors="backslashreplace"))


class Process:
    """Implements `watch.Child`."""

    def __init__(self, pid: int, line: socket.socket, told: socket.socket) -> None:
        self.pid, self._line, self._told = pid, line, told
        self._line.setblocking(False)
        self._code: int | None = None

    def listen(self, within_s: float) -> Heard:
        """Being told goes before everything else."""
        ready, _, _ = select.select([self._told, self._line], [], [], within_s)
        if self._told in ready:
            return Heard.TOLD
        if self._line not in ready:
            return Heard.NOTHING
        try:
            return Heard.BEAT if self._line.recv(4096) else Heard.GONE
        except ConnectionResetError:
            return Heard.GONE

    def answer(self) -> None:
        """A child that does not read has answers enough in its buffer."""
        with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
            self._line.send(b".")

    def tell(self, within_s: float) -> int:
        """SIGTERM, and SIGKILL when that was not enough."""
        if self._reap() is None:
            os.kill(self.pid, signal.SIGTERM)
        return self._wait(within_s)

    def kill(self) -> None:
        """SIGKILL: also for a process that was stopped."""
        if self._reap() is None:
            os.kill(self.pid, signal.SIGKILL)
        self._wait(None)

    def gone(self) -> int:
        """Its exit code; whoever has let go of the socket and lives on is killed."""
        return self._wait(GONE_S)

    def _wait(self, within_s: float | None) -> int:
        """Until it has ended; killed after `within_s`. Nothing of it is left then."""
        give_up_at = None if within_s is None else time.monotonic() + within_s
        while (code := self._reap()) is None:
            if give_up_at is not None and time.monotonic() >= give_up_at:
                os.kill(self.pid, signal.SIGKILL)
                give_up_at = None
            time.sleep(LOOK_S)
        self._line.close()
        return code

    def _reap(self) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code
