"""TensorFlow Lite metadata, written with the field numbers of its schema, and zips that are appended to models."""

import io
import zipfile
from collections.abc import Sequence

import flatbuffers
import numpy as np


def append(model: bytes, files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Returns the model with a zip of these files appended, as TensorFlow Lite Support and Ultralytics do."""
    buffer = io.BytesIO(model)
    with zipfile.ZipFile(buffer, "a", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def metadata(mean: Sequence[float] = (), deviation: Sequence[float] = (), label_file: str = "") -> bytes:
    """Returns metadata of one picture (RGB) with this normalisation, and of one output with labels in an appended file.

    The labels may have a German translation in another file.
    """
    writer = _Writer()
    numbers = {0: writer.floats(mean), 1: writer.floats(deviation)} if mean else {}
    normalisation = writer.table(numbers)
    unit = writer.table({1: normalisation}, {0: 1})
    image = writer.table({}, {0: 1})
    content = writer.table({1: image}, {0: 2})
    picture = writer.table({3: content} | ({4: writer.tables([unit])} if mean else {}))
    german = {0: writer.builder.CreateString("labels_de.txt"), 3: writer.builder.CreateString("de")}
    files = [writer.table(german, {2: 2}), writer.table({0: writer.builder.CreateString(label_file)}, {2: 2})]
    output = writer.table({6: writer.tables(files)} if label_file else {})
    graph = writer.table({2: writer.tables([picture]), 3: writer.tables([output])})
    writer.builder.Finish(writer.table({3: writer.tables([graph])}), b"M001")
    return bytes(writer.builder.Output())


class _Writer:
    """Writes tables by the numbers of their fields."""

    def __init__(self) -> None:
        self.builder = flatbuffers.Builder(1024)

    def table(self, offsets: dict[int, int], small: dict[int, int] | None = None) -> int:
        """Writes a table with texts, vectors and tables (`offsets`), and numbers of one byte (`small`)."""
        self.builder.StartObject(10)
        for field, value in offsets.items():
            self.builder.PrependUOffsetTRelativeSlot(field, value, 0)
        for field, value in (small or {}).items():
            self.builder.PrependInt8Slot(field, value, 0)
        return int(self.builder.EndObject())

    def tables(self, offsets: Sequence[int]) -> int:
        self.builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.builder.PrependUOffsetTRelative(offset)
        return int(self.builder.EndVector())

    def floats(self, values: Sequence[float]) -> int:
        return int(self.builder.CreateNumpyVector(np.array(values, np.float32)))
