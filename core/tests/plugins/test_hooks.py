"""The hooks: each is documented, each works, and each way of getting one wrong is named."""

import inspect
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from samspel import builtins, hookspecs
from samspel.contract.errors import PluginError
from samspel.hookspecs import DriverPackage, FaultCatalogue, FilterPackage, TransportPackage, hookimpl
from samspel.plugins.hooks import HOOKS, Registration, collect

DOCUMENT = Path(__file__).parents[3] / "docs" / "hooks.md"
SPECIFIED = {name: item for name, item in vars(hookspecs).items() if hasattr(item, f"{hookspecs.PROJECT}_spec")}

SAMPLES = {
    "samspel_register_drivers": DriverPackage(name="acme", manifest=Path("driver.toml")),
    "samspel_register_filters": FilterPackage(name="calm", factory=lambda settings: object()),
    "samspel_register_transports": TransportPackage(name="pigeon", factory=lambda *_, **__: None),
    "samspel_register_fault_catalogues": FaultCatalogue(name="more", driver="acme", table=Path("faults.toml")),
}
FIELDS = {name: name.removeprefix("samspel_register_") for name in HOOKS}


def plugin_with(hook, returns):
    def implementation():
        if isinstance(returns, BaseException):
            raise returns
        return returns

    implementation.__name__ = hook
    return SimpleNamespace(**{hook: hookimpl(implementation)})


def test_the_list_of_hooks_is_the_specification():
    assert set(HOOKS) == set(SPECIFIED)
    assert {f"{hookspecs.PROJECT}_register_{field}" for field in Registration.__dataclass_fields__} == set(HOOKS)


@pytest.mark.parametrize("hook", sorted(SPECIFIED))
def test_every_hook_is_documented_with_its_exact_signature(hook):
    signature = f"def {hook}{inspect.signature(SPECIFIED[hook])}:".replace("'", "")
    assert signature in DOCUMENT.read_text(encoding="utf-8")


def test_nothing_is_documented_that_does_not_exist():
    assert set(re.findall(r"samspel_register_\w+", DOCUMENT.read_text(encoding="utf-8"))) == set(SPECIFIED)


def test_every_hook_has_a_sample_here():
    assert set(SAMPLES) == set(SPECIFIED)


@pytest.mark.parametrize("hook", sorted(SPECIFIED))
def test_every_hook_is_collected(hook):
    registered = collect(plugin_with(hook, [SAMPLES[hook]]), "toy")
    assert registered == Registration(**{FIELDS[hook]: (SAMPLES[hook],)})


@pytest.mark.parametrize("hook", sorted(SPECIFIED))
@pytest.mark.parametrize(
    "returned", [None, "text", {}, SAMPLES, (1,), [1], [None]], ids=lambda value: type(value).__name__
)
def test_a_wrong_return_type_names_the_hook_and_what_is_expected(hook, returned):
    with pytest.raises(PluginError, match=hook) as caught:
        collect(plugin_with(hook, returned), "toy")
    assert HOOKS[hook].__name__ in str(caught.value)
    assert caught.value.stage == "register"


def test_a_misspelt_hook_is_refused_and_the_right_names_are_given():
    with pytest.raises(PluginError, match=r"samspel_register_driver.*samspel_register_drivers\(\)"):
        collect(plugin_with("samspel_register_driver", []), "toy")


def test_an_unknown_argument_is_refused():
    @hookimpl
    def samspel_register_drivers(config):
        return []

    with pytest.raises(PluginError, match="config"):
        collect(SimpleNamespace(samspel_register_drivers=samspel_register_drivers), "toy")


def test_a_forgotten_mark_is_refused():
    with pytest.raises(PluginError, match="samspel_register_filters lacks its mark"):
        collect(SimpleNamespace(samspel_register_filters=list), "toy")


def test_an_asynchronous_hook_is_refused():
    @hookimpl
    async def samspel_register_filters():
        return []

    with pytest.raises(PluginError, match="asynchronous"):
        collect(SimpleNamespace(samspel_register_filters=samspel_register_filters), "toy")


def test_without_hooks_nothing_is_registered():
    assert collect(SimpleNamespace(), "toy") == Registration()


def test_importing_the_mark_is_not_forgetting_it():
    assert collect(SimpleNamespace(hookimpl=hookimpl, samspel_version="1"), "toy") == Registration()


def test_core_registers_its_own_transports():
    registered = collect(builtins, "samspel")
    assert {package.name for package in registered.transports} == {"mqtt", "memory"}
