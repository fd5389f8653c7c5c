"""The samspel driver for Huawei SUN2000 inverters. The brand is data: driver.toml, maps, faults and symptoms."""

from importlib.resources import files

from samspel.hookspecs import DriverPackage, hookimpl

from samspel_huawei.session import make_session

__all__ = ["samspel_register_drivers"]


@hookimpl
def samspel_register_drivers() -> list[DriverPackage]:
    """The brand, with the login that the inverter's own WLAN asks for."""
    return [DriverPackage(name="huawei", manifest=files(__name__) / "driver.toml", session=make_session)]
