"""`samspel plugins new NAME`: a complete plugin for a made-up inverter that passes everything, to be filled in."""

from samspel.scaffold.name import PluginName
from samspel.scaffold.write import new_plugin

__all__ = ["PluginName", "new_plugin"]
