"""What a page in a real browser sees: text as it arrives, and each event once, whatever happens to the connection."""

import threading
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from playhead.events.locus import AgentEvent
from playhead.provider.serving import serve
from playhead.server.agent_server import AgentServer
from tests.server.agents import FunctionAgent, TalkingAgent, chunk, terminate
from tests.server.program import running
from tests.server.relay import relay

pytestmark = pytest.mark.xdist_group("chromium")

LISTEN = """
([url, names]) => {
  window.seen = [];
  window.times = [];
  const text = document.createElement("pre");
  document.body.append(text);
  const source = new EventSource(url);
  for (const name of names) source.addEventListener(name, (event) => {
    if (!(event instanceof MessageEvent)) return;
    window.seen.push([event.type, event.lastEventId.split(":")[1]]);
    if (event.type === "done" || event.type === "error") { source.close(); window.over = true; return; }
    if (event.type === "model_chunk") text.textContent += JSON.parse(event.data).content;
  });
}
"""
NAMES = ["model_chunk", "terminate", "done", "error"]


def numbered(count: int) -> list[list[str]]:
    """Return what a page sees of a run of so many chunks."""
    chunks = [["model_chunk", str(number)] for number in range(1, count + 1)]
    return [*chunks, ["terminate", str(count + 1)], ["done", "end"]]


def opened(chromium: Any, url: str) -> Any:
    """Return a page of the server's own origin."""
    page = chromium.new_page()
    page.set_default_timeout(90_000)
    page.goto(f"{url}/health")
    return page


def test_text_appears_as_it_arrives(chromium: Any) -> None:
    """A page that listens by name shows each piece when it comes, long before the end."""
    agent = TalkingAgent(0.05)
    with serve(AgentServer(agent, allow_unauthenticated=True).app) as served:
        page = opened(chromium, served.url)
        page.evaluate(LISTEN, ["/stream?prompt=20", NAMES])
        page.wait_for_function("document.querySelector('pre:last-child').textContent.startsWith('1 2 3 ')")
        assert not agent.finished.is_set()
        page.wait_for_function("window.over")
        assert page.inner_text("pre:last-child") == "".join(f"{number} " for number in range(1, 21))
        assert page.evaluate("window.seen") == numbered(20)
        page.close()


def test_a_connection_that_is_cut(chromium: Any) -> None:
    """The browser comes back behind the last message that it had: the page sees each event once, and one run ran."""
    agent = TalkingAgent(0.02)
    server = AgentServer(agent, allow_unauthenticated=True, linger_s=20, retry_ms=50)
    with serve(server.app) as served, relay(int(served.url.rpartition(":")[2])) as joint:
        joint.cut_when = lambda passed: b"event: model_chunk" in passed and passed.count(b"model_chunk") > 20
        page = opened(chromium, f"http://127.0.0.1:{joint.port}")
        page.evaluate(LISTEN, ["/stream?prompt=60", NAMES])
        page.wait_for_function("window.over")
        assert joint.cuts >= 2
        assert page.evaluate("window.seen") == numbered(60)
        assert agent.runs == 1
        page.close()


def test_a_server_that_is_restarted(chromium: Any, tmp_path: Path) -> None:
    """The run ends while the page is away and the server is killed: another server tells the rest, each event once."""
    with ExitStack() as stack:
        process, port = stack.enter_context(
            running(str(tmp_path), pause_s=0.005, on_leave="finish", retry_ms=50, ticket_ttl_s=60)
        )
        joint = stack.enter_context(relay(port))

        def replace() -> None:
            joint.target = 1
            threading.Thread(target=restart, daemon=True).start()

        def restart() -> None:
            await_file(tmp_path, "*.jsonl")
            process.kill()
            process.wait()
            joint.target = stack.enter_context(running(str(tmp_path), retry_ms=50))[1]

        joint.cut_when = lambda passed: joint.cuts == 0 and passed.count(b"event: model_chunk") > 10
        joint.on_cut = replace
        page = opened(chromium, f"http://127.0.0.1:{joint.port}")
        page.evaluate(LISTEN, ["/stream?prompt=100", NAMES])
        page.wait_for_function("window.over")
        assert joint.cuts == 1
        assert page.evaluate("window.seen") == numbered(100)
        page.close()


