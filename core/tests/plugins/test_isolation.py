"""Each way in which a stranger's package can be broken is a row with its stage, and harms nobody else."""

import sys
from pathlib import Path

import pytest
from samspel.contract import CONTRACT_VERSION
from samspel.contract.errors import PluginError
from samspel.plugins.loader import load_driver, load_extension
from samspel.plugins.survey import Health, survey

HOOK = "from pathlib import Path\nfrom samspel.hookspecs import DriverPackage, hookimpl\n@hookimpl\n"
TOY = Path(__file__).parent / "toy"
MANIFEST, FAULTS = (TOY / "driver.toml").read_text(), (TOY / "faults.toml").read_text()
MAJOR, MINOR = map(int, CONTRACT_VERSION.split("."))


def contract(version: str) -> dict[str, str]:
    return {"driver": f"contract = {version}\nfrom_the_future = true\n"}


# what is broken: (how the driver is made, stage, words of the error)
BROKEN_DRIVERS = {
    "no manifest": ({"driver": None}, "manifest", "driver.toml is not in .*toy_bad; reinstall toy-bad"),
    "manifest is not TOML": ({"driver": "= what"}, "manifest", "TOMLDecodeError"),
    "no contract": ({"driver": "name = 'bad'\n"}, "contract", "MAJOR.MINOR, in quotes"),
    "contract is a number": (contract(CONTRACT_VERSION), "contract", "MAJOR.MINOR, in quotes"),
    "contract is newer": (
        contract(f'"{MAJOR}.{MINOR + 1}"'),
        "contract",
        f"speaks {CONTRACT_VERSION}: upgrade samspel",
    ),
    "contract is a major newer": (contract(f'"{MAJOR + 1}.0"'), "contract", "upgrade samspel"),
    "requirement is missing": (
        {"metadata": "Requires-Dist: no-such-thing>=2"},
        "requirements",
        "needs no-such-thing>=2, which is not installed: pip install",
    ),
    "requirement does not fit": (
        {"metadata": "Requires-Dist: samspel>=99"},
        "requirements",
        "needs samspel>=99, and finds",
    ),
    "requirement is gibberish": ({"metadata": "Requires-Dist: ;;;"}, "requirements", "InvalidRequirement"),
    "manifest has an unknown key": ({"driver": 'contract = "1.0"\nbogus = 1\n'}, "load", "bogus"),
    "manifest has another name": ({"driver": MANIFEST}, "load", "says name = 'acme'; the entry point says 'bad'"),
    "fault table names no register": (
        {"faults": FAULTS.replace('"alarm"', '"siren"')},
        "load",
        "faults.toml: register 'siren' is not in the map",
    ),
    "map is missing": ({"toy_map": None}, "load", "toy_map.toml"),
    "map is broken": ({"toy_map": "[map]\nschema = 1\n"}, "load", "toy_map.toml"),
    "fault table is broken": ({"faults": "[[words]]\n"}, "load", "faults.toml"),
    "raises at import": ({"code": "raise ValueError('boom')"}, "import", "ValueError: boom"),
    "exits at import": ({"code": "import sys; sys.exit('bye')"}, "import", "SystemExit: bye"),
    "base exception at import": ({"code": "class Odd(BaseException): pass\nraise Odd('odd')"}, "import", "Odd: odd"),
    "syntax error": ({"code": "def"}, "import", "SyntaxError"),
    "import of its own is missing": ({"code": "import no_such_module"}, "import", "no_such_module"),
    "hook raises": ({"code": HOOK + "def samspel_register_drivers(): raise KeyError('x')"}, "register", "KeyError"),
    "hook exits": ({"code": HOOK + "def samspel_register_drivers(): raise SystemExit(3)"}, "register", "SystemExit"),
    "hook returns the wrong type": (
        {"code": HOOK + "def samspel_register_drivers(): return {}"},
        "register",
        "returned dict; it must return list.DriverPackage.",
    ),
    "hook is misspelt": (
        {"code": HOOK + "def samspel_register_driver(): return []"},
        "register",
        "samspel_register_driver",
    ),
    "hook has an unknown argument": (
        {"code": HOOK + "def samspel_register_drivers(config): return []"},
        "register",
        "config",
    ),
    "hook lacks its mark": ({"code": "def samspel_register_drivers(): return []"}, "register", "lacks its mark"),
    "driver has another name": (
        {"code": HOOK + "def samspel_register_drivers(): return [DriverPackage(name='x', manifest=Path('y'))]"},
        "register",
        r"returned \['x'\]; this entry point offers \['bad'\]",
    ),
}


@pytest.fixture
def good(toys):
    """A healthy neighbour, which must not notice anything."""
    toys.driver("good")
    toys.extension("fine")
    return toys


def rows(kind: str = "driver") -> dict[str, tuple[str, str, str]]:
    return {row.name: (row.health, row.stage, row.error) for row in survey() if row.kind == kind}


@pytest.mark.parametrize("case", BROKEN_DRIVERS, ids=lambda name: name.replace(" ", "-"))
def test_a_broken_driver_is_a_row_with_its_stage(good, case):
    how, stage, words = BROKEN_DRIVERS[case]
    good.driver("bad", **how)
    found = {row.name: row for row in survey()}
    assert (found["bad"].dist, found["bad"].version, found["bad"].health) == ("toy-bad", "1.0", Health.FAILED)
    assert found["bad"].stage == stage
    with pytest.raises(PluginError, match=words) as caught:
        load_driver("bad")
    assert caught.value.stage == stage
    assert str(caught.value).startswith("driver 'bad' of toy-bad 1.0 cannot be used")
    assert (found["good"].health, found["fine"].health) == (Health.OK, Health.OK)


