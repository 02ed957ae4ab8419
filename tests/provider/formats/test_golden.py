"""The exact bytes of one answer in each format. Write them anew with `--snapshot-update`, and read what changed."""

import json

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension

from playhead.provider.formats.base import WireFormat
from tests.provider.formats.asking import BY_NAME, stream_of, whole_of
from tests.provider.turns import FORECAST

FORMATS = pytest.mark.parametrize("wire_format", BY_NAME.values(), ids=BY_NAME)


class Stream(SingleFileSnapshotExtension):
    """Keep a stream as the bytes that it is."""

    file_extension = "sse"


class Whole(SingleFileSnapshotExtension):
    """Keep an answer that does not stream as indented JSON."""

    file_extension = "json"


@FORMATS
def test_a_stream(wire_format: WireFormat, snapshot: SnapshotAssertion) -> None:
    """A thought, a text and two calls, with usage, in a stream."""
    stream = stream_of(wire_format, FORECAST, stream_options={"include_usage": True})
    assert stream == snapshot.use_extension(Stream)


@FORMATS
def test_a_whole_answer(wire_format: WireFormat, snapshot: SnapshotAssertion) -> None:
    """A thought, a text and two calls, with usage, in one piece."""
    whole = json.dumps(whole_of(wire_format, FORECAST), ensure_ascii=False, indent=1) + "\n"
    assert whole.encode() == snapshot.use_extension(Whole)
