"""A twin that is data: what `registers.csv` and `twin.toml` say, run on the simulator's engine.

    from samspel_sim.declared import declared_twin

    twin = declared_twin(__name__)

in the package that holds the two files. What they may say is in docs/declared-twin.md.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import as_file, files

from samspel_sim.behaviour import TwinOptions
from samspel_sim.declared.declaration import Declaration
from samspel_sim.declared.device import DeclaredDevice
from samspel_sim.declared.document import DeclarationError
from samspel_sim.declared.read import read_declaration

__all__ = ["Declaration", "DeclarationError", "DeclaredDevice", "declared_twin", "read_declaration"]


def declared_twin(package: str) -> Callable[[TwinOptions], DeclaredDevice]:
    """The twin whose `registers.csv` and `twin.toml` are in this package; DeclarationError says what is wrong there."""
    with as_file(files(package)) as folder:
        declared = read_declaration(folder)

    def twin(options: TwinOptions) -> DeclaredDevice:
        """The device that was asked for. OptionError says what there is to choose from."""
        return DeclaredDevice(declared, options)

    return twin
