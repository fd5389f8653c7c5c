"""A new plugin is complete, loads at once, and is written whole or not at all."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.cli.plugins import command
from samspel.contract import CONTRACT_VERSION
from samspel.contract.errors import ConfigError
from samspel.driver.symptoms import load_symptoms
from samspel.plugins.brand import load_brand
from samspel.scaffold import PluginName, new_plugin
from samspel.scaffold.write import FILES, written_files

ACME = PluginName("acme")


def test_every_template_is_written_and_nothing_else():
    templates = {path.name for path in (files("samspel.scaffold") / "templates").iterdir()}
    assert templates == set(FILES)


@pytest.mark.parametrize("name", ["acme", "my_brand2", "a", "x" * 30])
def test_the_data_loads_as_it_is_written(tmp_path, name):
    plugin = PluginName(name)
    folder, written = new_plugin(plugin, tmp_path)
    package = folder / "src" / plugin.package
    brand = load_brand(package / "driver.toml")
    assert brand.manifest.name == name
    assert brand.manifest.contract == CONTRACT_VERSION
    assert load_symptoms(package / "symptoms.toml")
    assert sorted(written) == sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def test_the_project_offers_driver_and_twin_under_one_name(tmp_path):
    folder, _ = new_plugin(PluginName("my_brand"), tmp_path)
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert folder.name == project["name"] == "samspel-my-brand"
    assert project["entry-points"] == {
        "samspel.drivers": {"my_brand": "samspel_my_brand:driver.toml"},
        "samspel.twins": {"my_brand": "samspel_my_brand.twin:twin"},
    }


def test_no_placeholder_and_no_address_is_left():
    for path, text in written_files(PluginName("zzz")).items():
        assert "$" not in text, path
        assert "acme" not in text.lower(), path
        assert not re.search(r"https?://", text), path


@pytest.mark.parametrize("name", ["", "Acme", "acme-2", "2acme", "_acme", "acme_", "a__b", "å", "a b", "a/b", "x" * 31])
def test_a_bad_name_is_refused_with_an_example(name):
    with pytest.raises(ConfigError, match="for instance acme"):
        PluginName(name)


@pytest.mark.parametrize("name", ["sim", "contract", "contract_tests", "prequal", "fleet"])
def test_a_name_of_our_own_is_refused(name):
    with pytest.raises(ConfigError, match=f"samspel-{name.replace('_', '-')} is a distribution of samspel's own"):
        PluginName(name)


@given(st.text(alphabet="abz09_-A. ", max_size=8))
def test_a_name_is_refused_or_makes_a_package(name):
    try:
        plugin = PluginName(name)
    except ConfigError:
        return
    assert plugin.package.isidentifier()
    assert plugin.package == plugin.package.lower()


def test_a_folder_that_exists_is_left_as_it_is(tmp_path):
    (tmp_path / "samspel-acme").mkdir()
    (tmp_path / "samspel-acme" / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="exists already"):
        new_plugin(ACME, tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["samspel-acme", "mine.txt"]


def test_a_link_to_nowhere_counts_as_existing(tmp_path):
    (tmp_path / "samspel-acme").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="exists already"):
        new_plugin(ACME, tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ConfigError, match="is not a folder"):
        new_plugin(ACME, tmp_path / "gone")


@pytest.mark.parametrize(
    ("error", "seen"), [(OSError("no space left"), ConfigError), (KeyboardInterrupt(), KeyboardInterrupt)]
)
def test_nothing_half_written_is_left(tmp_path, monkeypatch, error, seen):
    write_text = Path.write_text

    def fail_at_the_map(self, *args, **kwargs):
        if self.name == "acme.toml":
            raise error
        return write_text(self, *args, **kwargs)

    monkeypatch.setattr(Path, "write_text", fail_at_the_map)
    with pytest.raises(seen):
        new_plugin(ACME, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_it_wrote_and_what_comes_next(tmp_path, capsys):
    assert command(["new", "acme", "--into", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert str(tmp_path / "samspel-acme" / "src" / "samspel_acme" / "driver.toml") in shown
    assert "samspel-contract run --driver acme" in shown
    with pytest.raises(ConfigError, match="exists already"):
        command(["new", "acme", "--into", str(tmp_path)])
