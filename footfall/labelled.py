"""A folder with a folder of pictures for each label, with which a model is tried."""

from pathlib import Path

from bus import InvalidMessage, InvalidSetting
from capture.source import display_name
from classifier.decoders import UnusableOutput
from classifier.labels import listed
from classifier.preprocess import decode_any
from classifier.recogniser import Recogniser
from classifier.settings import Settings
from classifier.visitors import means_nobody
from footfall.confusion import Confusion
from footfall.guess import NOBODY, UNDECIDED, find_label, folder_name, guess

MAX_PICTURE_BYTES = 64 * 1024 * 1024
"""Upper bound of a picture's file; larger ones are not read."""


class LabelledPictures:
    """The files in the folders that are named after a model's labels. Every label that means nobody counts as the first one.

    For a detector, which need not have such a label, `nobody` is a picture without visitors. Hidden files are left out.
    """

    def __init__(self, folder: Path, recogniser: Recogniser, settings: Settings) -> None:
        """Raises `InvalidSetting` if a folder is named after no label, or if there is none."""
        self._folder, self._recogniser, self._settings = folder, recogniser, settings
        background = [label for label in recogniser.labels if self._means_nobody(label)]
        self._nobody = background[0] if background else NOBODY if recogniser.finds_boxes else None
        self._labels = [label for label in recogniser.labels if label not in background]
        self._files = [(path, label) for one, label in self._folders() for path in _files_in(one)]

    def _means_nobody(self, label: str) -> bool:
        return means_nobody(label, self._settings.background_labels)

    def _folders(self) -> list[tuple[Path, str]]:
        """Returns the folders, each with its label."""
        where, found = f"PICTURES={display_name(str(self._folder))!r}", []
        try:
            folders = sorted(one for one in self._folder.iterdir() if one.is_dir() and not one.name.startswith("."))
        except OSError as error:
            raise InvalidSetting(
                f"{where}: {error.strerror}; must be a folder with a folder of pictures for each label"
            ) from None
        for one in folders:
            label = find_label(one.name, self._labels) or (self._nobody if self._means_nobody(one.name) else None)
            if label is None:
                known = listed([*map(folder_name, self._labels), *([self._nobody] if self._nobody else [])])
                raise InvalidSetting(f"{where}: the folder {one.name!r} is named after no label; the labels are {known}")
            found.append((one, label))
        if not found:
            raise InvalidSetting(f"{where}: must have a folder of pictures for each label")
        return found

    def report(self) -> str:
        """Tries the model on every picture. Returns the confusion matrix as text, and which files are not pictures."""
        confusion, unreadable, failed = Confusion(), list[str](), list[str]()
        for path, truth in self._files:
            try:
                confusion.add(truth, self._guess(path))
            except (OSError, InvalidMessage):
                unreadable.append(str(path.relative_to(self._folder)))
            except UnusableOutput as error:
                failed.append(f"{path.relative_to(self._folder)} ({error})")
        lines = [f"{self._folder}: no picture can be read"]
        if confusion.counts:
            order = [*self._labels, *([self._nobody] if self._nobody else []), UNDECIDED]
            lines = [f"{self._folder}: a row for each true label, a column for each guess of the model", confusion.table(order)]
        if any(guessed == UNDECIDED for _, guessed in confusion.counts):
            lines.append(f"{UNDECIDED}: no label reaches THRESHOLD={self._settings.threshold:g}, or the visitor is too small")
        if unreadable:
            lines.append(f"{len(unreadable)} cannot be read as pictures: {listed(unreadable)}")
        if failed:
            lines.append(f"the model fails with {len(failed)}: {listed(failed)}")
        return "\n".join(lines)

    def _guess(self, path: Path) -> str:
        """Returns the model's label for a picture, or `UNDECIDED`. Raises `OSError` or `InvalidMessage`."""
        with path.open("rb") as file:
            content = file.read(MAX_PICTURE_BYTES + 1)
        if len(content) > MAX_PICTURE_BYTES:
            raise InvalidMessage(f"picture: at most {MAX_PICTURE_BYTES} bytes are allowed")
        prepared = self._recogniser.prepare(decode_any(content))
        label = guess(self._recogniser.recognise(prepared), self._settings.threshold)
        if label is None:
            return UNDECIDED
        return (self._nobody or label.name) if self._means_nobody(label.name) else label.name


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
