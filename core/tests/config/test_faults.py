"""`[faults]`: what is not named keeps its usual time, and a severity that does not exist is named."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from samspel.config.site import FaultsConfig
from samspel.contract.fault import Severity
from samspel.faults.debounce import USUAL


def test_without_a_table_everything_is_as_usual():
    assert FaultsConfig().debounce() == USUAL


def test_one_severity_changes_and_the_others_stay():
    debounce = FaultsConfig.model_validate({"raise_s": {"warning": 60}, "clear_s": {"major": 120}}).debounce()
    assert debounce.raise_s[Severity.WARNING] == 60
    assert debounce.raise_s[Severity.INFO] == USUAL.raise_s[Severity.INFO]
    assert debounce.clear_s[Severity.MAJOR] == 120
    assert not debounce.clears(Severity.MAJOR, 119.0)


@pytest.mark.parametrize("table", [{"raise_s": {"terrible": 1}}, {"raise_s": {"info": -1}}, {"rise_s": {}}])
def test_what_cannot_be_is_refused(table):
    with pytest.raises(ValidationError):
        FaultsConfig.model_validate(table)
