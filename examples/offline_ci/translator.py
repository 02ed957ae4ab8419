"""An agent with the OpenAI SDK: it streams a translation, and looks up the words that the model does not know."""

import json
from collections.abc import Iterator
from typing import Any

import openai

GLOSSARY = {"Schadenfreude": "malicious joy"}
TOOL = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Look a word up in the glossary.",
        "parameters": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
    },
}


def translate(client: openai.OpenAI, text: str) -> Iterator[str]:
    """Yield the pieces of the translation as they come."""
    messages: list[Any] = [{"role": "user", "content": f"Translate into English: {text}"}]
    while True:
        calls: dict[int, dict[str, str]] = {}
        stream = client.chat.completions.create(model="gpt-5", messages=messages, tools=[TOOL], stream=True)
        for chunk in stream:
            for choice in chunk.choices:
                if choice.delta.content:
                    yield choice.delta.content
                for piece in choice.delta.tool_calls or ():
                    call = calls.setdefault(piece.index, {"id": piece.id or "", "name": "", "arguments": ""})
                    call["name"] += piece.function.name or ""
                    call["arguments"] += piece.function.arguments or ""
        if not calls:
            return
        wanted = [
            {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": call["arguments"]}}
            for call in calls.values()
        ]
        messages.append({"role": "assistant", "tool_calls": wanted})
        for call in calls.values():
            word = json.loads(call["arguments"])["word"]
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": GLOSSARY.get(word, "unknown")})
