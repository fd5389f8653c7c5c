"""What the repository holds: no download addresses, no lock file, the licence in every distribution."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DISTRIBUTIONS = sorted(path.parent for path in ROOT.glob("**/pyproject.toml") if path.parent != ROOT)
DISTRIBUTIONS = [path for path in DISTRIBUTIONS if not {".venv", ".tox"} & set(path.parts)]
NAMES = [str(path.relative_to(ROOT)) for path in DISTRIBUTIONS]

# Addresses that are names rather than places to fetch from, and those of this machine and of examples.
HARMLESS_HOSTS = (
    r"(?:json-schema[.]org|www[.]apache[.]org|\S*example\b"
    r"|localhost|\[::1\]|127[.]0[.]0[.]1|192[.]0[.]2[.]\d+)"
)
WEB_ADDRESS = re.compile(rf"(?:https?|ftp|git[+]ssh|ssh)://(?!{HARMLESS_HOSTS})[\w\[][^\s\"'<>)\]]*")
# In pieces, so that this file does not hold what it forbids.
REGISTRY_HOST = re.compile(
    r"\b(?:pypi|pythonhosted|npmjs|debian|ubuntu|launchpad|ghcr|docker|github|githubusercontent|gitlab)"
    r"[.](?:org|com|net|io)\b"
)


def repository_files() -> list[Path]:
    """Tracked files, and those that would be with the next `git add`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def addresses(text: str) -> list[str]:
    return [match[0] for pattern in (WEB_ADDRESS, REGISTRY_HOST) for match in pattern.finditer(text)]


@pytest.mark.parametrize("text", ["see {}s://some.host/x", "get {}://10.0.0.1/a.whl", "at py" + "pi.org"])
def test_an_address_is_seen(text):
    assert addresses(text.format("http"))


@pytest.mark.parametrize(
    "text",
    [
        "{}://127.0.0.1:{{port}}/state",
        "{}://localhost/",
        "{}s://json-schema.org/draft/2020-12/schema",
        "modbus-tcp://inverter.local:502?unit=1",
        "uses: actions/checkout@v4",
    ],
)
def test_a_harmless_address_is_not(text):
    assert not addresses(text.format("http"))


def test_no_file_holds_a_download_address():
    found = [
        f"{path.relative_to(ROOT)}: {address}"
        for path in repository_files()
        for address in addresses(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert not found, "name the source in words instead:\n" + "\n".join(found)


def test_the_lock_file_stays_at_home():
    """It holds hundreds of registry addresses; constraints.txt says the same without them."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    assert "uv.lock" not in tracked.split()
    assert "uv.lock" in (ROOT / ".gitignore").read_text().split()


@pytest.mark.parametrize("name", NAMES)
def test_a_distribution_carries_licence_readme_and_changelog(name):
    folder = ROOT / name
    assert (folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert (folder / "README.md").stat().st_size > 0
    version = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["version"]
    assert f"## {version}" in (folder / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_distribution_is_typed_and_a_member(name):
    folder = ROOT / name
    assert list(folder.glob("src/*/py.typed"))
    if name.startswith("examples/"):
        return  # A stranger's plugin, which stands for itself: tests/test_examples.py installs it as one.
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert name in workspace["tool"]["uv"]["workspace"]["members"]
    tests = f"{name}/tests"
    assert tests in workspace["tool"]["pytest"]["ini_options"]["testpaths"]


@pytest.mark.parametrize("name", NAMES)
def test_a_workspace_source_does_not_hide_a_missing_range(name):
    """Between our own distributions every requirement says which versions it takes."""
    project = tomllib.loads((ROOT / name / "pyproject.toml").read_text())["project"]
    optional = project.get("optional-dependencies", {}).values()
    requirements = [*project["dependencies"], *(item for group in optional for item in group)]
    ours = [requirement for requirement in requirements if requirement.startswith("samspel")]
    assert all(">=" in requirement and "<" in requirement for requirement in ours), ours


def test_every_dependency_is_constrained():
    """`make constraints` writes the file anew after a change of dependencies."""
    constrained = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()}
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"].values()
    wanted = {item for group in groups for item in group if isinstance(item, str)}
    for name in NAMES:
        wanted |= set(tomllib.loads((ROOT / name / "pyproject.toml").read_text())["project"]["dependencies"])
    names = {re.match(r"[\w-]+", requirement)[0] for requirement in wanted}
    assert {name for name in names if not name.startswith("samspel")} <= constrained