def test_what_fails_before_the_import_is_never_imported(good):
    good.driver("bad", driver="= what", code="raise ValueError('imported')")
    assert rows()["bad"][1] == "manifest"
    assert "toy_bad" not in sys.modules


def test_the_older_major_asks_for_an_upgrade_of_the_plugin(good, monkeypatch):
    monkeypatch.setattr("samspel.plugins.requirements.CONTRACT_VERSION", f"{MAJOR + 1}.0")
    assert rows()["good"][1:] == (
        "contract",
        f"toy-good 1.0 is written for contract 1.0; this samspel speaks {MAJOR + 1}.0 and no longer 1.x: "
        "upgrade toy-good",
    )


def test_an_older_minor_is_accepted(good, monkeypatch):
    monkeypatch.setattr("samspel.plugins.requirements.CONTRACT_VERSION", f"{MAJOR}.{MINOR + 3}")
    load_driver("good")


def test_a_requirement_of_another_platform_or_an_extra_does_not_count(good):
    marked = 'Requires-Dist: nothing-one; extra == "twin"\nRequires-Dist: nothing-two; sys_platform == "plan9"'
    good.driver("careful", metadata=marked)
    assert rows()["careful"][0] is Health.OK


def test_two_distributions_with_one_driver_name_are_both_unhealthy(good):
    good.driver("twice")
    good.dist("toy-copy", entry_points="[samspel.drivers]\ntwice = toy_twice:driver.toml\n")
    health, stage, error = rows()["twice"]
    assert (health, stage) == (Health.FAILED, "metadata")
    assert error == "toy-copy 1.0 and toy-twice 1.0 both offer driver 'twice'; uninstall one of them"
    with pytest.raises(PluginError, match="uninstall one of them"):
        load_driver("twice")
    assert rows()["good"][0] is Health.OK


@pytest.mark.parametrize("value", ["deep.toy:driver.toml", "toy_bad", "toy_bad:"])
def test_a_malformed_entry_point_is_named(good, value):
    good.dist("toy-bad", entry_points=f"[samspel.drivers]\nbad = {value}\n")
    health, stage, error = rows()["bad"]
    assert (health, stage) in [(Health.FAILED, "manifest"), (Health.FAILED, "metadata")]
    assert value.rstrip(":") in error or "metadata cannot be read" in error


def test_a_package_that_is_gone_asks_for_a_reinstall(good):
    good.dist("toy-bad", entry_points="[samspel.drivers]\nbad = toy_bad:driver.toml\n")
    assert rows()["bad"][1:] == ("manifest", "there is no package toy_bad; reinstall toy-bad")


def test_a_distribution_without_metadata_is_a_row(good):
    info = good.dist("broken", entry_points="[samspel.drivers]\nbad = toy_bad:driver.toml\n")
    (info / "METADATA").unlink()
    health, stage, error = rows()["broken-1.0.dist-info"]
    assert (health, stage) == (Health.FAILED, "metadata")
    assert "metadata cannot be read" in error


BROKEN_EXTENSIONS = {
    "raises at import": ("1 / 0", "import", "ZeroDivisionError"),
    "exits at import": ("raise SystemExit", "import", "SystemExit"),
    "registers a driver": (
        HOOK + "def samspel_register_drivers(): return [DriverPackage(name='x', manifest=Path('y'))]",
        "register",
        "needs an entry point of its own in samspel.drivers",
    ),
    "misspelt": (HOOK + "def samspel_register_filter(): return []", "register", "samspel_register_filter"),
    "wrong item": (HOOK + "def samspel_register_filters(): return [1]", "register", "FilterPackage"),
}


@pytest.mark.parametrize("case", BROKEN_EXTENSIONS, ids=lambda name: name.replace(" ", "-"))
def test_a_broken_extension_is_a_row_with_its_stage(good, case):
    code, stage, words = BROKEN_EXTENSIONS[case]
    good.extension("bad", code)
    assert rows("extension")["bad"][:2] == (Health.FAILED, stage)
    assert rows("extension")["fine"][0] is Health.OK
    with pytest.raises(PluginError, match=words):
        load_extension("bad")


def test_an_extension_needs_what_it_requires(good):
    good.extension("bad", metadata="Requires-Dist: no-such-thing")
    assert rows("extension")["bad"][:2] == (Health.FAILED, "requirements")
    with pytest.raises(PluginError, match=r"extension 'bad' of toy-bad 1.0 cannot be used .requirements."):
        load_extension("bad")


def test_ctrl_c_is_not_swallowed(good):
    good.driver("bad", code="raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        survey()


def test_twins_and_commands_are_rows_that_nobody_imports(good):
    good.package("toy_other", "raise ValueError('imported')")
    good.dist(
        "toy-other",
        entry_points="[samspel.twins]\nacme = toy_other:twin\n[samspel.commands]\nhello = toy_other:command\n"
        "read = toy_other:command\n",
    )
    assert rows("twin")["acme"][0] is Health.OK
    assert rows("command")["hello"][0] is Health.OK
    assert rows("command")["read"][1:] == ("metadata", "samspel has a command 'read' of its own, and uses that")
    assert "toy_other" not in sys.modules


def test_disabled_is_neither_healthy_nor_broken(good, monkeypatch):
    good.driver("bad", code="raise ValueError")
    monkeypatch.setenv("SAMSPEL_DISABLED_PLUGINS", "bad")
    assert rows()["bad"] == (Health.DISABLED, "", "")
    with pytest.raises(PluginError, match="switched off by SAMSPEL_DISABLED_PLUGINS; installed are: good"):
        load_driver("bad")


def test_an_unknown_driver_names_those_that_are_there(good):
    with pytest.raises(PluginError, match="driver 'nope' is not installed; installed are: good"):
        load_driver("nope")
