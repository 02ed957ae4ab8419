"""The rules of the wire, `WIR`, each with bytes that break it and bytes that do not."""

from playhead.contracts.limits import Limits
from playhead.contracts.rule import Example, Rule, Severity

_THINK = b'{"event_type":"think","iteration":1}'
_END = b'{"event_type":"terminate","reason":"complete"}'
_HEAD = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}


def _message(data: bytes, event: bytes = b"", id: bytes = b"") -> bytes:
    head = (b"event: %b\n" % event if event else b"") + (b"id: %b\n" % id if id else b"")
    return head + b"data: %b\n\n" % data


def _stream(*ids: bytes, total: int | None = 2) -> bytes:
    """Return a run of two events and the frame at its end, numbered."""
    sent = zip((b"think", b"terminate"), (_THINK, _END), ids or (b"1", b"2"), strict=False)
    done = b'{"status":"complete","total_events":%d}' % total if total is not None else b""
    last = _message(done, b"done", ids[2] if len(ids) > 2 else b"3") if total is not None else b""
    return b"".join(_message(data, event, id) for event, data, id in sent) + last


def _arguments(*pieces: bytes) -> bytes:
    start = b'{"type":"message_start","message":{"id":"m","role":"assistant"}}'
    tool = b'{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"add"}}'
    deltas = [
        b'{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":%b}}' % piece
        for piece in pieces
    ]
    stop = b'{"type":"content_block_stop","index":0}'
    reason = b'{"type":"message_delta","delta":{"stop_reason":"tool_use"}}'
    names = [b"message_start", b"content_block_start", *[b"content_block_delta"] * len(pieces)]
    names += [b"content_block_stop", b"message_delta", b"message_stop"]
    sent = [start, tool, *deltas, stop, reason, b'{"type":"message_stop"}']
    return b"".join(_message(data, name) for name, data in zip(names, sent, strict=True))


_PLAIN = _message(_THINK) + _message(_END)
_HEALTHY = Example(wire=_stream())
_GOOD_HEAD = Example(wire=_stream(), headers=_HEAD)

