"""The simulated GoodWe ET inverter: registers.csv says what registers it has, twin.toml what it does with them."""

from samspel_sim.declared import declared_twin

twin = declared_twin(__name__)
