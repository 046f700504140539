"""Recordings of which the motion gate of capture holds frames back."""

from dataclasses import replace

from capture.motion.gate import MotionGate
from capture.settings import Settings as CaptureSettings
from demo.recording import Recording


def create_gate() -> MotionGate:
    """Returns a gate with capture's default settings. The environment is ignored."""
    settings = CaptureSettings.model_construct()
    return MotionGate(settings.heartbeat_seconds, settings.motion_hold)


def gated(recording: Recording) -> Recording:
    """Returns a recording with the frames marked that the gate holds back, and with the others' `held`. Needs thumbnails.

    The last frame passes, so that the end of the recording ends no stay before its time.
    """
    gate, frames = create_gate(), []
    for frame in recording.frames:
        assert frame.thumbnail is not None
        if gate.passes(frame.thumbnail, frame.at, is_wanted=frame is recording.frames[-1]):
            frames.append(replace(frame, held=round(gate.held, 3)))
            gate.mark_published(frame.at)
        else:
            frames.append(replace(frame, held=None))
    return recording._replace(frames=tuple(frames))


def share_held(recording: Recording) -> float:
    """Returns the share of frames that are held back, 0 to 1."""
    return sum(frame.held is None for frame in recording.frames) / max(1, len(recording.frames))
