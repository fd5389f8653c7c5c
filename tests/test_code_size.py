"""The size report counts what a reader reads."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[1]


def load():
    spec = importlib.util.spec_from_file_location("code_size", ROOT / "tools" / "code_size.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_long_function_and_a_long_file_are_named(tmp_path):
    body = "\n".join(f"    x = {number}" for number in range(41))
    (tmp_path / "big.py").write_text(f'def wide():\n    """Not counted."""\n{body}\n' + "# filler\n" * 400)
    (tmp_path / "small.py").write_text("def one():\n    return 1\n")
    text = load().report([tmp_path])
    assert "2 files, 445 lines, 2 functions, median 21, p90 41, longest 41" in text
    assert "big.py:1 wide" in text
    assert "file      443" in text
    assert "small.py" not in text


def test_nothing_too_long_says_so(tmp_path):
    (tmp_path / "small.py").write_text("async def one(): ...\n")
    assert load().report([tmp_path]).endswith("nothing")
