"""What a logging handler writes."""

import json
import logging
from types import SimpleNamespace

import pytest

from playhead.errors import UsageError
from playhead.events.locus import CustomEvent, ThinkEvent
from playhead.handlers.logs import LoggingHandler

pytestmark = pytest.mark.anyio


async def test_one_structured_record_an_event(caplog: pytest.LogCaptureFixture) -> None:
    """A record has the type and JSON as message, and both with number and agent as fields of their own."""
    caplog.set_level(logging.INFO)
    handler = LoggingHandler()
    event = ThinkEvent(iteration=1, agent_name="a")
    await handler.on_event(event)
    [record] = caplog.records
    assert (record.name, record.levelno) == ("playhead.events", logging.INFO)
    assert record.getMessage().startswith('think {"timestamp":')
    fields = record.__dict__
    assert (fields["event_type"], fields["event_number"], fields["agent_name"]) == ("think", 1, "a")
    assert json.loads(fields["event_json"])["iteration"] == 1


async def test_field_names_do_not_clash_with_the_record(caplog: pytest.LogCaptureFixture) -> None:
    """An event whose fields are called like those of a log record is logged too."""
    caplog.set_level(logging.INFO)
    await LoggingHandler().on_event(CustomEvent(name="msg", data={"message": "m", "args": [1]}))
    assert json.loads(caplog.records[0].__dict__["event_json"])["data"] == {"message": "m", "args": [1]}


async def test_ends_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A completion is logged at the handler's level, an error at ERROR with its traceback."""
    caplog.set_level(logging.DEBUG)
    handler = LoggingHandler(logging.getLogger("mine"), logging.DEBUG)
    await handler.on_event(ThinkEvent(iteration=1))
    await handler.on_complete()
    handler.clear()
    await handler.on_error(ValueError("bad\nthing"))
    complete, error = caplog.records[1:]
    assert (complete.name, complete.levelno, complete.getMessage()) == (
        "mine",
        logging.DEBUG,
        "complete after 1 events",
    )
    assert error.levelno == logging.ERROR
    assert error.getMessage() == "error after 0 events: ValueError: bad\\nthing\nValueError: bad\nthing"
    assert error.__dict__["error_type"] == "ValueError"


async def test_logged_text_is_safe_and_still_json(caplog: pytest.LogCaptureFixture) -> None:
    """Control characters of every kind are shown, and the JSON can still be read."""
    caplog.set_level(logging.INFO)
    text = "\x1b[2J \x9b31m \x7f \u202e"
    await LoggingHandler().on_event(ThinkEvent(iteration=1, reasoning=text, agent_name="\x1b"))
    fields = caplog.records[0].__dict__
    assert json.loads(fields["event_json"])["reasoning"] == text
    shown = caplog.records[0].getMessage() + fields["event_json"] + fields["agent_name"]
    assert not set(text) - {" "} - set("[2J31m") & set(shown)


async def test_nothing_is_formatted_below_the_level() -> None:
    """Where nobody listens, an event that has no JSON form does no harm."""
    logger = logging.Logger("quiet", logging.WARNING)
    await LoggingHandler(logger).on_event(SimpleNamespace(event_type="x", value=object()))


async def test_level_must_be_a_number() -> None:
    """The name of a level is refused at once, and not when the first event comes."""
    with pytest.raises(UsageError, match="level='INFO'"):
        LoggingHandler(level="INFO")  # type: ignore[arg-type]
