"""One command contract for every home-battery inverter. Read `samspel.pipeline` first."""
