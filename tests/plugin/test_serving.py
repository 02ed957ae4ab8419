"""The tape of a test as a provider on loopback, asked by the real SDKs."""

from collections.abc import Iterator
from pathlib import Path

import anthropic
import openai
import pytest

from playhead.errors import MissingCassette, ReplayMismatch, UsageError
from playhead.matching.exchange import exchanges
from playhead.models.scripted import FunctionModel
from playhead.plugin.taping import TapeFixture
from playhead.provider.serving import Served, serve_model
from playhead.replaying.tape import open_tape
from tests.plugin.tapes import tape


@pytest.fixture
def provider() -> Iterator[Served]:
    """Serve a provider that says in capitals what it is asked."""
    with serve_model(FunctionModel(lambda request: str(request.messages[-1]["content"]).upper())) as served:
        yield served


def asked(taped: TapeFixture, text: str, upstream: Served | None = None) -> str:
    """Ask with OpenAI's SDK, in a stream, and return the answer."""
    server = taped.server({"openai": upstream.openai_url} if upstream else None)
    with openai.OpenAI(base_url=server.openai_url, api_key="any", max_retries=0) as client:
        stream = client.chat.completions.create(
            model="gpt-5", messages=[{"role": "user", "content": text}], stream=True
        )
        return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def test_what_an_sdk_asks_is_recorded_and_replayed(tmp_path: Path, provider: Served) -> None:
    """The same answer, when the provider is not there any more; a key is needed by neither."""
    path = tmp_path / "trip.jsonl"
    taped = tape(path, "once")
    assert asked(taped, "hello", provider) == "HELLO"
    taped.judge()
    assert taped.end(passed=True) == "recorded"
    again = tape(path)
    assert asked(again, "hello") == "HELLO"
    again.judge()
    assert again.end(passed=True) == "replayed"


def test_another_question_is_a_mismatch(tmp_path: Path, provider: Served) -> None:
    """The SDK is told by an error of its own, and the test at its end; so it is of a question that did not come."""
    path = tmp_path / "trip.jsonl"
    taped = tape(path, "once")
    asked(taped, "hello", provider)
    taped.end(passed=True)
    again = tape(path)
    with pytest.raises(openai.BadRequestError, match="the model was asked what the recording does not have"):
        asked(again, "bye")
    with pytest.raises(ReplayMismatch, match=r'"hello" -> "bye"'):
        again.judge()
    again.end(passed=False)
    idle = tape(path)
    idle.server()
    with pytest.raises(ReplayMismatch, match="1 of 1 calls were not made"):
        idle.judge()
    idle.end(passed=False)


def test_new_questions_are_asked_and_the_others_are_not(tmp_path: Path, provider: Served) -> None:
    """In the mode `new_episodes` the provider is asked what is not on the cassette, and nothing else."""
    path = tmp_path / "trip.jsonl"
    for texts in (["hello"], ["hello", "bye", "hello"]):
        taped = tape(path, "new_episodes")
        assert [asked(taped, text, provider) for text in texts] == [text.upper() for text in texts]
        taped.judge()
        assert taped.end(passed=True) == "recorded"
    with open_tape(path) as opened:
        questions = [each.request["body"]["messages"][0]["content"] for each in exchanges(opened.calls())]
    assert questions == ["hello", "bye", "hello"]
    again = tape(path)
    assert [asked(again, text) for text in ("hello", "hello", "bye")] == ["HELLO", "HELLO", "BYE"]
    again.judge()
    again.end(passed=True)


def test_every_sdk_finds_its_provider(tmp_path: Path, provider: Served) -> None:
    """Base URLs are told one by one and as an environment; one server serves them all, until the test ends."""
    taped = tape(tmp_path / "trip.jsonl", "once")
    server = taped.server({"anthropic": provider.anthropic_url})
    assert taped.server() is server
    with anthropic.Anthropic(base_url=server.anthropic_url, api_key="any", max_retries=0) as client:
        message = client.messages.create(model="claude", max_tokens=9, messages=[{"role": "user", "content": "hi"}])
    assert message.content[0].type == "text"
    assert message.content[0].text == "HI"
    environment = server.environment
    assert environment["OPENAI_BASE_URL"] == server.openai_url == f"{server.url}/openai/v1"
    assert environment["GOOGLE_GEMINI_BASE_URL"] == server.gemini_url
    assert environment["OPENAI_API_KEY"]
    with pytest.raises(UsageError, match=r"there is no provider 'openia': .* did you mean 'openai'"):
        server.base_url("openia")
    taped.end(passed=True)
    with (
        pytest.raises(openai.APIConnectionError),
        openai.OpenAI(base_url=server.openai_url, api_key="any", max_retries=0) as late,
    ):
        late.models.list()


def test_without_a_cassette_there_is_no_server(tmp_path: Path) -> None:
    """It is told where the server is asked for, before an SDK asks in vain."""
    with pytest.raises(MissingCassette, match="--playhead-mode=once"):
        tape(tmp_path / "trip.jsonl").server()