def test_a_server_that_is_killed_in_the_middle(chromium: Any, tmp_path: Path) -> None:
    """The page sees what was taped, each event once, and then that the run was cut off; it does not come back again."""
    with ExitStack() as stack:
        process, port = stack.enter_context(running(str(tmp_path), pause_s=0.02, retry_ms=50))
        joint = stack.enter_context(relay(port))

        def replace() -> None:
            process.kill()
            process.wait()
            joint.target = stack.enter_context(running(str(tmp_path), retry_ms=50))[1]

        joint.cut_when = lambda passed: joint.cuts == 0 and passed.count(b"event: model_chunk") > 10
        joint.on_cut = replace
        page = opened(chromium, f"http://127.0.0.1:{joint.port}")
        page.evaluate(LISTEN, ["/stream?prompt=5000", NAMES])
        page.wait_for_function("window.over")
        seen = page.evaluate("window.seen")
        assert seen == [*numbered(5000)[: len(seen) - 1], ["error", "end"]]
        assert len(seen) > 10
        page.close()


def test_a_page_that_never_closes_is_let_go(chromium: Any) -> None:
    """A page that does not close at `done` comes back once, gets 204, and stays away."""
    agent = TalkingAgent()
    with serve(AgentServer(agent, allow_unauthenticated=True, retry_ms=20).app) as served:
        page = opened(chromium, served.url)
        page.evaluate("url => { window.source = new EventSource(url) }", "/stream?prompt=1")
        page.wait_for_function("window.source.readyState === EventSource.CLOSED")
        assert agent.runs == 1
        page.close()


HOSTILE = [
    "<script>window.hurt = 1</script>",
    "</pre><img src=x onerror='window.hurt = 2'>",
    "\n\nevent: hurt\ndata: {}\n\n",
    "\r\rid: 9\rretry: 1\r\r",
    "data: x\x00\u2028\u2029\x1b[2J",
]


def test_hostile_text_runs_nothing(chromium: Any) -> None:
    """Text that looks like script, markup or messages arrives as text, under the names and ids of its own event."""

    async def run(prompt: str, **more: Any) -> AsyncIterator[AgentEvent]:
        for text in HOSTILE:
            yield chunk(text)
        yield terminate()

    with serve(AgentServer(FunctionAgent(run), allow_unauthenticated=True).app) as served:
        page = opened(chromium, served.url)
        page.evaluate(LISTEN, ["/stream?prompt=x", [*NAMES, "hurt", "message"]])
        page.wait_for_function("window.over")
        assert page.evaluate("window.seen") == numbered(len(HOSTILE))
        assert page.evaluate("document.querySelector('pre:last-child').textContent") == "".join(HOSTILE)
        assert page.evaluate("window.hurt === undefined")
        page.goto(f"{served.url}/stream?prompt=x")
        assert "window.hurt = 1" in page.inner_text("body")
        assert page.evaluate("window.hurt === undefined && document.scripts.length === 0")
        page.close()


@pytest.mark.parametrize(("origins", "seen"), [((), "refused"), (("http://localhost:{port}",), "done")])
def test_another_sites_page(chromium: Any, origins: tuple[str, ...], seen: str) -> None:
    """It gets nothing, and its request runs nothing, unless its origin is named."""
    agent = TalkingAgent()
    with serve(AgentServer(TalkingAgent(), allow_unauthenticated=True).app) as other:
        port = other.url.rpartition(":")[2]
        named = [origin.format(port=port) for origin in origins]
        with serve(AgentServer(agent, allow_unauthenticated=True, origins=named).app) as served:
            page = opened(chromium, f"http://localhost:{port}")
            script = """url => new Promise(resolve => {
              const source = new EventSource(url);
              source.addEventListener("done", () => { source.close(); resolve("done"); });
              source.onerror = () => { source.close(); resolve("refused"); };
            })"""
            assert page.evaluate(script, f"{served.url}/stream?prompt=1") == seen
            page.close()
    assert agent.runs == (seen == "done")


def await_file(folder: Path, pattern: str) -> None:
    """Return when there is such a file."""
    while not list(folder.glob(pattern)):
        threading.Event().wait(0.02)
