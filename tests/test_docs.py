"""The documentation agrees with the code."""

import re
from pathlib import Path
from typing import Any

import pytest

from capture.source import SourceKind
from classifier.decoders import Decoder
from classifier.description import Description, create_description, parse_description
from scripts import docs
from tests.support.broker import ROOT

README = ROOT / "README.md"
MANUAL = sorted(docs.PAGES.glob("*.md"))
PAGES = [README, *MANUAL, *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "demo/README.md"))]
TARGETS = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
MAX_LINES = 199
MAX_WORDS = 18
"""Words of a sentence, on the average of a page."""
every_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def blocks(page: Path, language: str) -> list[str]:
    """Returns the code blocks of a language in a page."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Returns the anchors of a page's headings, as GitHub generates them."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_short() -> None:
    """A newcomer can read it in ten minutes."""
    assert len(README.read_text().splitlines()) <= MAX_LINES


def test_the_generated_tables_are_current() -> None:
    """`make docs` would change no page, and each table is on exactly one page."""
    assert [path.name for path in MANUAL if docs.generated(path.read_text()) != path.read_text()] == [], "run: make docs"
    texts = [path.read_text() for path in MANUAL]
    assert {name: sum(text.count(f"<!-- {name} -->") for text in texts) for name in docs.TABLES} == dict.fromkeys(docs.TABLES, 1)


def test_the_generated_files_are_current() -> None:
    """`make docs` would change neither the AsyncAPI document nor a schema, and there are no others."""
    files = docs.documents()
    assert [path.name for path, text in files.items() if not path.exists() or path.read_text() != text] == [], "run: make docs"
    assert {*docs.PAGES.glob("*.json"), *docs.PAGES.glob("schemas/*")} == files.keys()


@pytest.mark.parametrize("toml", blocks(docs.PAGES / "models.md", "toml"))
def test_the_examples_of_footfall_toml_are_valid(toml: str) -> None:
    """Every footfall.toml in the documentation can be read."""
    assert create_description(parse_description(toml.encode(), ROOT), ROOT) != Description()


def test_the_examples_for_developers_run() -> None:
    """Each example defines the names that its page mentions."""
    found: dict[str, Any] = {}
    for code in blocks(ROOT / "CONTRIBUTING.md", "python"):
        exec(code, found)
    assert isinstance(found["KIND"], SourceKind)
    assert issubclass(found["Decoder"], Decoder)
    assert callable(found["create"])


def sentences(page: Path) -> list[str]:
    """Returns the sentences of a page's prose: without headings, tables, code and addresses of links."""
    text = re.sub(r"```.*?```|<!--.*?-->", "", page.read_text(), flags=re.DOTALL)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    text = re.sub(r"^(#|\||!\[).*$", "", text, flags=re.MULTILINE)
    found = re.split(r"(?<=[.:!?])\s+|\n\s*\n|^\s*(?:[-*]|\d+\.)\s", text, flags=re.MULTILINE)
    return [one for one in found if re.search(r"\w", one)]


@every_page
def test_sentences_are_short(path: Path) -> None:
    """They have at most 18 words on average, as CONTRIBUTING.md says."""
    found = sentences(path)
    assert len(re.findall(r"\S*\w\S*", " ".join(found))) / len(found) <= MAX_WORDS


@every_page
def test_links_are_valid(path: Path) -> None:
    """The pictures, files and headings that a page links to exist."""
    for target, anchor in re.findall(r"\]\((?!http)([^)#]*)#?([^)]*)\)", path.read_text()):
        file = path.parent / target if target else path
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), f"{target}#{anchor}"


@every_page
def test_the_make_targets_of_a_page_exist(path: Path) -> None:
    """Every `make` command on a page has a target in the Makefile."""
    assert set(re.findall(r"(?:^|`|[A-Z]=\S+ )make (\w+)(?=[ `\n])(?!=)", path.read_text(), re.MULTILINE)) <= TARGETS
