"""Build every distribution and judge what a user would get.

Builds wheels and source distributions, looks for every tracked source and data file inside both, then
installs the wheels by path into two fresh environments (an edge box: core and plugins; a developer: all)
and runs what is installed there. Needs `uv` beside the running Python. Exit 1 with the reason.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
UV = [sys.executable, "-m", "uv"]
NOT_ON_AN_EDGE_BOX = {"samspel_sim", "samspel_contract_tests", "samspel_prequal"}
EDGE_COMMANDS = ["samspel --help", "samspel plugins list"]
ALL_COMMANDS = [
    "samspel plugins check",
    "samspel demo --help",
    "samspel sim --help",
    "samspel-contract --help",
    "samspel-prequal --help",
]


class Failed(Exception):
    """What is wrong with what we would ship."""


def main() -> None:
    """Build into a throw-away folder and check there."""
    with tempfile.TemporaryDirectory(prefix="samspel wheels ") as name:
        folder = Path(name)
        run([*UV, "build", "--quiet", "--all-packages", "--out-dir", folder / "dist"], cwd=ROOT)
        for member in members():
            check_contents(member, folder / "dist")
        wheels = sorted((folder / "dist").glob("*.whl"))
        edge = [wheel for wheel in wheels if wheel.name.split("-")[0] not in NOT_ON_AN_EDGE_BOX]
        check_commands(install(edge, folder / "edge"), EDGE_COMMANDS)
        check_commands(install(wheels, folder / "all"), ALL_COMMANDS)


def members() -> list[Path]:
    """The folders of the workspace's distributions."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    return [ROOT / name for name in tools["uv"]["workspace"]["members"]]


def check_contents(member: Path, dist: Path) -> None:
    """Every file under src/ is in the wheel and in the source distribution, and the licence too."""
    project = tomllib.loads((member / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    stem = f"{project['name'].replace('-', '_')}-{project['version']}"
    sources = {PurePosixPath(path.relative_to(member).as_posix()) for path in source_files(member)}
    with zipfile.ZipFile(dist / f"{stem}-py3-none-any.whl") as wheel:
        in_wheel = set(wheel.namelist())
    with tarfile.open(dist / f"{stem}.tar.gz") as archive:
        in_sdist = set(archive.getnames())
    complain(f"{stem} wheel lacks", {str(path.relative_to("src")) for path in sources} - in_wheel)
    complain(f"{stem} source distribution lacks", {f"{stem}/{path}" for path in sources} - in_sdist)
    complain(f"{stem} wheel lacks", {f"{stem}.dist-info/licenses/LICENSE"} - in_wheel)
    data = sum(path.suffix != ".py" for path in sources)
    print(f"{stem}: {len(sources)} source files, {data} of them data, are in the wheel and the sdist")


def source_files(member: Path) -> list[Path]:
    """Tracked files under src/, and those that would be with the next `git add`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "src"]
    names = run(command, cwd=member).split("\0")
    return [member / name for name in names if name and (member / name).is_file()]


def complain(what: str, names: Iterable[str]) -> None:
    """Fail when there are any names."""
    if found := sorted(names):
        raise Failed(f"{what}: {', '.join(found)}")


def install(wheels: list[Path], environment: Path) -> Path:
    """A fresh environment with these wheels, taken by path: our names are never looked up elsewhere."""
    run([*UV, "venv", "--quiet", "--python", sys.executable, environment])
    python = environment / "bin" / "python"
    constraints = shutil.copy(ROOT / "constraints.txt", environment / "constraints.txt")
    run(
        [*UV, "pip", "install", "--quiet", "--python", python, *wheels],
        UV_CONSTRAINT=Path(constraints).name,
        cwd=environment,
    )
    run([*UV, "pip", "check", "--quiet", "--python", python])
    return environment


def check_commands(environment: Path, commands: list[str]) -> None:
    """Run each installed command in a folder that holds nothing of ours."""
    for command in commands:
        program, *arguments = command.split()
        run([environment / "bin" / program, *arguments], cwd=environment)
        print(f"{environment.name}: {command}: works")


def run(command: Sequence[str | Path], cwd: Path | None = None, **variables: str) -> str:
    """Run to the end and return what it printed; a failure carries it."""
    clean = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**clean, "UV_NO_SOURCES": "1", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        shown = " ".join(str(part) for part in command)
        raise Failed(f"{shown}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    try:
        main()
    except Failed as reason:
        sys.exit(str(reason))
