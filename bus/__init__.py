"""The contract between modules (topics, messages, states and metric names) and the connection to the broker."""

from bus.connection import Bus
from bus.inbox import Inbox
from bus.message import Message
from bus.messages import (
    About,
    Answer,
    Box,
    CameraDay,
    Command,
    CurrentLabel,
    DayCounts,
    DayReport,
    Detection,
    Frame,
    Label,
    ModelUpdate,
    Pixels,
    Prediction,
    Question,
    Status,
    Summary,
    Visit,
    WantedModel,
    best_label,
    labelled,
)
from bus.slot import NewestSlot
from runtime.errors import FootfallError, InvalidMessage, InvalidSetting

__all__ = [
    "About",
    "Answer",
    "Box",
    "Bus",
    "CameraDay",
    "Command",
    "CurrentLabel",
    "DayCounts",
    "DayReport",
    "Detection",
    "FootfallError",
    "Frame",
    "Inbox",
    "InvalidMessage",
    "InvalidSetting",
    "Label",
    "Message",
    "ModelUpdate",
    "NewestSlot",
    "Pixels",
    "Prediction",
    "Question",
    "Status",
    "Summary",
    "Visit",
    "WantedModel",
    "best_label",
    "labelled",
]
