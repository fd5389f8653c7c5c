"""Who answers: the manifest's identity rows, read and judged."""

from __future__ import annotations

from decimal import Decimal

from samspel.contract.driver import Identity
from samspel.contract.errors import DeviceBusy, DeviceRefused, RegisterAbsent, UnsupportedModel, WrongDevice
from samspel.contract.ports import BusLink, Priority
from samspel.driver.manifest import Manifest, Refusal
from samspel.registers.codec import decode, label
from samspel.registers.model import Register

__all__ = ["check_serial", "read_identity"]


async def read_identity(manifest: Manifest, link: BusLink, *, serial: str | None = None) -> Identity:
    """Read every identity row, but for the serial where the one that answers on this connection is known.

    Raises UnsupportedModel when the device is one to be refused or the fingerprint does not fit, or any `BusError`.
    """
    for refusal in manifest.identity.refuse:
        await _refuse(manifest, refusal, link)
    rows = manifest.identity.rows
    text = await _text(rows["model"], link)
    model = manifest.identity.model_in(text)
    if model is None:
        raise UnsupportedModel(
            f"{manifest.title}: the device calls itself {text!r}; expected something like "
            f"{manifest.identity.fingerprint.pattern!r}. Is this the right driver and unit id?"
        )
    known = {} if serial is None else {"serial": serial}
    others = known | {name: await _text(row, link) for name, row in rows.items() if name not in ("model", *known)}
    others |= {name: prefix + others[name] for name, prefix in manifest.identity.prefixes.items() if others.get(name)}
    return Identity(brand=manifest.brand, model=model, **others)


async def check_serial(manifest: Manifest, link: BusLink, expected: str | None) -> str:
    """The serial of who answers. Raises WrongDevice when another one is expected."""
    serial = await _text(manifest.identity.rows["serial"], link)
    if expected is not None and serial != expected:
        raise WrongDevice(f"serial {serial!r} answers here; {expected!r} is expected. Nothing was written")
    return serial


async def _refuse(manifest: Manifest, refusal: Refusal, link: BusLink) -> None:
    """A device without that register is another one."""
    row = refusal.row
    try:
        words = await link.read(row.table, row.address, row.count, priority=Priority.VERIFICATION)
    except DeviceBusy:
        raise
    except DeviceRefused:
        return
    if decode(row, words) in refusal.values:
        raise UnsupportedModel(f"{manifest.title}: {refusal.because}")


async def _text(row: Register, link: BusLink) -> str:
    try:
        words = await link.read(row.table, row.address, row.count, priority=Priority.VERIFICATION)
    except RegisterAbsent:
        if row.optional:
            return ""
        raise
    if row.labels:
        return label(row, words) or ""
    value = decode(row, words)
    return "" if value is None else _said(row, value)


def _said(row: Register, value: float | str) -> str:
    """A number with the decimals of its scale: 4066 at 0.001 is 4.066."""
    if isinstance(value, str):
        return value
    exponent = Decimal(repr(row.scale)).normalize().as_tuple().exponent
    decimals = max(0, -exponent) if isinstance(exponent, int) else 0
    return f"{value:.{decimals}f}"
