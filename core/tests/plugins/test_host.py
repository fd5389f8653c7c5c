"""What a run uses, and what it leaves alone."""

import json
import logging
import os
import subprocess
import sys

import pytest
from samspel.contract.errors import PluginError
from samspel.plugins.host import Plugins
from samspel.plugins.loader import load_driver

EXTENSION = """
from pathlib import Path
from samspel.hookspecs import FaultCatalogue, FilterPackage, TransportPackage, hookimpl

@hookimpl
def samspel_register_filters():
    return [FilterPackage(name="calm", factory=lambda settings: ("calm", settings))]

@hookimpl
def samspel_register_transports():
    return [TransportPackage(name="pigeon", factory=lambda: "coo")]

@hookimpl
def samspel_register_fault_catalogues():
    return [FaultCatalogue(name="field", driver="acme", table=Path("faults.toml"))]
"""

LOGIN = """
from importlib.resources import files
from samspel.hookspecs import DriverPackage, hookimpl

@hookimpl
def samspel_register_drivers():
    manifest = files(__name__) / "driver.toml"
    return [DriverPackage(name="acme", manifest=manifest, session=lambda settings: ("login", settings))]
"""


def test_a_package_of_data_alone_is_a_driver(toys):
    package = toys.driver("acme")
    loaded = load_driver("acme")
    assert (loaded.name, loaded.dist, loaded.version) == ("acme", "toy-acme", "1.0")
    assert loaded.manifest == package / "driver.toml"
    assert loaded.package.manifest == loaded.manifest
    assert loaded.package.session is None


def test_a_package_may_bring_a_login(toys):
    toys.driver("acme", LOGIN)
    loaded = load_driver("acme")
    assert loaded.package.session({"user": 1}) == ("login", {"user": 1})
    assert loaded.package.manifest.read_text() == loaded.manifest.read_text()


def test_only_what_the_site_names_is_imported(toys):
    """In a process of its own, as at a site: two brands installed, one named."""
    toys.driver("acme")
    toys.driver("other")
    toys.extension("extra")
    code = (
        "import json, sys\n"
        "from samspel.plugins.host import Plugins\n"
        "Plugins(drivers=['acme'])\n"
        "print(json.dumps(sorted(name for name in sys.modules if name.startswith(('toy_', 'paho', 'pymodbus')))))\n"
    )
    environment = os.environ | {"PYTHONPATH": str(toys.folder)}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert json.loads(ran.stdout) == ["toy_acme"]


def test_extensions_bring_filters_transports_and_fault_tables(toys):
    toys.extension("extra", EXTENSION)
    plugins = Plugins(extensions=["extra"])
    assert plugins.filter("calm")({"step": 1}) == ("calm", {"step": 1})
    assert plugins.transport("pigeon")() == "coo"
    assert [catalogue.name for catalogue in plugins.fault_catalogues("acme")] == ["field"]
    assert plugins.fault_catalogues("other") == ()


def test_core_s_own_transports_are_there(toys):
    assert callable(Plugins().transport("memory"))
    assert callable(Plugins().transport("mqtt"))


def test_an_unknown_name_says_what_there_is(toys):
    with pytest.raises(PluginError, match="no transport 'owl'; there are: memory, mqtt"):
        Plugins().transport("owl")
    with pytest.raises(PluginError, match="no filter 'calm'"):
        Plugins().filter("calm")


def test_an_extension_that_is_not_named_is_not_used(toys):
    toys.extension("extra", EXTENSION)
    with pytest.raises(PluginError, match=r"site.toml names the extension"):
        Plugins().filter("calm")


def test_a_name_can_be_taken_once(toys):
    toys.extension("extra", EXTENSION)
    toys.extension("rival", EXTENSION)
    with pytest.raises(PluginError, match="'rival': the name 'calm' is taken"):
        Plugins(extensions=["extra", "rival"])


def test_a_needed_driver_that_is_unhealthy_stops_the_start(toys):
    toys.driver("acme", "raise ValueError('boom')")
    with pytest.raises(PluginError, match=r"driver 'acme' of toy-acme 1.0 cannot be used .import.: ValueError: boom"):
        Plugins(drivers=["acme"])


def test_an_unused_unhealthy_plugin_is_a_warning(toys, caplog):
    toys.driver("acme")
    toys.driver("bad", driver="= what")
    with caplog.at_level(logging.WARNING, "samspel.plugins"):
        assert Plugins(drivers=["acme"]).driver("acme").name == "acme"
    (record,) = caplog.records
    assert (record.plugin, record.dist, record.stage) == ("bad", "toy-bad", "manifest")


def test_strict_makes_every_unhealthy_plugin_fatal(toys, monkeypatch):
    toys.driver("acme")
    toys.driver("bad", "raise ValueError('boom')")
    monkeypatch.setenv("SAMSPEL_STRICT_PLUGINS", "1")
    with pytest.raises(PluginError, match=r"SAMSPEL_STRICT_PLUGINS.*'bad' of toy-bad .import.: ValueError: boom"):
        Plugins(drivers=["acme"])
    monkeypatch.setenv("SAMSPEL_DISABLED_PLUGINS", "bad")
    Plugins(drivers=["acme"])
