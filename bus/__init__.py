"""What the modules share: topics, messages, the connection to the broker, settings, logs."""

from bus.connection import Bus
from bus.errors import FootfallError, InvalidMessage, InvalidSetting
from bus.message import Message
from bus.messages import (
    Box,
    CurrentLabel,
    DayCounts,
    Frame,
    Label,
    Pixels,
    Prediction,
    Status,
    Visit,
)
from bus.slot import NewestSlot

__all__ = [
    "Box",
    "Bus",
    "CurrentLabel",
    "DayCounts",
    "FootfallError",
    "Frame",
    "InvalidMessage",
    "InvalidSetting",
    "Label",
    "Message",
    "NewestSlot",
    "Pixels",
    "Prediction",
    "Status",
    "Visit",
]
