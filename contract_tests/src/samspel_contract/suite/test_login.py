"""A vendor's login: made where the path wants one, refused when it is wrong, and never told to anybody."""

from __future__ import annotations

import pytest
from samspel.contract.driver import ControlState
from samspel.contract.errors import BusError, ConfigError, DriverError, SamspelError

from samspel_contract.capabilities import Capability
from samspel_contract.case import DriverCase, needs, once, safety, simulated
from samspel_contract.target import Target

POWER_W = 1200.0
WRONG = "not-the-password-of-anybody"
LONGER_THAN_A_LOGIN_S = 300.0


def _with_login(driver_case: DriverCase) -> Target:
    """The first variant that logs in; `needs` has seen to it that the driver says it can."""
    for target in driver_case.target.variants:
        if target.path.session and target.variant.login:
            return target
    pytest.fail("a path wants a login, and no [[variants]] of contract.toml says `login` for it")


def _spoken(error: BaseException | None) -> str:
    """Everything that an error and its causes say."""
    return "" if error is None else f"{error!r} {_spoken(error.__cause__)} {_spoken(error.__context__)}"


@needs(Capability.LOGIN, Capability.DISCHARGE)
@once
@safety
@simulated
async def test_login_opens_the_way(driver_case: DriverCase, caplog: pytest.LogCaptureFixture) -> None:
    """With the right secrets the device obeys, for longer than a login lives by itself; what the login writes is no
    register of the control block, and no secret is in the log.

    If this fails: look at the session's `open`, at its `interval_s` and `keep_alive`, and at what it logs.
    """
    caplog.set_level(0)
    case = DriverCase(_with_login(driver_case))
    rig = case.rig()
    snapshot = await rig.take()
    await rig.set_power(POWER_W, snapshot)
    await rig.wait(LONGER_THAN_A_LOGIN_S)
    await rig.release(snapshot)
    assert (await rig.driver.read_control()).state is ControlState.DEFAULT
    assert case.stray_writes() == []
    owned = {rig.map.registers[name].address for name in rig.map.owned}
    assert not owned & rig.login_writes
    assert not [secret for secret in _secrets(rig.target) if secret in caplog.text]


def _secrets(target: Target) -> list[str]:
    names = ("password", "pin", "secret", "token", "key")
    return [str(value) for key, value in target.variant.login.items() if any(name in key for name in names)]


@needs(Capability.LOGIN)
@once
@safety
@simulated
async def test_wrong_login_is_refused(driver_case: DriverCase, caplog: pytest.LogCaptureFixture) -> None:
    """With a wrong secret nothing is carried out, the error is core's own, and the secret is in no error and no log.

    If this fails: raise RequirementFailed from the session when the device refuses; name the setting, not its value.
    """
    caplog.set_level(0)
    target = _with_login(driver_case)
    case = DriverCase(target)
    secret = _secrets(target)
    wrong = {key: WRONG if value in secret else value for key, value in target.variant.login.items()}
    rig = case.rig(login=wrong)
    with pytest.raises((BusError, DriverError)) as caught:
        await rig.set_power(POWER_W, await rig.take())
    assert not [write for write in rig.writes() if write["result"] == "ok"]
    assert WRONG not in _spoken(caught.value)
    assert WRONG not in caplog.text


@needs(Capability.LOGIN)
@once
@safety
@simulated
async def test_missing_login_reads_or_says_so(driver_case: DriverCase) -> None:
    """Without any secret the driver either says at once what is missing, or reads; a command fails with an error of
    core's own and changes nothing.

    If this fails: the session must neither invent a secret nor hide the device's refusal.
    """
    case = DriverCase(_with_login(driver_case))
    try:
        rig = case.rig(login={})
        await rig.driver.identify()
    except (ConfigError, BusError, DriverError):
        return
    assert (await rig.driver.read())["soc_pct"].usable() is not None
    with pytest.raises(SamspelError):
        await rig.set_power(POWER_W, await rig.driver.take())
    assert not [write for write in rig.writes() if write["result"] == "ok"]
