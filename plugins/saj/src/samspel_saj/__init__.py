"""The samspel driver for SAJ inverters. The brand is data: driver.toml, maps, faults and symptoms."""

from importlib.resources import files

from samspel.hookspecs import DriverPackage, hookimpl

__all__ = ["samspel_register_drivers"]


@hookimpl
def samspel_register_drivers() -> list[DriverPackage]:
    """The brand, which is data alone."""
    return [DriverPackage(name="saj", manifest=files(__name__) / "driver.toml")]
