"""The size of the page: python -m benchmarks.page"""

from pathlib import Path

import dashboard
from benchmarks.tables import print_row

PAGE = Path(dashboard.__file__).parent / "page"
LANGUAGE = "en.ftl"


def report() -> None:
    """Prints the kB of all files of the page, and of those that a browser loads: without licences and other languages."""
    sizes = {path: path.stat().st_size / 1000 for path in PAGE.rglob("*") if path.is_file()}
    loaded = [size for path, size in sizes.items() if path.suffix != ".txt" and (path.suffix != ".ftl" or path.name == LANGUAGE)]
    print_row("page, kB", "all files", "loaded")
    print_row("page", sum(sizes.values()), sum(loaded))


if __name__ == "__main__":
    report()
