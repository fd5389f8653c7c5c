"""What the edge costs, measured against a floor: `make bench`, or `python -m benchmarks [--quick] [--json [PATH]]`."""
