"""The contract suite against wheels: what a stranger installs, not what lies in this checkout.

    python tools/against_wheels.py newest BRAND   the plugin and the newest core, built here
    python tools/against_wheels.py oldest         every plugin with the oldest core that compat.toml names for it

Installs into the running Python's environment, which has to be a throw-away one with `uv`. Exit 1 with the reason.
"""

import io
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path

from check_wheels import ROOT, UV, Failed, run

OURS = ("samspel", "samspel-sim", "samspel-contract-tests")
"""What a plugin is proved with. The suite and the simulator are of the core's own age."""


def main(arguments: list[str]) -> None:
    """Prove one plugin with the newest core, or all with their oldest."""
    match arguments:
        case ["newest", brand]:
            with tempfile.TemporaryDirectory(prefix="samspel wheels ") as folder:
                build(ROOT, Path(folder))
                prove(brand, Path(folder))
        case ["oldest"]:
            for plugin, oldest in promised().items():
                prove_with_oldest(plugin, oldest["version"], oldest["commit"])
        case _:
            raise Failed(__doc__ or "")


def promised() -> dict[str, dict[str, str]]:
    """The oldest core of each plugin."""
    table = tomllib.loads((ROOT / "compat.toml").read_text(encoding="utf-8"))
    return {plugin: promise["oldest"] for plugin, promise in table.items()}


def prove_with_oldest(plugin: str, version: str, commit: str) -> None:
    """Core, simulator and suite from the commit of an old release; the plugin from here."""
    if not commit:
        print(f"{plugin}: oldest supported core: n/a (no core has been released)")
        return
    with tempfile.TemporaryDirectory(prefix="samspel oldest ") as name:
        folder = Path(name)
        checkout(commit, folder / "old")
        build(folder / "old", folder / "old wheels")
        build(ROOT, folder / "wheels")
        brand = plugin.removeprefix("samspel-")
        prove(brand, folder / "old wheels", folder / "wheels", core=version)


def checkout(commit: str, folder: Path) -> None:
    """The tree of a commit, without a working copy."""
    archive = folder.with_suffix(".tar")
    run(["git", "archive", "--format=tar", f"--output={archive}", commit], cwd=ROOT)
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as tree:
        tree.extractall(folder, filter="data")


def build(tree: Path, dist: Path) -> None:
    """Every distribution of a tree, as wheels."""
    run([*UV, "build", "--quiet", "--wheel", "--all-packages", "--out-dir", dist], cwd=tree)


def prove(brand: str, ours: Path, theirs: Path | None = None, core: str = "") -> None:
    """Install by path, so that our names are never looked up elsewhere, and run the suite by its certifying door."""
    wheels = [wheel_of(name, ours) for name in OURS] + [wheel_of(f"samspel-{brand}", theirs or ours)]
    if core and f"-{core}-" not in wheels[0].name:
        raise Failed(f"{wheels[0].name} was built, and compat.toml says {core}")
    run([*UV, "pip", "install", "--quiet", "--reinstall", "--python", sys.executable, *wheels], cwd=ROOT)
    run([*UV, "pip", "check", "--quiet", "--python", sys.executable])
    suite = Path(sys.executable).parent / "samspel-contract"
    said = run([suite, "run", "--driver", brand], cwd=ours)
    print(f"samspel-{brand} on {names(wheels)}, Python {sys.version.split()[0]}")
    print(said.splitlines()[-1])


def wheel_of(name: str, dist: Path) -> Path:
    """The one wheel of a distribution."""
    found = sorted(dist.glob(f"{name.replace('-', '_')}-[0-9]*.whl"))
    if len(found) != 1:
        raise Failed(f"{dist} holds {len(found)} wheels of {name}; one is expected")
    return found[0]


def names(wheels: Iterable[Path]) -> str:
    """For people: names and versions."""
    return ", ".join(" ".join(wheel.name.split("-")[:2]) for wheel in wheels)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Failed as reason:
        sys.exit(str(reason))
