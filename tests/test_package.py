"""What is installed is all that is needed."""

import sys

from tests.support.broker import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PACKAGES = ("bus", "capture", "classifier", "display", "bridge", "demo")


def test_data_files_are_packaged() -> None:
    """A module that is installed, and not run from its folder, finds the files beside its code."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert set(settings["packages"]) == set(PACKAGES)
    for package in PACKAGES:
        patterns = settings["package-data"].get(package, [])
        packaged = {path for pattern in patterns for path in (ROOT / package).glob(pattern)}
        data = {path for path in (ROOT / package).rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
        assert data <= packaged, package
