"""The TSOs' log files: names, columns, reading with every problem by line and column, writing, resampling."""

from samspel_prequal.logs.columns import COLUMNS, Column, Kind, Need, header_for
from samspel_prequal.logs.label import TestLabel
from samspel_prequal.logs.log import Log
from samspel_prequal.logs.name import AREAS, TIMEZONES, LogName
from samspel_prequal.logs.problem import Problem, Severity
from samspel_prequal.logs.read import Checked, check_log, check_text, read_log, stream_log
from samspel_prequal.logs.resample import Between, Gap, ResampleReport, ResampleRule, resample
from samspel_prequal.logs.write import power_decimals, write_log

__all__ = [
    "AREAS",
    "COLUMNS",
    "TIMEZONES",
    "Between",
    "Checked",
    "Column",
    "Gap",
    "Kind",
    "Log",
    "LogName",
    "Need",
    "Problem",
    "ResampleReport",
    "ResampleRule",
    "Severity",
    "TestLabel",
    "check_log",
    "check_text",
    "header_for",
    "power_decimals",
    "read_log",
    "resample",
    "stream_log",
    "write_log",
]
