"""The agent asks a tape instead of a provider: the SDK and all of the agent's own code run."""

import os
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from translator import translate


@pytest.fixture
def client(tape_server: Any) -> Iterator[openai.OpenAI]:
    key = os.environ.get("OPENAI_API_KEY", "none is needed")
    with openai.OpenAI(base_url=tape_server.openai_url, api_key=key, max_retries=0) as made:
        yield made


def test_it_streams(client: openai.OpenAI) -> None:
    pieces = list(translate(client, "Guten Tag"))
    assert len(pieces) > 1
    assert "".join(pieces) == "Good afternoon"


def test_it_looks_words_up(client: openai.OpenAI) -> None:
    assert "".join(translate(client, "Schadenfreude")) == "That is malicious joy."