RULES_OF_WIRE: tuple[Rule, ...] = (
    Rule(
        "WIR001",
        "a block of the stream is not UTF-8",
        "An event stream is always UTF-8. A browser shows U+FFFD for what is not; the big SDKs raise.",
        breaks=Example(wire=_message(b'{"event_type":"think","reasoning":"caf\xe9"}') + _message(_END)),
        keeps=Example(wire=_message('{"event_type":"think","reasoning":"café"}'.encode()) + _message(_END)),
    ),
    Rule(
        "WIR002",
        "the last message has no empty line behind it",
        "Without it the message was never sent: every reader that follows the standard drops it, and nobody notices.",
        breaks=Example(wire=_PLAIN[:-1]),
        keeps=Example(wire=_PLAIN),
    ),
    Rule(
        "WIR003",
        "a line is no field of an event stream",
        "Readers ignore such a line. It is what is left of text with a line end in it that was sent as one line: at "
        "worst, the rest of the text makes a message of its own.",
        breaks=Example(wire=b"data: " + _THINK + b"\nand more\n\n" + _message(_END)),
        keeps=Example(wire=_PLAIN),
    ),
    Rule(
        "WIR004",
        "the data of a message is not JSON",
        "The messages of this stream carry JSON objects, and a reader that parses them throws here.",
        breaks=Example(wire=_message(_THINK) + _message(b'{"event_type":') + _message(_END)),
        keeps=Example(wire=_PLAIN),
    ),
    Rule(
        "WIR005",
        "the data of a message holds NaN or an infinity",
        "Python writes and reads them; they are no JSON, and `JSON.parse` throws.",
        breaks=Example(wire=_message(_THINK) + _message(b'{"event_type":"custom","score":NaN}') + _message(_END)),
        keeps=Example(wire=_message(_THINK) + _message(b'{"event_type":"custom","score":"NaN"}') + _message(_END)),
    ),
    Rule(
        "WIR006",
        "a message has another name than its event",
        "A page listens to the name and reads the data: one of the two is wrong.",
        breaks=Example(wire=_message(_THINK, b"tool_start") + _message(_END, b"terminate")),
        keeps=Example(wire=_message(_THINK, b"think") + _message(_END, b"terminate")),
    ),
    Rule(
        "WIR007",
        "a message has no id, and those before it have",
        "Who reconnects behind it sends the id before, and gets it twice.",
        breaks=Example(wire=_stream(b"1", b"", b"2")),
        keeps=_HEALTHY,
    ),
    Rule(
        "WIR008",
        "an id comes again",
        "Who reconnects with it gets what it has had, or misses what lies between. The last 1,024 ids are remembered.",
        breaks=Example(wire=_stream(b"1", b"1", b"2", total=2)),
        keeps=_HEALTHY,
    ),
    Rule(
        "WIR009",
        "a number goes back, or leaves some out",
        "Messages were lost, doubled or swapped on their way. Ids are held to it in streams that count their messages, "
        "and the numbers that a protocol gives its events.",
        breaks=Example(wire=_stream(b"1", b"3", b"4", total=2)),
        keeps=_HEALTHY,
    ),
    Rule(
        "WIR010",
        "a stream of numbered, named messages has no `done` or `error` at its end",
        "A browser reconnects to a stream that just ends, and begins anew.",
        breaks=Example(wire=_stream(total=None)),
        keeps=_HEALTHY,
    ),
    Rule(
        "WIR011",
        "a message follows the end of the stream",
        "Readers have closed the connection at `done`, `error` or `[DONE]`.",
        breaks=Example(wire=_stream() + _message(_THINK, b"think", b"4")),
        keeps=_HEALTHY,
    ),
    Rule(
        "WIR012",
        "the frame `done` counts other messages than came",
        "`total_events` is how many messages came before it, heartbeats left out.",
        breaks=Example(wire=_stream(total=3)),
        keeps=_HEALTHY,
    ),
    Rule(
        "WIR013",
        "a message is longer than 64 KiB",
        "It is valid. Some proxies and clients have a buffer of that size for a line, and refuse what is longer.",
        breaks=Example(wire=_message(_THINK[:-1] + b',"reasoning":"%b"}' % (b"x" * 65_536)) + _message(_END)),
        keeps=Example(wire=_message(_THINK[:-1] + b',"reasoning":"%b"}' % (b"x" * 60_000)) + _message(_END)),
        severity=Severity.WARNING,
    ),
    Rule(
        "WIR014",
        "not a byte comes for longer than the limit",
        "Proxies close a connection that is silent, mostly after 60 seconds: send heartbeats or comments.",
        breaks=Example(wire=_PLAIN, limits=Limits(heartbeat_s=0.5)),
        keeps=Example(wire=_PLAIN, limits=Limits(heartbeat_s=30)),
        severity=Severity.OPT_IN,
    ),
    Rule(
        "WIR015",
        "the response does not say that it is an event stream",
        "A browser's `EventSource` closes for good on any other content type, and reads UTF-8 only.",
        breaks=Example(wire=_stream(), headers={**_HEAD, "Content-Type": "application/json"}),
        keeps=_GOOD_HEAD,
    ),
    Rule(
        "WIR016",
        "the head of the response lets the stream be kept or held back",
        "A cache may answer with an old stream, and a compressor waits until it has a block.",
        breaks=Example(wire=_stream(), headers={"Content-Type": "text/event-stream"}),
        keeps=_GOOD_HEAD,
        severity=Severity.WARNING,
    ),
    Rule(
        "WIR017",
        "the pieces of a tool's arguments do not add up to JSON",
        "The call cannot be made. It happens when a piece is lost, or when the model was cut off.",
        breaks=Example(wire=_arguments(b'""', b'"{\\"a\\":"'), dialect="anthropic.messages"),
        keeps=Example(wire=_arguments(b'""', b'"{\\"a\\":"', b'"1}"'), dialect="anthropic.messages"),
    ),
    Rule(
        "WIR018",
        "a message has no name, and its readers go by names",
        "Anthropic's SDK looks at `event:` alone: without it there are no events, and no error either.",
        breaks=Example(wire=_arguments(b'""').replace(b"event: message_stop\n", b""), dialect="anthropic.messages"),
        keeps=Example(wire=_arguments(b'""'), dialect="anthropic.messages"),
    ),
    Rule(
        "WIR019",
        "the stream begins with a byte order mark",
        "The standard allows it. The SDKs of OpenAI and of Anthropic lose the first message, and say nothing.",
        breaks=Example(wire=b"\xef\xbb\xbf" + _PLAIN),
        keeps=Example(wire=_PLAIN),
        severity=Severity.WARNING,
    ),
    Rule(
        "WIR020",
        "a block of comments stands behind an id",
        "It is a valid way to keep a connection open. openai-python takes the block for a message without data, as an "
        "id is in force, and fails to parse it (openai-python#2722).",
        breaks=Example(wire=_stream()[:-1] + b"\n: ping\n\n"),
        keeps=Example(wire=b": ping\n\n" + _PLAIN),
        severity=Severity.WARNING,
    ),
    Rule(
        "WIR021",
        "a block has fields and no data",
        "The standard drops it. openai-python takes it for a message and fails to parse it: send `data: {}`.",
        breaks=Example(wire=b"retry: 3000\n\n" + _PLAIN),
        keeps=Example(wire=b"retry: 3000\n" + _PLAIN),
        severity=Severity.WARNING,
    ),
    Rule(
        "WIR022",
        "there is no space behind `data:`",
        "The standard allows it. google-genai looks for the text `data: ` and fails without it.",
        breaks=Example(wire=b'data:{"candidates":[{"index":0,"finishReason":"STOP"}]}\n\n', dialect="gemini"),
        keeps=Example(wire=b'data: {"candidates":[{"index":0,"finishReason":"STOP"}]}\n\n', dialect="gemini"),
        severity=Severity.WARNING,
    ),
)
"""Every rule of the wire."""
