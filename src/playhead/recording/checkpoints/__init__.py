"""The checkpointer: the states of an agent's threads, kept in cassettes."""

from playhead.recording.checkpoints.checkpointer import Capabilities, Checkpointer

__all__ = ["Capabilities", "Checkpointer"]
