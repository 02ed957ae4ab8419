"""`playhead check` as a linter, on everything that is a stream; `playhead rule` explains."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from xml.etree import ElementTree

import pytest

from playhead.cassettes.format import entry_prefix
from playhead.contracts.rules import RULES
from playhead.events.tagged import dumps
from tests.cli.running import SEARCH, playhead, write_rows, write_tape


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


THINK = b'event: think\ndata: {"event_type":"think","iteration":1}\n\n'
END = b'event: terminate\ndata: {"event_type":"terminate","reason":"complete"}\n\n'
DONE = b'event: done\ndata: {"status":"complete","total_events":2}\n\n'
HEALTHY = THINK + END + DONE
GOOD_HEAD = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}


@contextmanager
def endpoint(*chunks: bytes, status: int = 200, endless: bool = False, promised: int = 0, **head: str) -> Iterator[str]:
    """Serve chunks to every request on loopback; `endless` keeps the connection open, `promised` is a length."""
    leave = Flag()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in (head or GOOD_HEAD).items():
                self.send_header(name.replace("_", "-"), value)
            if promised:
                self.send_header("Content-Length", str(promised))
            self.end_headers()
            for chunk in chunks:
                self.wfile.write(chunk)
                self.wfile.flush()
            if endless:
                leave.wait(30)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/stream?prompt=hi"
    finally:
        leave.set()
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_sound_stream_has_no_findings() -> None:
    """Standard output stays empty; how much was checked is told beside it."""
    write_tape("a.jsonl")
    assert playhead("check", ".") == (0, "", "1 stream checked, nothing found\n")


def test_findings_have_a_file_and_a_line() -> None:
    """Each is one line, as a linter's; the end of the stream is the line of the seal."""
    write_tape("a.jsonl", [SEARCH[0], SEARCH[3]])
    assert playhead("check", "a.jsonl") == (
        1,
        "a.jsonl:3: ORD001 tool_complete closes tool span 'a' (search), which is not open\n"
        "a.jsonl:4: TRM001 the stream ended after 2 events without a terminal event\n",
        "1 stream checked, 2 violations\n",
    )


def test_findings_as_json() -> None:
    """A document a line, with everything that is known of a finding."""
    write_tape("a.jsonl", [SEARCH[0], SEARCH[3]])
    for option in (["--json"], ["--format", "json"]):
        first, second = playhead("check", "a.jsonl", *option).lines()
        assert first == {
            "place": "a.jsonl",
            "severity": "error",
            "code": "ORD001",
            "message": "tool_complete closes tool span 'a' (search), which is not open",
            "line": 3,
            "index": 1,
            "event": "tool_complete",
            "run": "r1",
        }
        assert (second["line"], second["code"]) == (4, "TRM001")


def test_findings_for_github() -> None:
    """Workflow commands, with what would end a value escaped."""
    write_tape("a,b:c.jsonl", [SEARCH[0], SEARCH[3]])
    shown = playhead("check", "a,b:c.jsonl", "--format", "github")
    assert shown.code == 1
    assert shown.out.splitlines()[0] == (
        "::error file=a%2Cb%3Ac.jsonl,line=3,title=ORD001::"
        "tool_complete closes tool span 'a' (search), which is not open"
    )


def test_findings_as_junit() -> None:
    """One test case a stream: passed, failed, or unreadable."""
    write_tape("a.jsonl")
    write_tape("b.jsonl", SEARCH[:3])
    Path("c.jsonl").write_bytes(b"rubbish\n")
    shown = playhead("check", ".", "--format", "junit")
    assert shown.code == 2
    suite = ElementTree.fromstring(shown.out)
    assert suite.attrib == {"name": "playhead check", "tests": "3", "failures": "1", "errors": "1"}
    passed, failed, unreadable = suite
    assert [len(case) for case in (passed, failed, unreadable)] == [0, 1, 1]
    assert failed[0].attrib["type"] == "TRM001"
    assert "b.jsonl:5: TRM001" in str(failed[0].text)
    assert "not a cassette" in unreadable[0].attrib["message"]


def test_rules_are_chosen() -> None:
    """By code or its beginning, with commas or several times."""
    write_tape("a.jsonl", [SEARCH[0], SEARCH[3]])
    assert "TRM001" not in playhead("check", "a.jsonl", "--select", "ORD,WIR").out
    assert playhead("check", "a.jsonl", "--ignore", "ORD001", "--ignore", "TRM").code == 0
    shown = playhead("check", "a.jsonl", "--select", "ODR001")
    assert (shown.code, shown.err) == (2, "error: there is no rule 'ODR001'; did you mean 'ORD001'?\n")


def test_limits_ask_for_their_rules() -> None:
    """A number that only the user knows."""
    write_tape("a.jsonl")
    assert playhead("check", "a.jsonl", "--max-silence", "2", "--max-steps", "2", "--max-events", "9").code == 0
    shown = playhead("check", "a.jsonl", "--max-silence", "1", "--max-steps", "1", "--max-events", "8")
    assert [line.split()[1] for line in shown.out.splitlines()] == ["TRM006", "TRM007", "TRM007"]


def test_heartbeats_are_missed_on_the_wire() -> None:
    """A wire that was silent for twenty seconds is a finding for whoever promised a beat every fifteen."""
    prefix, said = entry_prefix("wire", "r1", "bytes"), dumps(b": still there\n\n")
    write_rows("a.jsonl", [(0, prefix, said), (20_000_000, prefix, said)])
    assert playhead("check", "a.jsonl").code == 0
    assert playhead("check", "a.jsonl", "--heartbeat", "25").code == 0
    shown = playhead("check", "a.jsonl", "--heartbeat", "15", "--fail-on", "warning")
    assert (shown.code, shown.out.split()[1]) == (1, "WIR014")
    assert "20 s without a byte" in shown.out


