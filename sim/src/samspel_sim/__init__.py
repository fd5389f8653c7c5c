"""Simulated homes: physics, a protocol-faithful Modbus TCP server and a control port.

This distribution knows no brand. A brand's twin (entry-point group ``samspel.twins``) brings its
register table, its timing and its behaviour; everything that all twins share is here. Nothing of it
is needed at a site, and it shares no code with the driver side: a codec used by both sides would hide
a wrong word order.
"""
