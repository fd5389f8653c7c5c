"""Everything that can go wrong, in one tree.

    SamspelError
    ├── ConfigError                 a file or option of ours is wrong: says where, what was found, what is allowed
    │   └── MapError                a register map, manifest or sequence is wrong
    ├── PluginError                 a driver package cannot be used; carries the stage at which it failed
    ├── StoreError                  the journal or outbox could not be written (disk full, unreadable file)
    ├── TransportError              the message broker refused or lost us; says whether the message may have arrived
    ├── MalformedMessage            a message that cannot be understood; carries what could be read of it
    ├── BusError                    the way to the device
    │   ├── LinkDown                no connection now; nothing was sent
    │   ├── NoAnswer                sent, and nothing (or nothing in time) came back: the device may have acted
    │   ├── BadAnswer               an answer came that does not fit the question: the device may have acted
    │   ├── DeviceRefused           the device answered with an exception code; carries it
    │   │   ├── DeviceBusy          it asked for patience: try again later
    │   │   └── RegisterAbsent      it has no such register
    │   ├── DeadlinePassed          the request's `not_after` came before it could be sent; nothing was sent
    │   └── WrongDevice             another serial number answers at this address; nothing was written
    └── DriverError                 the device is there, but the command cannot be carried out
        ├── UnsupportedModel        no map claims this model and firmware
        ├── RouteUnavailable        no route is permitted for what was asked
        ├── RequirementFailed       a sequence's precondition does not hold; nothing more was written
        ├── VerifyFailed            read-back differs from what was written
        └── SequenceAbandoned       a stop or release took over at a step boundary

Nothing of the wire libraries escapes: their errors are converted where they arise, with the original as cause.
"""

from __future__ import annotations

__all__ = [
    "BadAnswer",
    "BusError",
    "ConfigError",
    "DeadlinePassed",
    "DeviceBusy",
    "DeviceRefused",
    "DriverError",
    "LinkDown",
    "MalformedMessage",
    "MapError",
    "NoAnswer",
    "PluginError",
    "RegisterAbsent",
    "RequirementFailed",
    "RouteUnavailable",
    "SamspelError",
    "SequenceAbandoned",
    "StoreError",
    "TransportError",
    "UnsupportedModel",
    "VerifyFailed",
    "WrongDevice",
]


class SamspelError(Exception):
    """Root of every error that samspel raises on purpose."""


class ConfigError(SamspelError):
    """A configuration file or option is wrong."""


class MapError(ConfigError):
    """A register map, manifest or sequence is wrong; the message names file, table and key."""


class PluginError(SamspelError):
    """A plugin cannot be used. `stage` is the loader's step that failed."""

    def __init__(self, message: str, *, stage: str) -> None:
        super().__init__(message)
        self.stage = stage


class StoreError(SamspelError):
    """The local database could not be read or written."""


class TransportError(SamspelError):
    """The message transport refused or lost us.

    `may_have_arrived`: the message was sent, the answer never came. `refused`: the connection is good, and this one
    message is not taken; others may be.
    """

    def __init__(self, message: str, *, may_have_arrived: bool = False, refused: bool = False) -> None:
        super().__init__(message)
        self.may_have_arrived = may_have_arrived
        self.refused = refused


class MalformedMessage(SamspelError):
    """A message that cannot be understood. `reason` is a closed word for programs, the message text is for people.

    `command_id` and `issuer` are what could still be read of it, so that a refusal can name the command.
    """

    def __init__(self, text: str, *, reason: str, command_id: str | None = None, issuer: str | None = None) -> None:
        super().__init__(text)
        self.reason = reason
        self.command_id = command_id
        self.issuer = issuer


class BusError(SamspelError):
    """Something between us and the device's registers failed."""


class LinkDown(BusError):
    """There is no connection now. Nothing was sent."""


class NoAnswer(BusError):
    """The request was sent and no answer came in time. The device may have acted on it."""


class BadAnswer(BusError):
    """An answer came that does not fit the request (function, count or echo). The device may have acted."""


class DeviceRefused(BusError):
    """The device answered with an exception; `code` is the protocol's exception code (0..255)."""

    def __init__(self, message: str, *, code: int) -> None:
        super().__init__(message)
        self.code = code


class DeviceBusy(DeviceRefused):
    """The device is there but asks for patience."""


class RegisterAbsent(DeviceRefused):
    """The device has no such register (on a write some devices say this for a missing login)."""


class DeadlinePassed(BusError):
    """`not_after` passed before the request could be sent. Nothing was sent."""


class WrongDevice(BusError):
    """A device with another serial number answers at this address. Nothing was written."""


class DriverError(SamspelError):
    """The device is reachable, but the command cannot be carried out."""


class UnsupportedModel(DriverError):
    """No register map claims this model and firmware."""


class RouteUnavailable(DriverError):
    """No permitted route does what was asked."""


class RequirementFailed(DriverError):
    """A sequence's precondition does not hold; nothing more was written."""


class VerifyFailed(DriverError):
    """A register did not read back as written."""


class SequenceAbandoned(DriverError):
    """The running sequence was left at a step boundary, because a stop or release took over."""
