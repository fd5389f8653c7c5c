"""One line an event, with its station and its values."""

import io
import json
import logging

import pytest
from samspel.logs import LogFormat, configure


@pytest.fixture
def stream():
    """A place to log to; everything is as before afterwards."""
    root, own = logging.getLogger(), logging.getLogger("samspel")
    before = (root.handlers[:], root.level, own.level)
    yield io.StringIO()
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    own.setLevel(before[2])


def boom():
    raise ValueError("no\nway")


def test_a_line_for_people(stream):
    configure(stream=stream)
    logging.getLogger("samspel.bus.worker").info(
        "link\nup", extra={"endpoint": "127.0.0.1:502", "waited_s": 3.5, "text": "two words\nand lines", "empty": ""}
    )
    line = stream.getvalue()
    time, level, rest = line.split(maxsplit=2)
    assert time.endswith("Z")
    assert len(time) == len("2026-11-22T10:11:12.345Z")
    assert level == "INFO"
    assert rest == 'bus link\\nup endpoint=127.0.0.1:502 waited_s=3.5 text="two words\\nand lines" empty=""\n'


def test_an_object_for_programs(stream):
    configure(LogFormat.JSON, stream=stream)
    logging.getLogger("samspel.control").warning("at %d W", 5, extra={"device": "home", "odd": {1, 2} - {2}})
    event = json.loads(stream.getvalue())
    assert event.pop("at").endswith("Z")
    assert event == {"level": "warning", "station": "control", "event": "at 5 W", "device": "home", "odd": "{1}"}


@pytest.mark.parametrize("log_format", LogFormat)
def test_an_error_is_one_line_too(stream, log_format):
    configure(log_format, stream=stream)
    try:
        boom()
    except ValueError:
        logging.getLogger("samspel.store").exception("cannot write")
    (line,) = stream.getvalue().splitlines()
    assert "ValueError: no\\nway" in line
    if log_format is LogFormat.JSON:
        assert "in boom" in json.loads(line)["traceback"]
    else:
        assert "where=test_logs.py:" in line


def test_people_who_debug_get_the_traceback(stream):
    configure(stream=stream, level=logging.DEBUG)
    try:
        boom()
    except ValueError:
        logging.getLogger("samspel.store").exception("cannot write")
    assert "Traceback" in stream.getvalue()


def test_libraries_are_heard_from_warning_on(stream):
    configure(stream=stream, level=logging.DEBUG)
    logging.getLogger("somelib.deep").info("chatter")
    logging.getLogger("somelib.deep").warning("trouble")
    logging.getLogger("samspel.bus").debug("detail")
    stations = [line.split()[2] for line in stream.getvalue().splitlines()]
    assert stations == ["somelib", "bus"]


def test_a_second_call_replaces_the_first(stream):
    configure(stream=io.StringIO())
    configure(LogFormat.JSON, stream=stream)
    logging.getLogger("samspel").info("once")
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["station"] == "samspel"
