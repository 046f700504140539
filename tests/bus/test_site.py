"""The names of the place and of its labels, and what is refused with which reason."""

import json
from typing import Any

import pytest

from bus import InvalidMessage, Site, SiteLabel

TOPIC = "footfall/site"
COLOUR = "labels.0.colour: must be a colour such as #c2255c"
LOCALE = "locale: must be a language and a region, such as de-CH"
WRONG: dict[str, tuple[Any, str]] = {
    "a language alone": ({"locale": "de"}, LOCALE),
    "a locale of POSIX": ({"locale": "de_CH.UTF-8"}, LOCALE),
    "lower case": ({"locale": "de-ch"}, LOCALE),
    "an empty name": ({"name": ""}, "name: must be text of 1 to 64 characters"),
    "a name that turns the text around": ({"name": "a\u202eb"}, "name: must be text of 1 to 64 characters"),
    "a colour by name": ({"labels": [{"label": "woman", "colour": "red"}]}, COLOUR),
    "a style": ({"labels": [{"label": "woman", "colour": "#fff;}"}]}, COLOUR),
    "capitals": ({"labels": [{"label": "woman", "colour": "#C2255C"}]}, COLOUR),
    "no label": ({"labels": [{"name": "Women"}]}, "labels.0.label: is missing"),
    "a label twice": ({"labels": 2 * [{"label": "woman"}]}, "labels: 'woman' occurs twice; each label may occur once"),
    "65 labels": ({"labels": [{"label": str(one)} for one in range(65)]}, "labels: must be a list of at most 64"),
    "another version": ({"v": 2}, "v: must be version 1, not 2"),
}


@pytest.mark.parametrize(("document", "problem"), WRONG.values(), ids=WRONG)
def test_a_wrong_site_is_refused_with_the_reason(document: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        Site.from_topic(TOPIC, json.dumps(document).encode())
    assert str(caught.value).startswith(f"Site: {problem}")


def test_a_site_is_written_by_hand() -> None:
    """Everything may be left out. Languages with a script, and regions of the United Nations, are locales too."""
    assert Site.from_topic(TOPIC, b"{}") == Site()
    for locale in ("de-CH", "zh-Hant-TW", "es-419", "gsw-CH"):
        written = {"name": "Bäckerei", "locale": locale, "labels": [{"label": "woman", "name": "Frauen"}]}
        site = Site.from_topic(TOPIC, json.dumps(written).encode())
        assert site == Site("Bäckerei", locale, (SiteLabel("woman", "Frauen"),))
        assert Site.from_topic(TOPIC, site.pack()) == site
