"""When what is on a tape comes, as `--pace` and `--speed` say it."""

from playhead.errors import UsageError
from playhead.replaying.pace import Pace, scaled, to_speed


def chosen_pace(pace: str | None, speed: float | None, *, default: Pace) -> Pace:
    """Return the pace that is asked for. Raises `UsageError` for both options, and for what is no pace or speed."""
    if pace is not None and speed is not None:
        raise UsageError("--pace and --speed contradict each other: give one of them")
    chosen: Pace = scaled(speed) if speed is not None else pace or default  # type: ignore[assignment]
    to_speed(chosen)
    return chosen
