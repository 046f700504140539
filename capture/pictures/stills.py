"""Single pictures, as files and HTTP cameras have them, in any format that OpenCV decodes."""

from capture.pictures.decoded import DecodedPicture, decode
from capture.pictures.jpeg import JpegPicture
from capture.pictures.picture import Picture


def open_still(data: bytes, timestamp: float | None = None) -> Picture:
    """Returns the picture of a file, which is decoded at once unless it can be passed on. Raises `UnusablePicture`."""
    if data.startswith(b"\xff\xd8\xff"):
        picture = JpegPicture(data, timestamp)
        if picture.jpeg is not None:
            return picture
    return DecodedPicture(decode(data), timestamp)
