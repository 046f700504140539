"""A file of which a part has come, from which its download goes on."""

import re
from pathlib import Path

from classifier.model.files import sha256_of, sync

_TAG = re.compile(r'"[\x21\x23-\x7e]{1,200}"')
"""A strong ETag; a weak one does not say that the bytes are the same."""


class Part:
    """The bytes so far, with the ETag of what they are the beginning of; `offset` is how many of them are gone on from."""

    def __init__(self, target: Path) -> None:
        """Finds what an earlier download to `target` has left, in its name with ".part" added."""
        self._target = target
        self.path = target.with_name(f"{target.name}.part")
        self._tag_file = target.with_name(f"{target.name}.part.etag")
        self.tag = self._read_tag()
        self.offset = self.path.stat().st_size if self.tag and self.path.exists() else 0

    def _read_tag(self) -> str:
        try:
            tag = self._tag_file.read_text("ascii")
        except (OSError, ValueError):
            return ""
        return tag if _TAG.fullmatch(tag) else ""

    def is_whole(self, sha256: str) -> bool:
        """Whether nothing is missing, of the file with this checksum."""
        return sha256_of(self.path) == sha256

    def begin(self, tag: str) -> None:
        """Starts anew. In this order, the tag is never that of other bytes, wherever this ends."""
        self.drop()
        self.path.touch()
        if _TAG.fullmatch(tag):
            self._tag_file.write_text(tag, "ascii")
            self.tag = tag

    def drop(self) -> None:
        """Leaves nothing behind."""
        self._tag_file.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        self.tag, self.offset = "", 0

    def finish(self) -> None:
        """Makes it the target."""
        sync(self.path)
        self.path.replace(self._target)
        self.drop()
        sync(self._target.parent)
