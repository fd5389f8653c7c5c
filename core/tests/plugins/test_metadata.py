"""What is installed is read from metadata alone."""

import sys

from samspel.plugins.metadata import COMMANDS, DRIVERS, EXTENSIONS, installed_version, offers


def test_entry_points_are_found_by_group_and_nothing_is_imported(toys):
    toys.driver("acme")
    toys.extension("extra")
    found = offers(DRIVERS, EXTENSIONS)
    assert [(offer.kind, offer.name, offer.dist, offer.version) for offer in found] == [
        ("driver", "acme", "toy-acme", "1.0"),
        ("extension", "extra", "toy-extra", "1.0"),
    ]
    assert (found[0].package, found[0].attribute) == ("toy_acme", "driver.toml")
    assert offers(COMMANDS) == []
    assert not {"toy_acme", "toy_extra"} & sys.modules.keys()


def test_other_distributions_are_passed_over(toys):
    info = toys.dist("stranger", entry_points="[console_scripts]\nx = y:z\n")
    (info / "METADATA").unlink()
    assert offers(DRIVERS) == []


def test_a_distribution_without_metadata_becomes_an_unreadable_offer(toys):
    toys.driver("acme")
    info = toys.dist("broken", entry_points="[samspel.drivers]\nbroken = broken:driver.toml\n")
    (info / "METADATA").unlink()
    broken = next(offer for offer in offers(DRIVERS) if offer.unreadable)
    assert broken.dist == "broken-1.0.dist-info"
    assert "metadata cannot be read" in broken.unreadable
    assert [offer.name for offer in offers(DRIVERS) if not offer.unreadable] == ["acme"]


def test_a_distribution_without_a_version_becomes_an_unreadable_offer(toys):
    info = toys.dist("broken", entry_points="[samspel.drivers]\nbroken = broken:driver.toml\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\n")
    (broken,) = offers(DRIVERS)
    assert (broken.dist, broken.version) == ("broken", "?")
    assert broken.unreadable == "its metadata cannot be read: ValueError: it has no Version"


def test_what_is_first_on_the_path_hides_an_older_copy(toys):
    toys.dist("toy-acme", "1.0", entry_points="[samspel.drivers]\nacme = toy_acme:driver.toml\n")
    toys.dist("Toy.Acme", "1.1", entry_points="[samspel.drivers]\nacme = toy_acme:driver.toml\n")
    assert len(offers(DRIVERS)) == 1


def test_rivals_name_everybody_who_offers_the_same(toys):
    for dist in ("toy-one", "toy-two"):
        toys.dist(dist, entry_points="[samspel.drivers]\nacme = toy_acme:driver.toml\n")
    assert {offer.rivals for offer in offers(DRIVERS)} == {("toy-one 1.0", "toy-two 1.0")}


def test_disabled_by_entry_point_or_distribution(toys, monkeypatch):
    toys.driver("acme")
    toys.driver("other")
    toys.extension("extra")
    monkeypatch.setenv("SAMSPEL_DISABLED_PLUGINS", " ACME, toy_extra ,,")
    assert {offer.name: offer.disabled for offer in offers(DRIVERS, EXTENSIONS)} == {
        "acme": True,
        "other": False,
        "extra": True,
    }


def test_a_disabled_rival_is_no_rival(toys, monkeypatch):
    for dist in ("toy-one", "toy-two"):
        toys.dist(dist, entry_points="[samspel.drivers]\nacme = toy_acme:driver.toml\n")
    monkeypatch.setenv("SAMSPEL_DISABLED_PLUGINS", "toy-two")
    assert {offer.rivals for offer in offers(DRIVERS)} == {("toy-one 1.0",)}


def test_versions_of_installed_distributions():
    assert installed_version("samspel")
    assert installed_version("no-such-distribution-anywhere") is None
