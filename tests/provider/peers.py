"""The real SDKs as the peers of the provider: each asks once, and gives the pieces of text as they come."""

import ssl
from collections.abc import Callable, Iterator

import anthropic
import openai
from anthropic.types import MessageParam
from google import genai
from google.genai.types import HttpOptions
from openai.types.chat import ChatCompletionMessageParam

from playhead.provider.serving import Served

QUESTION = "What is the weather in Paris and in Rome?"
MODEL = "model-1"
TIMEOUT_S = 20.0
"""Longer than any healthy test takes on a busy machine."""

_SSL = ssl.create_default_context()
"""One for all clients, and none of them uses it: making it takes longer than all the rest of a test."""

CHAT_MESSAGES: list[ChatCompletionMessageParam] = [{"role": "user", "content": QUESTION}]
CLAUDE_MESSAGES: list[MessageParam] = [{"role": "user", "content": QUESTION}]


def open_ai(served: Served, *, retries: int = 0, timeout_s: float = TIMEOUT_S) -> openai.OpenAI:
    """Return OpenAI's client, which validates strictly."""
    return openai.OpenAI(
        base_url=served.openai_url,
        api_key="key",
        max_retries=retries,
        timeout=timeout_s,
        http_client=openai.DefaultHttpxClient(verify=_SSL),
        _strict_response_validation=True,
    )


def async_open_ai(served: Served, *, retries: int = 0, timeout_s: float = TIMEOUT_S) -> openai.AsyncOpenAI:
    """Return OpenAI's client for event loops, which validates strictly."""
    return openai.AsyncOpenAI(
        base_url=served.openai_url,
        api_key="key",
        max_retries=retries,
        timeout=timeout_s,
        http_client=openai.DefaultAsyncHttpxClient(verify=_SSL),
        _strict_response_validation=True,
    )


def claude(served: Served, *, retries: int = 0, timeout_s: float = TIMEOUT_S) -> anthropic.Anthropic:
    """Return Anthropic's client, which validates strictly."""
    return anthropic.Anthropic(
        base_url=served.anthropic_url,
        api_key="key",
        max_retries=retries,
        timeout=timeout_s,
        http_client=anthropic.DefaultHttpxClient(verify=_SSL),
        _strict_response_validation=True,
    )


def async_claude(served: Served, *, retries: int = 0, timeout_s: float = TIMEOUT_S) -> anthropic.AsyncAnthropic:
    """Return Anthropic's client for event loops, which validates strictly."""
    return anthropic.AsyncAnthropic(
        base_url=served.anthropic_url,
        api_key="key",
        max_retries=retries,
        timeout=timeout_s,
        http_client=anthropic.DefaultAsyncHttpxClient(verify=_SSL),
        _strict_response_validation=True,
    )


def gemini(served: Served, *, timeout_s: float = TIMEOUT_S) -> genai.Client:
    """Return Google's client, which validates always."""
    verifying = {"verify": _SSL}
    options = HttpOptions(
        base_url=served.gemini_url,
        timeout=int(timeout_s * 1000),
        client_args=verifying,
        async_client_args=verifying,
    )
    return genai.Client(api_key="key", http_options=options)


Ask = Callable[[Served, float], Iterator[str]]
"""Asks for a stream, with a timeout in seconds, and yields its text."""


def ask_chat(served: Served, timeout_s: float) -> Iterator[str]:
    """Ask OpenAI's chat completions."""
    with open_ai(served, timeout_s=timeout_s) as client:
        for chunk in client.chat.completions.create(model=MODEL, messages=CHAT_MESSAGES, stream=True):
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content


def ask_responses(served: Served, timeout_s: float) -> Iterator[str]:
    """Ask OpenAI's responses."""
    with open_ai(served, timeout_s=timeout_s) as client:
        for event in client.responses.create(model=MODEL, input=QUESTION, stream=True):
            if event.type == "response.output_text.delta":
                yield event.delta


def ask_claude(served: Served, timeout_s: float) -> Iterator[str]:
    """Ask Anthropic's messages."""
    with claude(served, timeout_s=timeout_s) as client:
        for event in client.messages.create(model=MODEL, messages=CLAUDE_MESSAGES, max_tokens=99, stream=True):
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                yield event.delta.text


def ask_gemini(served: Served, timeout_s: float) -> Iterator[str]:
    """Ask Gemini."""
    with gemini(served, timeout_s=timeout_s) as client:
        for chunk in client.models.generate_content_stream(model=MODEL, contents=QUESTION):
            if chunk.text:
                yield chunk.text


ASKS: dict[str, Ask] = {"chat": ask_chat, "responses": ask_responses, "anthropic": ask_claude, "gemini": ask_gemini}
"""Every SDK by the name of its format."""
