"""What the modules share: topics, messages, the connection to the broker, settings, logs."""

from bus.connection import Bus
from bus.errors import FootfallError, InvalidMessage, InvalidSetting
from bus.inbox import Inbox
from bus.message import Message
from bus.messages import (
    Box,
    Command,
    CurrentLabel,
    DayCounts,
    Frame,
    Label,
    Pixels,
    Prediction,
    Status,
    Visit,
)
from bus.query import Answer, CameraDay, DayReport, Offset, Question
from bus.slot import NewestSlot

__all__ = [
    "Answer",
    "Box",
    "Bus",
    "CameraDay",
    "Command",
    "CurrentLabel",
    "DayCounts",
    "DayReport",
    "FootfallError",
    "Frame",
    "Inbox",
    "InvalidMessage",
    "InvalidSetting",
    "Label",
    "Message",
    "NewestSlot",
    "Offset",
    "Pixels",
    "Prediction",
    "Question",
    "Status",
    "Visit",
]
