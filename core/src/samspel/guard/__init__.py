"""The third dead-man: a small parent that watches the edge and acts when it is silent.

Two sides that share nothing but a socket, `duty` and `silence`:

* the guard itself, in a process of its own: `__main__`, `watch` (the logic), `processes` (the real thing). Standard
  library and `samspel.log_lines` only, so that it is small and nothing of ours can hang it;
* what runs under it: `duty` (what were we started for), `lifeline` (our end of the socket), `pulse` (when to beat),
  `rescue` (what is done about a dead edge), `orphan` (what is done about a dead guard), `become` (how it begins).
"""
