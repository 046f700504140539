"""What is installed is all that is needed."""

import re
import sys
from pathlib import Path

from tests.support.broker import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETTINGS = PROJECT["tool"]["setuptools"]
FOLDERS = [ROOT / pattern.removesuffix("*") for pattern in SETTINGS["packages"]["find"]["include"]]
PACKAGES = [
    path.parent.relative_to(ROOT).as_posix().replace("/", ".") for one in FOLDERS for path in sorted(one.rglob("__init__.py"))
]
OTHERS = {"module.json", "package.json", "requirements.txt"}
"""Files for those who build images or test the page, which the running module does without."""


def files(package: str) -> set[Path]:
    """What belongs to a package, without the packages below it."""
    folder = ROOT.joinpath(*package.split("."))
    below = [ROOT.joinpath(*one.split(".")) for one in PACKAGES if one.startswith(f"{package}.")]
    found = {path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    return {path for path in found if path.name not in OTHERS and not any(path.is_relative_to(one) for one in below)}


def test_all_code_and_its_data_are_packaged() -> None:
    """A module that is installed, and not run from its folder, finds the files beside its code."""
    assert {"bus", "bridge", "capture", "classifier", "counter", "dashboard", "demo", "display", "footfall"} <= set(PACKAGES)
    for package in PACKAGES:
        folder = ROOT.joinpath(*package.split("."))
        packaged = set(folder.glob("*.py"))
        for pattern in SETTINGS["package-data"].get(package, []):
            packaged |= set(folder.glob(pattern))
        assert files(package) - packaged == set(), package


def test_each_module_has_an_extra_and_a_list_of_its_packages() -> None:
    """A container installs what its module needs and no more."""
    procfile = (ROOT / "Procfile").read_text()
    modules = set(re.findall(r"python -m (\w+)", procfile))
    assert modules == {"capture", "classifier", "counter", "bridge", "dashboard", "display"}
    assert modules <= set(PROJECT["project"]["optional-dependencies"])
    assert all((ROOT / module / "requirements.txt").exists() for module in modules)
