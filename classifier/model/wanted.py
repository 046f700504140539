"""What the cloud wants to have served, and the file that its download goes to."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from classifier.model.address import unsound
from classifier.model.files import OWN

_DOWNLOAD = f"{OWN}-download-"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A model as the cloud names it; its address may hold a secret, which `public_address` leaves out."""

    url: str = field(repr=False)
    sha256: str

    @property
    def archive(self) -> str:
        """Name of the file; other names that begin so are of what has come of it."""
        return f"{_DOWNLOAD}{self.sha256[:12]}.zip"


def refusals(url: object, sha256: object) -> dict[str, str]:
    """What is wrong with what the cloud wants, by its name there."""
    wrong = {}
    if reason := unsound(url) if isinstance(url, str) else "a text is needed, as modelSha256 has no meaning without it":
        wrong["modelUrl"] = reason
    if not isinstance(sha256, str) or not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        wrong["modelSha256"] = "64 hex digits are needed, the SHA-256 of the zip"
    return wrong


def tidy(folder: Path, kept: Wanted | None) -> None:
    """Deletes downloads, of which those of what is kept may be gone on with."""
    for path in folder.glob(f"{_DOWNLOAD}*"):
        if kept is None or not path.name.startswith(kept.archive):
            path.unlink(missing_ok=True)
