"""Who answers, before anything else happens; and a vendor's login."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from samspel.contract.errors import DriverError, LinkDown, UnsupportedModel, WrongDevice
from samspel.driver.identity import read_identity
from samspel.driver.manifest import load_manifest

pytestmark = pytest.mark.looptime

HERE = Path(__file__).parent


class Login:
    interval_s = 15.0

    def __init__(self):
        self.opened, self.beats, self.fail = 0, 0, False

    async def open(self, link):
        self.opened += 1

    async def keep_alive(self, link):
        self.beats += 1
        if self.fail:
            raise LinkDown("gone")


async def test_identity_in_clean_words(driver):
    identity = await driver.identify()
    assert (identity.brand, identity.model, identity.serial, identity.firmware, identity.battery_model) == (
        "Sample",
        "SAMPLE-5K",
        "SN000001",
        "V1.150",
        "BAT2",
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('{ address = 200, type = "u16" }', "4066"),
        ('{ address = 200, type = "u16", scale = 0.001 }', "4.066"),
        ('{ address = 200, type = "u16", scale = 0.001, prefix = "V" }', "V4.066"),
        ('{ address = 900, type = "u16", prefix = "V", optional = true }', ""),
    ],
)
async def test_a_version_may_be_a_number(tmp_path, link, row, said):
    for file in ("driver.toml", "sample.toml", "faults.toml", "symptoms.toml"):
        shutil.copy(HERE / file, tmp_path)
    text = (HERE / "driver.toml").read_text()
    (tmp_path / "driver.toml").write_text(text.replace("firmware = { address = 12, count = 4 }", f"firmware = {row}"))
    link.words[200] = 4066
    assert (await read_identity(load_manifest(tmp_path / "driver.toml"), link)).firmware == said


async def test_an_optional_identity_register_may_be_missing(make_driver, link):
    del link.words[16]
    assert (await make_driver().identify()).battery_model == ""


async def test_another_brand_is_not_supported(make_driver, link):
    link.set(0, 0x5858)
    with pytest.raises(UnsupportedModel, match="XXMPLE-5K"):
        await make_driver().identify()


async def test_nothing_works_before_identify(make_driver):
    driver = make_driver()
    with pytest.raises(DriverError, match="identify"):
        await driver.read()
    with pytest.raises(DriverError, match="identify"):
        driver.capabilities()


async def test_confirm_refuses_another_serial(make_driver, link):
    driver = make_driver()
    await driver.confirm(link)
    await driver.identify()
    link.set(8, 0x5858)
    with pytest.raises(WrongDevice, match="XX000001"):
        await driver.confirm(link)
    strict = make_driver(expected_serial="SN000001")
    with pytest.raises(WrongDevice):
        await strict.confirm(link)
    with pytest.raises(WrongDevice):
        await strict.identify()
    assert link.writes == []


async def test_the_serial_that_has_just_answered_is_not_asked_for_again(make_driver, link):
    driver = make_driver()
    await driver.confirm(link)
    link.reads.clear()
    assert (await driver.identify()).serial == "SN000001"
    assert 8 not in [address for address, _ in link.reads]


async def test_after_another_serial_the_device_has_to_say_its_own(make_driver, link):
    driver = make_driver(expected_serial="SN000001")
    await driver.confirm(link)
    link.set(8, 0x5858)
    for refused in (driver.confirm(link), driver.identify()):
        with pytest.raises(WrongDevice, match="XX000001"):
            await refused


async def test_the_login_comes_after_the_serial_and_only_on_the_right_device(make_driver, link):
    login = Login()
    driver = make_driver(session=login, expected_serial="SN000001")
    await driver.confirm(link)
    assert login.opened == 1
    link.set(8, 0x5858)
    with pytest.raises(WrongDevice):
        await driver.confirm(link)
    assert login.opened == 1


async def test_the_login_is_kept_alive_through_lost_links(make_driver):
    login = Login()
    tending = asyncio.create_task(make_driver(session=login).tend_session())
    await asyncio.sleep(31)
    login.fail = True
    await asyncio.sleep(30)
    assert login.beats == 4
    assert not tending.done()
    tending.cancel()
    await make_driver().tend_session()


async def test_a_new_connection_forgets_what_was_seen(driver, link):
    snapshot = await driver.take()
    await driver.set_power(1000, 1e9, snapshot, None)
    link.set(106, 600, 2)
    await driver.confirm(link)
    await driver.set_power(1000, 1e9, snapshot, 1000)
    assert link.get(203, 2) == 600
