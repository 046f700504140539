"""GStreamer with a stand-in for libcamera's element, and with the other plugins that a test allows."""

import shutil
from pathlib import Path

import pytest

PLUGINS = ("coreelements", "videorate", "videoconvertscale", "jpeg")
"""The plugins that the product uses, beside libcamera's."""
STAND_IN = ("python", "videotestsrc")
"""Those of the stand-in."""


def gstreamer(folder: Path, *plugins: str) -> dict[str, str]:
    """Returns the environment of a GStreamer that has these plugins only. Skips the test if one is not installed."""
    installed = next(Path("/usr/lib").glob("*/gstreamer-1.0"), Path("/usr/lib/gstreamer-1.0"))
    folder.mkdir(exist_ok=True)
    for plugin in plugins:
        file = installed / f"libgst{plugin}.so"
        if not file.exists() or shutil.which("gst-launch-1.0") is None:
            pytest.skip(
                f"GStreamer's plugin {plugin} is missing; install gstreamer1.0-tools, gstreamer1.0-plugins-good, "
                "gstreamer1.0-libcamera and gstreamer1.0-python3-plugin-loader"
            )
        (folder / file.name).symlink_to(file)
    return {
        "GST_PLUGIN_SYSTEM_PATH_1_0": str(folder),
        "GST_PLUGIN_PATH_1_0": str(Path(__file__).parent),
        "GST_REGISTRY_1_0": str(folder / "registry.bin"),
    }
