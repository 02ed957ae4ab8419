"""A program in another language: Node's own `fetch` reads a stream of chat completions."""

import json
import shutil
import subprocess

import pytest

from playhead.models.scripted import ScriptedModel
from playhead.provider.serving import serve_model
from tests.provider.peers import CHAT_MESSAGES, MODEL
from tests.provider.turns import FORECAST, TEXT

READER = """
const [url, body] = process.argv.slice(1);
const response = await fetch(url, {method: "POST", headers: {"content-type": "application/json"}, body});
let text = "", left = "", isDone = false;
for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
  const blocks = (left + part).split("\\n\\n");
  left = blocks.pop();
  for (const block of blocks) {
    const data = block.slice("data: ".length);
    if (data === "[DONE]") isDone = true;
    else text += JSON.parse(data).choices[0].delta.content ?? "";
  }
}
console.log(JSON.stringify({status: response.status, type: response.headers.get("content-type"), text, isDone}));
"""


def test_fetch_reads_a_stream() -> None:
    """The text arrives whole, in UTF-8, and the stream ends as OpenAI's does."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on PATH: the JavaScript client is not tried")
    model = ScriptedModel([FORECAST])
    body = json.dumps({"model": MODEL, "messages": CHAT_MESSAGES, "stream": True})
    with serve_model(model) as served:
        ran = subprocess.run(
            [node, "--input-type=module", "--eval", READER, f"{served.openai_url}/chat/completions", body],
            capture_output=True,
            timeout=60,
            check=True,
        )
    model.assert_complete()
    assert json.loads(ran.stdout) == {
        "status": 200,
        "type": "text/event-stream; charset=utf-8",
        "text": TEXT,
        "isDone": True,
    }
