"""The `[control]` table of `twin.toml`, and the register names that every table may use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from samspel_sim.declared.declaration import Control, Heartbeat, Powers
from samspel_sim.declared.document import Section
from samspel_sim.declared.quantities import POWER_UNITS
from samspel_sim.registers import Register, Table

__all__ = ["COMMANDS", "MODES", "Rows", "read_control"]

COMMANDS = ("charge", "discharge", "follow")
MODES = ("own", *COMMANDS, "hold")
"""What a value of the mode register can mean: the device's own logic, a power, or a battery held at zero."""

FALLBACKS = ("own", "hold")


class Rows:
    """The rows of `registers.csv` by name, for keys that name one."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.names = tuple(row.name for row in table)

    def __iter__(self) -> Iterator[Register]:
        return iter(self._table)

    def __getitem__(self, name: str) -> Register:
        return self._table[name]

    def get(self, section: Section, key: str) -> Register | None:
        """The row that the key itself names; noted where there is none."""
        if key in self._table:
            return self._table[key]
        section.complain(key, "registers.csv has no such register")
        return None

    def name(self, section: Section, key: str) -> str:
        """The register that the key's value names; required."""
        return section.text(key, of=self.names)

    def named(self, section: Section, key: str) -> tuple[str, ...]:
        """A list of registers, empty where the key is absent."""
        found = section.texts(key)
        for name in found:
            if name not in self._table:
                section.complain(key, f"registers.csv has no register {name!r}")
        return tuple(name for name in found if name in self._table)

    def powers(self, section: Section, key: str) -> tuple[str, ...]:
        """A list of registers that hold a power."""
        found = self.named(section, key)
        for name in found:
            self._check_power(section, key, name)
        return found

    def power(self, section: Section, key: str) -> str:
        """The register that the key names, which has to hold a power; empty where the key is absent."""
        if key not in section:
            section.text(key, "")
            return ""
        name = self.name(section, key)
        if name in self._table:
            self._check_power(section, key, name)
        return name

    def _check_power(self, section: Section, key: str, name: str) -> None:
        unit = self._table[name].unit
        if unit not in POWER_UNITS:
            section.complain(key, f"{name} is in {unit or 'no unit'}; a power is in {', '.join(POWER_UNITS)}")


def read_control(section: Section, rows: Rows) -> Control:
    """How the battery is commanded: a mode register, an enable register, or both."""
    mode, modes = _modes(section, rows)
    control = Control(
        mode=mode,
        modes=modes,
        powers=_powers(section.section("power"), rows),
        enable=_enable(section.section("enable"), rows) if "enable" in section else None,
        heartbeat=_heartbeat(section.section("heartbeat"), rows) if "heartbeat" in section else None,
        clears=rows.named(section, "clears"),
    )
    section.close()
    _check(section, control)
    return control


def _modes(section: Section, rows: Rows) -> tuple[str, Mapping[int, str]]:
    if "mode" not in section:
        return "", {}
    table = section.section("mode")
    register = rows.name(table, "register")
    modes: dict[int, str] = {}
    for meaning in MODES:
        for raw in table.wholes(meaning):
            if raw in modes:
                table.complain(meaning, f"{raw} already means {modes[raw]}")
            modes[raw] = meaning
    table.close()
    if "own" not in modes.values():
        table.complain("own", "is missing; expected the number that gives the battery back to the device's own logic")
    return register, modes


def _powers(section: Section, rows: Rows) -> Powers:
    powers = Powers(
        charge=rows.power(section, "charge"),
        discharge=rows.power(section, "discharge"),
        signed=rows.power(section, "signed"),
        sign=_sign(section),
    )
    section.close()
    return powers


def _sign(section: Section) -> float:
    if "signed" not in section:
        return 1.0
    return -1.0 if section.text("positive", of=("charging", "discharging")) == "charging" else 1.0


def _enable(section: Section, rows: Rows) -> tuple[str, int]:
    found = rows.name(section, "register"), section.whole("value", 1)
    section.close()
    return found


def _heartbeat(section: Section, rows: Rows) -> Heartbeat:
    heartbeat = Heartbeat(
        register=rows.name(section, "register"),
        timeout_s=section.number("timeout_s", low=1) if "timeout_s" in section else None,
        fallback=section.text("fallback", "own", of=FALLBACKS),
    )
    section.close()
    return heartbeat


def _check(section: Section, control: Control) -> None:
    """What is commanded needs a register that says how much."""
    meanings, powers = set(control.modes.values()), control.powers
    if not control.mode and control.enable is None:
        section.complain("mode", "is missing; expected a mode register, or `enable` for a device without one")
    wanted = meanings & set(COMMANDS) if control.mode else {"follow"}
    given = {"charge": powers.charge, "discharge": powers.discharge, "follow": powers.signed}
    for meaning in sorted(wanted):
        if not given[meaning]:
            key = "signed" if meaning == "follow" else meaning
            section.complain(f"power.{key}", f"is missing; expected the register that says how much to {meaning}")
