"""scripts/packages.sh with the real pip: which packages an image gets, and which files pip refuses."""

import hashlib
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.broker import ROOT
from tests.support.wait import limit

LISTS = sorted(ROOT.glob("*/requirements*.txt"))
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def entries(path: Path) -> dict[str, list[str]]:
    """Returns the lines with hashes below each pinned version."""
    found: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        if line.startswith(" "):
            found[list(found)[-1]].append(line)
        else:
            found[line.removesuffix(" \\")] = []
    return found


class Image:
    """A folder in which packages.sh runs as in an image build, with wheels in place of the package index."""

    def __init__(self, folder: Path, processor: str) -> None:
        self.folder, self.wheels, programs = folder, folder / "wheels", folder / "programs"
        self.wheels.mkdir()
        programs.mkdir()
        for program, script in {"dpkg": f"echo {processor}", "python3": f'exec {sys.executable} "$@"'}.items():
            (programs / program).write_text(f"#!/bin/sh\n{script}\n")
            (programs / program).chmod(0o755)
        self._environment = {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "yes",
            "PIP_FIND_LINKS": str(self.wheels),
        }

    def add_wheel(self, name: str, version: str) -> str:
        """Writes a wheel. Returns its entry in a list of packages: the version, and the SHA-256 of the file."""
        path, info = self.wheels / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(f"{name}.py", "")
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
        return f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"

    def install(self, wanted: str, earlier: str = "") -> tuple[set[str], str]:
        """Installs the packages of a list without those of an earlier list. Returns their modules, and the error output."""
        (self.folder / "wanted").write_text(wanted)
        (self.folder / "earlier").write_text(earlier)
        command = ["sh", str(ROOT / "scripts/packages.sh"), "installed", "wanted", "earlier"]
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment, capture_output=True, text=True, timeout=limit(60), check=False
        )
        assert (done.returncode == 0) == (not done.stderr), done
        return {path.stem for path in (self.folder / "installed").glob("*.py")}, done.stderr


@pytest.mark.parametrize("path", LISTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_package_of_an_image_has_hashes(path: Path) -> None:
    """Each pinned version has the SHA-256 of its files, and the same ones in every list, because packages.sh compares lines."""
    for name, hashes in entries(path).items():
        assert hashes, name
        assert all(map(HASH.fullmatch, hashes)), name
        assert all(entries(other).get(name, hashes) == hashes for other in LISTS), name


@pytest.mark.system
@pytest.mark.parametrize(("processor", "installed"), [("amd64", {"visits", "numpy"}), ("armhf", {"visits"})])
def test_an_image_gets_the_packages_that_it_lacks(tmp_path: Path, processor: str, installed: set[str]) -> None:
    """A package of an earlier list is left out, and on 32-bit ARM those that come from Debian."""
    image = Image(tmp_path, processor)
    bus = image.add_wheel("bus", "1")
    assert image.install(image.add_wheel("numpy", "1.26.4") + bus + image.add_wheel("visits", "2"), bus) == (installed, "")


@pytest.mark.system
@pytest.mark.parametrize("replacement", [f"sha256:{'0' * 64}", ""], ids=["other file", "no hash"])
def test_a_file_without_its_hash_is_refused(tmp_path: Path, replacement: str) -> None:
    """pip installs neither a file with another SHA-256 than the list has, nor a package without one."""
    image = Image(tmp_path, "amd64")
    entry = image.add_wheel("visits", "2")
    wrong = re.sub(r"sha256:\w+", replacement, entry) if replacement else entry.partition(" ")[0]
    installed, problem = image.install(wrong)
    assert installed == set()
    assert "hashes" in problem.lower()
