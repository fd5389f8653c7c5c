"""The words of prequalification: products, kinds of test, operating conditions, confidence in a figure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

__all__ = [
    "FCR_PRODUCTS",
    "Condition",
    "Confidence",
    "Droop",
    "Load",
    "Product",
    "TestType",
]


class Product(StrEnum):
    """A reserve product, by the name that the command line uses."""

    FCR_N = "fcr-n"
    FCR_D_UP = "fcr-d-up"
    FCR_D_DOWN = "fcr-d-down"
    FFR = "ffr"
    AFRR = "afrr"
    MFRR = "mfrr"

    @property
    def service(self) -> str:
        """The product in file names and column headers.

        Fcrn, FcrdUp and FcrdDo are the requirements' words (TR 6.2.1); the other three are ours.
        """
        return _SERVICES[self]

    @property
    def is_fcr(self) -> bool:
        """Whether the FCR requirements (TR) apply."""
        return self in FCR_PRODUCTS

    @property
    def is_fcr_d(self) -> bool:
        """Whether this is one of the two disturbance reserves."""
        return self in {Product.FCR_D_UP, Product.FCR_D_DOWN}

    @property
    def sign(self) -> int:
        """+1: delivers by injecting more; -1: by injecting less. FCR-N and the symmetric FRR count as +1."""
        return -1 if self is Product.FCR_D_DOWN else 1

    @classmethod
    def from_service(cls, service: str) -> Product:
        """The product of a file name's service word; `ValueError` when there is none."""
        for product, word in _SERVICES.items():
            if word == service:
                return product
        raise ValueError(f"{service!r} is no service; expected one of {', '.join(_SERVICES.values())}")


FCR_PRODUCTS = (Product.FCR_N, Product.FCR_D_UP, Product.FCR_D_DOWN)

_SERVICES = {
    Product.FCR_N: "Fcrn",
    Product.FCR_D_UP: "FcrdUp",
    Product.FCR_D_DOWN: "FcrdDo",
    Product.FFR: "Ffr",
    Product.AFRR: "Afrr",
    Product.MFRR: "Mfrr",
}


class TestType(StrEnum):
    """What a log shows. The value is the word in the file name."""

    __test__ = False  # not a test class, whatever its name says

    STEP = "Step"
    SINE = "Sine"
    RAMP = "Ramp"
    STATIC_RAMP = "StaticRamp"
    LINEARITY = "Linearity"
    ENERGY = "EnergyManagement"
    FREQUENCY_METER = "FrequencyMeter"
    OPERATION = "Operation"
    PROFILE = "Profile"


class Load(Enum):
    """Active power at which a test is run."""

    HIGH = "high"
    LOW = "low"


class Droop(Enum):
    """Controller setting at which a test is run. High droop is the smallest capacity, low droop the largest."""

    HIGH = "high"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Condition:
    """One of the four operating conditions (TR 5.1)."""

    load: Load
    droop: Droop

    def __str__(self) -> str:
        return f"{self.load.value} load, {self.droop.value} droop"


class Confidence(StrEnum):
    """How far a figure can be trusted."""

    HIGH = "high"  # read in the requirements, the test programme or the law
    MEDIUM = "medium"  # a TSO's web page or a secondary source
    LOW = "low"  # recalled, unverified: ask the TSO before a test
