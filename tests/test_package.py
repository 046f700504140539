"""What is installed is all that is needed."""

import re
import sys

from tests.support.broker import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETTINGS = PROJECT["tool"]["setuptools"]
OTHERS = {"module.json", "package.json", "requirements.txt"}
"""Files for those who build images or test the page, which the running module does without."""


def test_all_code_and_its_data_are_packaged() -> None:
    """A module that is installed, and not run from its folder, finds the files beside its code."""
    included = [ROOT / pattern.removesuffix("*") for pattern in SETTINGS["packages"]["find"]["include"]]
    folders = {path.parent for folder in included for path in folder.rglob("__init__.py")}
    wanted = {path for folder in included for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    packaged = {path for folder in folders for path in folder.glob("*.py")}
    for package, patterns in SETTINGS["package-data"].items():
        packaged |= {path for pattern in patterns for path in ROOT.joinpath(*package.split(".")).glob(pattern)}
    assert {path for path in wanted if path.name not in OTHERS} - packaged == set()


def test_each_module_has_an_extra_and_a_list_of_its_packages() -> None:
    """A container installs what its module needs and no more."""
    modules = set(re.findall(r"python -m (\w+)", (ROOT / "Procfile").read_text()))
    assert modules == {"capture", "classifier", "counter", "bridge", "dashboard", "display"}
    assert {*modules, "bus", "runtime", "demo", "footfall"} <= {
        one.rstrip("*") for one in SETTINGS["packages"]["find"]["include"]
    }
    assert modules <= set(PROJECT["project"]["optional-dependencies"])
    assert all((ROOT / module / "requirements.txt").exists() for module in modules)
