"""`python -m samspel.guard SILENCE_S LOG_FORMAT COMMAND…`: guard that command. `become` starts it like this."""

from __future__ import annotations

import sys

from samspel.guard.processes import Machine
from samspel.guard.watch import Guard
from samspel.log_lines import LogFormat


def main(arguments: list[str]) -> int:
    """Until told to end; the exit code of what was guarded."""
    silence_s, log_format, *command = arguments
    machine = Machine(command, LogFormat(log_format))
    code = Guard(machine, float(silence_s)).run()
    machine.close()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
