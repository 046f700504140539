"""The contract between modules (topics, messages, states and metric names) and the connection to the broker."""

from bus.alerts import ActiveAlert, Alert, AlertKind, AlertRule, Alerts
from bus.connection import Bus
from bus.fields import DIRECTIONS, UNDECIDED, Direction
from bus.homeassistant import Discovery, HomeAssistantStatus
from bus.inbox import Inbox
from bus.message import Message
from bus.pictures import Box, Detection, Frame, Label, Pixels, Prediction, best_label, labelled
from bus.reports import TABLES, Cell, Counted, Entry, Key, Page, Table
from bus.requests import Answer, Command, DayReport, Question, WantedModel
from bus.results import Crossing, CurrentLabel, DayCounts, Occupancy, Summary, Tracks, Visit, VisitorInView, ZoneHours, ZoneTotals
from bus.setup import Line, Setup, Zone
from bus.setups import Setups
from bus.site import Site, SiteLabel
from bus.slot import NewestSlot
from bus.status import About, ModelUpdate, Status
from runtime.errors import FootfallError, InvalidMessage, InvalidSetting

__all__ = [
    "DIRECTIONS",
    "TABLES",
    "UNDECIDED",
    "About",
    "ActiveAlert",
    "Alert",
    "AlertKind",
    "AlertRule",
    "Alerts",
    "Answer",
    "Box",
    "Bus",
    "Cell",
    "Command",
    "Counted",
    "Crossing",
    "CurrentLabel",
    "DayCounts",
    "DayReport",
    "Detection",
    "Direction",
    "Discovery",
    "Entry",
    "FootfallError",
    "Frame",
    "HomeAssistantStatus",
    "Inbox",
    "InvalidMessage",
    "InvalidSetting",
    "Key",
    "Label",
    "Line",
    "Message",
    "ModelUpdate",
    "NewestSlot",
    "Occupancy",
    "Page",
    "Pixels",
    "Prediction",
    "Question",
    "Setup",
    "Setups",
    "Site",
    "SiteLabel",
    "Status",
    "Summary",
    "Table",
    "Tracks",
    "Visit",
    "VisitorInView",
    "WantedModel",
    "Zone",
    "ZoneHours",
    "ZoneTotals",
    "best_label",
    "labelled",
]
