"""The daily door: the whole suite in an author's own pytest, in three lines of `tests/test_contract.py`.

    from samspel_contract.door import *

    DRIVER = "acme"

What certifies is the other door, `samspel-contract run`, where nothing of the author's pytest reaches the tests.
"""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("samspel_contract.suite")

from samspel_contract.catalogue import suite_tests  # noqa: E402 - the line above has to come first
from samspel_contract.fixtures import driver_case, pytest_generate_tests  # noqa: E402

_tests = {f"test_{name}": test for name, test in suite_tests().items()}
globals().update(_tests)

__all__ = ["driver_case", "pytest_generate_tests", *_tests]  # noqa: PLE0604 - names of functions, all of them text
