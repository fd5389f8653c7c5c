"""The [TestType] field of a file name: a word, a test's number from TR table 21, or both, and a sine's period.

`Sine40`, `Ramp`, `RampEndurance`, `2.4`, `4.1-Sine40` and `Operation` are all understood; words in any case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from samspel_prequal import rules
from samspel_prequal.errors import LogNameError
from samspel_prequal.product import Condition, Product, TestType

__all__ = ["TestLabel"]

_SHAPE: Final = re.compile(
    r"(?:(?P<number>[1-7][.][1-4])[-_ ]?)?(?P<word>[A-Za-z_-]*?)[-_]?(?P<period>\d+(?:[.]\d+)?)?s?"
)
# Other words that people use for the same thing.
_ALIASES: Final = {
    TestType.STEP: ("step", "steps", "stepresponse", "stepsequence"),
    TestType.SINE: ("sine", "sines", "sineresponse", "sinet"),
    TestType.RAMP: ("ramp", "ramps", "fastramp", "fastramps", "rampsequence"),
    TestType.STATIC_RAMP: ("staticramp", "rampstatic", "static"),
    TestType.LINEARITY: ("linearity", "linearitystep", "linearitysteps"),
    TestType.ENERGY: ("energymanagement", "energy", "ler", "lerenergymanagement", "nemaem"),
    TestType.FREQUENCY_METER: ("frequencymeter", "fme"),
    TestType.OPERATION: ("operation", "normaloperation"),
    TestType.PROFILE: ("profile",),
}
_WORDS: Final = {word: test_type for test_type, words in _ALIASES.items() for word in words}
_VARIANTS: Final = ("Combination", "Endurance")
_NUMBERS: Final = {row.number: row for row in rules.TEST_IDS}


@dataclass(frozen=True, slots=True)
class TestLabel:
    """What a log shows: the kind of test, a sine's period, a variant and the test's number."""

    __test__ = False

    test_type: TestType
    period_s: float | None = None
    endurance: bool = False
    combination: bool = False
    number: str = ""  # of TR table 21; it carries the operating condition

    def __post_init__(self) -> None:
        if (self.period_s is None) == (self.test_type is TestType.SINE):
            raise LogNameError("a sine, and only a sine, has its period in the test type, as in Sine40")

    def __str__(self) -> str:
        variants = ("Combination" if self.combination else "") + ("Endurance" if self.endurance else "")
        word = f"{self.test_type.value}{variants}{self.suffix}"
        return f"{self.number}-{word}" if self.number else word

    @property
    def suffix(self) -> str:
        """What every header of the file ends in: the period of a sine, else nothing."""
        return "" if self.period_s is None else f"{self.period_s:g}"

    @property
    def condition(self) -> Condition | None:
        """The operating condition, where the number says it."""
        row = _NUMBERS.get(self.number)
        return row.condition if row else None

    @classmethod
    def parse(cls, text: str, product: Product) -> TestLabel:
        """Understand a file name's test type.

        Raises:
            LogNameError: neither a word nor a number that is known for this product, or a sine without a period.
        """
        shape = _SHAPE.fullmatch(text)
        number = (shape["number"] or "") if shape else ""
        letters = re.sub("[-_]", "", shape["word"]).lower() if shape else ""
        found = [variant for variant in _VARIANTS if variant.lower() in letters]
        for variant in found:
            letters = letters.replace(variant.lower(), "")
        test_type = _WORDS.get(letters) if letters else _type_of(number)
        if shape is None or test_type is None:
            raise LogNameError(
                f"{text!r} is no test type: expected {', '.join(kind.value for kind in TestType)} (a sine with its "
                "period, as Sine40), or a number of the requirements' test list, as 1.1 or 4.1-Sine40"
            )
        _check_number(number, product, test_type)
        period_s = float(shape["period"]) if shape["period"] else None
        return cls(test_type, period_s, "Endurance" in found, "Combination" in found, number)


def _type_of(number: str) -> TestType | None:
    return _NUMBERS[number].test_type if number in _NUMBERS else None


def _check_number(number: str, product: Product, test_type: TestType) -> None:
    row = _NUMBERS.get(number)
    if number and (row is None or row.product is not product or row.test_type is not test_type):
        is_a = f"a {row.test_type.value} test of {row.product}" if row else "unknown"
        raise LogNameError(f"test number {number} is {is_a}, and the name says {test_type.value} of {product}")
