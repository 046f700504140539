"""The size of the page: python -m benchmarks.page"""

import gzip
from pathlib import Path

import dashboard
from benchmarks.tables import print_row

PAGE = Path(dashboard.__file__).parent / "page"
LANGUAGE = "en.ftl"


def report() -> None:
    """Prints the kB of all files of the page, and of what a browser loads: compressed, without licences and other languages."""
    files = [path for path in PAGE.rglob("*") if path.is_file()]
    loaded = [path for path in files if path.suffix != ".txt" and (path.suffix != ".ftl" or path.name == LANGUAGE)]
    sizes = [len(path.read_bytes()) for path in files], [len(gzip.compress(path.read_bytes())) for path in loaded]
    print_row("page, kB", "all files", "loaded")
    print_row("page", *(sum(each) / 1000 for each in sizes))


if __name__ == "__main__":
    report()
