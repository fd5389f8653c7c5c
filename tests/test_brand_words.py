"""Core speaks of inverters; a brand lives in its plugin. No brand, model or vendor word is in core/src."""

import re
from pathlib import Path

import pytest

CORE = Path(__file__).parents[1] / "core" / "src"

# Found anywhere, inside a longer name too: nothing else in our language contains them.
NAMES = re.findall(
    r"\S+",
    """
    huawei fusionsolar sun2000 luna2000 sdongle smartlogger smartguard
    sungrow winet isolarcloud ihomemanager sbr096
    elekeeper esolar
    goodwe growatt fronius victron enphase solaredge foxess fox-ess kostal solax sofar sigenergy
    pylontech alphaess sonnen givenergy ginlong sunsynk senec powerwall qcells
    """,
)
# Short ones are words only with no letter beside them: `saj` is not in `sajna`, `luna` not in `lunar`.
WORDS = ["saj", "luna", "sma", "deye", "solis", "byd", "tesla", "emma"]
WORDS += [r"sh\d+(?:[.]\d)?(?:rs|rt|t|k)(?:-\d+)?", r"h[12]-\d+k"]
PATTERN = re.compile(rf"(?i:{'|'.join(NAMES)})|(?<![a-z])(?i:{'|'.join(WORDS)})(?![a-z])")


def brand_words(text: str) -> list[str]:
    return [match[0] for match in PATTERN.finditer(text)]


@pytest.mark.parametrize(
    "text",
    ["huawei", "HuaweiDriver", "a_sungrow_map", "SUN2000-10KTL", "saj", "SAJ H2", "saj_mode", "class SajMap"],
)
def test_a_brand_word_is_seen(text):
    assert brand_words(text)


@pytest.mark.parametrize(
    "text", ["luna", "Luna unit", "SH10RT", "sh8.0rs", "SH5K-30", "H2-5K", "as SMA does", "tesla_like"]
)
def test_a_short_brand_word_is_seen(text):
    assert brand_words(text)


@pytest.mark.parametrize(
    "text",
    ["message", "lunar", "small", "plasma", "dilemma", "sh", "sha256", "solistic", "usage", "h2", "push10t"],
)
def test_an_ordinary_word_is_not(text):
    assert not brand_words(text)


def test_core_holds_no_brand_word():
    found = [
        f"{file.relative_to(CORE)}:{number}: {word}"
        for file in sorted(CORE.rglob("*"))
        if file.suffix in {".csv", ".html", ".json", ".md", ".py", ".toml", ".txt"}
        for number, line in enumerate([str(file.name), *file.read_text(encoding="utf-8").splitlines()])
        for word in brand_words(line)
    ]
    assert not found, "move it to the plugin, or say it without the brand:\n" + "\n".join(found)