def test_what_fails_is_chosen() -> None:
    """Warnings are told and do not fail, unless they shall; nothing fails where nothing shall."""
    early = {**SEARCH[0][1], "timestamp": "2030-01-01T00:00:05Z"}
    late = {**SEARCH[-1][1], "timestamp": "2030-01-01T00:00:04Z"}
    write_tape("a.jsonl", [(0, early), (0, late)])
    shown = playhead("check", "a.jsonl")
    assert (shown.code, shown.out) == (
        0,
        "a.jsonl:3: ORD008 warning: terminate is 1 s older than the event before it\n",
    )
    assert playhead("check", "a.jsonl", "--fail-on", "warning").code == 1
    write_tape("b.jsonl", SEARCH[:3])
    assert playhead("check", "b.jsonl", "--fail-on", "never").code == 0
    shown = playhead("check", "a.jsonl", "--fail-on", "warnings")
    assert (shown.code, shown.err) == (
        2,
        "error: --fail-on 'warnings': it is one of error, warning, never; did you mean 'warning'?\n",
    )
    assert playhead("check", "a.jsonl", "--format", "xml").code == 2


def test_what_cannot_be_checked_is_worse_than_a_finding() -> None:
    """A damaged cassette gives exit code 2, and the others are checked all the same."""
    Path("a.jsonl").write_bytes(b"rubbish\n")
    write_tape("b.jsonl", SEARCH[:3])
    shown = playhead("check", ".")
    assert shown.code == 2
    assert shown.out == "b.jsonl:5: TRM001 the stream ended after 3 events without a terminal event\n"
    assert "a.jsonl:1: at byte 0: not a cassette" in shown.err


def test_bytes_are_checked_from_a_file_and_from_standard_input() -> None:
    """A finding has the line of its message; in a folder, files of bytes are found beside cassettes."""
    Path("good.sse").write_bytes(HEALTHY)
    Path("cut.sse").write_bytes(THINK)
    write_tape("a.jsonl")
    assert playhead("check", "good.sse").code == 0
    assert playhead("check", "-", stdin=HEALTHY).code == 0
    shown = playhead("check", ".")
    assert shown.code == 1
    assert {line.split(":")[0] for line in shown.out.splitlines()} == {"cut.sse"}
    assert "TRM001" in shown.out
    assert shown.err.startswith("3 streams checked")
    shown = playhead("check", "-", "--dialect", "locus", stdin=THINK)
    assert (shown.code, "TRM001" in shown.out) == (1, True)


def test_an_endpoint_is_read_to_its_end() -> None:
    """A live stream of the user's is checked as it comes."""
    with endpoint(HEALTHY[:40], HEALTHY[40:]) as url:
        assert playhead("check", url) == (0, "", "1 stream checked, nothing found\n")
    with endpoint(THINK) as url:
        shown = playhead("check", url)
    assert (shown.code, "TRM001" in shown.out) == (1, True)


def test_an_endpoint_that_goes_on_is_left_at_the_limit() -> None:
    """Who leaves cannot ask for an end; what was broken before is told."""
    with endpoint(THINK, endless=True) as url:
        shown = playhead("check", url, "--time-limit", "0.3")
    assert (shown.code, shown.out) == (0, "")
    assert f"{url}: left after 0.3 s, while it went on" in shown.err


def test_a_connection_that_is_cut_is_told() -> None:
    """The response promised more bytes than came."""
    with endpoint(THINK, promised=10_000) as url:
        shown = playhead("check", url)
    assert f"{url}: the connection was cut" in shown.err


def test_the_head_of_a_response_is_checked() -> None:
    """Browsers refuse a stream of another type."""
    with endpoint(HEALTHY, Content_Type="text/plain", Cache_Control="no-cache") as url:
        shown = playhead("check", url)
    assert shown.code == 1
    assert "text/plain" in shown.out


def test_an_endpoint_that_does_not_answer_is_an_error() -> None:
    """With another status, or nobody there, nothing was checked."""
    with endpoint(b"no", status=404) as url:
        shown = playhead("check", url)
    assert (shown.code, f"{url} answered 404 Not Found" in shown.err) == (2, True)
    shown = playhead("check", url)
    assert (shown.code, f"{url} cannot be read: ConnectionRefusedError" in shown.err) == (2, True)
    assert playhead("check", "http:///stream").code == 2


def test_a_rule_is_explained() -> None:
    """With its reason, and a stream that breaks it and one that does not."""
    shown = playhead("rule", "trm003")
    assert shown.out.startswith("TRM003 a run has two terminal events  [error]\n\nA reader that acts on each")
    assert "\nbreaks it (dialect=locus):\n" in shown.out
    assert shown.out.count('{"event_type": "terminate"') == 3
    assert playhead("rule", "TRM3").err == "error: there is no rule 'TRM3'; did you mean 'TRM003'?\n"


def test_all_rules_are_listed() -> None:
    """A line each; as JSON, a document each with its examples."""
    assert [line.split()[0] for line in playhead("rule").out.splitlines()] == list(RULES)
    documents = playhead("rule", "--json").lines()
    assert [each["code"] for each in documents] == list(RULES)
    assert all(each["breaks"] and each["keeps"] for each in documents)
    assert json.loads(playhead("rule", "ORD001", "--json").out) == documents[0]
