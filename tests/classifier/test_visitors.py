"""Which labels make a visitor."""

import pytest

from classifier import InvalidExport
from classifier.settings import Settings
from classifier.visitors import means_nobody, visitor_labels

BACKGROUND = Settings.model_construct().background_labels


@pytest.mark.parametrize(
    ("labels", "visitors", "expected"),
    [
        ("man woman nobody", "", "man woman"),
        ("man woman [Negative]", "", "man woman"),  # Custom Vision writes the tag so in some exports
        ("Apple __background__ EMPTY None", "", "Apple"),
        ("chair person nobody", "", "person"),  # person alone makes a visitor
        ("chair Person", "", "Person"),
        ("chair person", "chair", "chair"),
        ("chair person dog", "DOG,person", "person dog"),  # in any case, those that the model knows
        ("person dog", "dog,unicorn", "dog"),
        ("man nobody", "nobody", "nobody"),  # VISITORS comes first
    ],
)
def test_labels_that_make_a_visitor(labels: str, visitors: str, expected: str) -> None:
    """Those in VISITORS; without it person, if the model knows it, or else all that do not mean nobody."""
    wanted = tuple(visitors.split(",")) if visitors else ()
    assert visitor_labels(labels.split(), wanted, BACKGROUND) == set(expected.split())


@pytest.mark.parametrize(
    ("labels", "visitors", "reason"),
    [
        ("man woman", "zebra", "no label of the model makes a visitor with VISITORS='zebra'; its labels are man, woman$"),
        ("nobody [Negative]", "", "with BACKGROUND_LABELS='Negative,nobody,none,background,empty'; its labels are nobody, "),
        (" ".join(map(str, range(14))), "zebra", "10, 11 and 2 more$"),
    ],
)
def test_a_model_without_visitors_is_refused(labels: str, visitors: str, reason: str) -> None:
    """The message names the setting and the model's labels."""
    with pytest.raises(InvalidExport, match=reason.replace("[", r"\[")):
        visitor_labels(labels.split(), tuple(filter(None, [visitors])), BACKGROUND)


@pytest.mark.parametrize(
    ("label", "expected"),
    [("[Negative]", True), ("NOBODY", True), ("(none)", True), ("Straße leer", True), ("nobody else", False), ("--", False)],
)
def test_labels_that_mean_nobody(label: str, expected: bool) -> None:
    """Case and brackets do not matter; a label of signs alone equals itself only."""
    assert means_nobody(label, ("Negative", "nobody", "none", "STRASSE leer", "++")) is expected
