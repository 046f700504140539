"""What is installed is all that is needed."""

import sys

from tests.support.broker import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

IMAGE = {"Dockerfile", "module.json", "requirements.txt"}
"""Files of a container, which its image does without."""
PACKAGES = ("bus", "capture", "classifier", "display", "dashboard", "bridge", "bridge.cloud", "classifier.model", "demo")


def test_data_files_are_packaged() -> None:
    """A module that is installed, and not run from its folder, finds the files beside its code."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert set(settings["packages"]) == set(PACKAGES)
    for package in PACKAGES:
        patterns = settings["package-data"].get(package, [])
        folder = ROOT.joinpath(*package.split("."))
        packaged = {path for pattern in patterns for path in folder.glob(pattern)}
        data = {path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
        data -= {path for path in data if path.name in IMAGE or path.is_relative_to(ROOT / "classifier" / "model")}
        assert data <= packaged, package


def test_every_folder_of_code_is_packaged() -> None:
    """A folder within a module is a package of its own to the installer."""
    folders = {
        path.parent.relative_to(ROOT).as_posix().replace("/", ".") for one in PACKAGES for path in (ROOT / one).rglob("*.py")
    }
    assert folders <= set(PACKAGES)
