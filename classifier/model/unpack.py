"""Takes a model out of a zip."""

from pathlib import Path

from classifier.model import InvalidModel
from classifier.model.files import sync
from classifier.export_zip import InvalidZip, read_zip


def unpack(archive: Path, into: Path) -> None:
    """Writes the files of an export, all into one folder, and through to the disk. Raises `InvalidModel`."""
    try:
        for name, chunks in read_zip(archive):
            with (into / name).open("xb") as file:
                file.writelines(chunks)
            sync(into / name)
    except InvalidZip as error:
        raise InvalidModel(f"{archive.name}: {error}") from None
