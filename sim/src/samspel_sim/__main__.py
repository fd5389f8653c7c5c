"""``python -m samspel_sim NAME …``."""

from samspel_sim.command import main

main()
