"""The good toy: its driver is data alone (driver.toml and what it names), its twin is a few lines of behaviour."""
