"""Raises, clears and remembers faults. Pure; the device's own and control's go the same way."""
