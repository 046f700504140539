"""What is said of the demo's model and scenes."""

import shutil
from pathlib import Path

import pytest

from classifier.export import Export, read_export
from demo.about import MODEL, is_own_model, notice

OTHER = Export("other", b"another model", ("man", "woman"))


def test_the_model_is_known_wherever_it_lies(tmp_path: Path) -> None:
    """A copy of it is the demo's, another model is not."""
    copy = shutil.copytree(MODEL, tmp_path / "mine")
    assert is_own_model(read_export(copy))
    assert not is_own_model(OTHER)


@pytest.mark.parametrize(
    ("of_demo", "source", "said"),
    [
        (True, "demo:7", "drawn figures at a drawn shop door"),
        (False, "demo:7", "drawn figures at a drawn shop door"),
        (True, "0", "knows drawn figures only"),
        (False, "0", None),
    ],
)
def test_what_is_said(of_demo: bool, source: str, said: str | None) -> None:
    """Drawn scenes are named so with any model, the demo's model is warned of on all else, and nothing is said of the rest."""
    text = notice(read_export(MODEL) if of_demo else OTHER, source)
    assert (said in text) if said else not text
