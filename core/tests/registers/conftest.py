from pathlib import Path

import pytest


@pytest.fixture
def map_text() -> str:
    """One map that uses the whole vocabulary and is right."""
    return (Path(__file__).parent / "acme.toml").read_text()
