"""What crosses lines: commands in, outcomes, telemetry and faults out, and what a driver is.

Frozen dataclasses over the standard library and annotated-types; validation and JSON live in
`samspel.transport.wire`, which derives both from these definitions.
"""

CONTRACT_VERSION = "1.0"
"""MAJOR.MINOR. A plugin names the contract it was written for; core accepts the same major and no newer minor."""
