"""The form to sign in, in the browser's language. Its texts are those of the page's catalogues."""

import html
import re
from functools import cache
from pathlib import Path

PAGE = Path(__file__).parent / "page"
FORM = PAGE / "sign-in.html"
FIRST = "en"
"""The language of browsers that accept no other one."""
PROBLEM = "<!-- problem -->"
_TEXT = re.compile(r"^(sign-in-[a-z-]+) = (.+)$", re.MULTILINE)
_PLACE = re.compile(r"\{\{ ([a-z-]+) \}\}")
_PART = re.compile(r"\s*([a-zA-Z]{2,3})(?:-[\w-]+)?\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*")


def sign_in_form(accepted: str, problem: str = "", **values: object) -> str:
    """Returns the page. `accepted` is the header Accept-Language, `problem` the text about a failed attempt: ``wrong``."""
    language = preferred_language(accepted)
    texts = {"language": language, **_texts(FIRST), **_texts(language)}
    words = re.sub(r"\{ \$(\w+) \}", lambda match: str(values[match[1]]), texts[f"sign-in-{problem}"]) if problem else ""
    page = _PLACE.sub(lambda match: html.escape(texts[match[1]], quote=False), FORM.read_text("utf-8"))
    alert = f'<p class="problem" role="alert">{html.escape(words, quote=False)}</p>' if words else ""
    return page.replace(PROBLEM, alert)


def preferred_language(accepted: str) -> str:
    """Returns the language of a catalogue that a header Accept-Language prefers (RFC 9110, 12.5.4)."""
    wanted = [match.groups() for part in accepted.split(",")[:32] if (match := _PART.fullmatch(part))]
    ranked = sorted(wanted, key=lambda one: -float(one[1] or 1))
    known = [language.lower() for language, quality in ranked if float(quality or 1) > 0 and language.lower() in _languages()]
    return next(iter(known), FIRST)


@cache
def _languages() -> frozenset[str]:
    return frozenset(path.stem for path in (PAGE / "languages").glob("*.ftl"))


@cache
def _texts(language: str) -> dict[str, str]:
    catalogue = (PAGE / "languages" / f"{language}.ftl").read_text("utf-8")
    return dict(_TEXT.findall(catalogue))
