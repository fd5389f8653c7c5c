"""Deterministic simulation: weeks of one home from a seed, with invariants checked at each step.

The event loop is `samspel_contract.simulated`: forty lines that jump to the next timer, and refuse to stand still. A
packaged loop of the same kind (looptime) is made for tests: it counts from zero at each of them and ends with them,
while a soak needs one that any program can start many times, and that says so when every task waits for ever.
Everything random is drawn from generators named after the seed; what runs is core's own code.
"""
