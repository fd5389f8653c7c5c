"""Decides the target now, and who holds the battery (station ③).

Sans-I/O: `machine.step(state, event, now)` gives the next state and the effects; `shell` runs the effects.
"""
