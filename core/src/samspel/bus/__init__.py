"""Station 7: the way to the device's registers. The only folder that imports pymodbus.

Read `endpoint` first. A request goes link → intake (queue) → endpoint (worker) → carrier (one transaction) →
connection, and its answer comes back through `pdu`.
"""
