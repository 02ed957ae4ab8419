"""The page of the example `live_page` in a real Chromium: it shows a run as it comes, and runs nothing of it."""

from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from playhead.provider.serving import serve
from tests.sse.test_chromium import ARGUMENTS, chromium_path, playwright_api

# These tests share a browser: parallel workers must not start one each.
pytestmark = pytest.mark.xdist_group("chromium")

APP = Path(__file__).parents[2] / "examples" / "live_page" / "app.py"
PATIENCE_MS = 90_000
"""How long a browser may take on a busy machine."""

OVER = "document.querySelector('button').disabled === false"
WATCH = """
() => {
  window.seen = [];
  const look = () => {
    const texts = [...document.querySelectorAll(".text")].map((item) => item.textContent);
    const running = document.querySelectorAll(".running").length;
    window.seen.push([texts.join("|"), running]);
  };
  const all = {childList: true, characterData: true, subtree: true};
  new MutationObserver(look).observe(document.querySelector("ol"), all);
}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path, api = chromium_path(), playwright_api()
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS, timeout=PATIENCE_MS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def app() -> Any:
    spec = spec_from_file_location("live_page_app", APP)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.app


def opened(browser: Any, url: str) -> Any:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    return page


def ask(page: Any, city: str) -> None:
    page.fill("input", city)
    page.click("button")


def test_a_run_is_shown_as_it_comes(app: Any, browser: Any) -> None:
    """Text grows piece by piece, both tools are seen at work at once, and the end is told."""
    with serve(app) as served:
        page = opened(browser, served.url)
        page.evaluate(WATCH)
        ask(page, "Lisbon")
        assert page.is_disabled("button")
        page.wait_for_function(OVER)
        seen = page.evaluate("window.seen")
        look, advice = page.locator(".text").all_inner_texts()
        calls = page.locator(".tool code").all_inner_texts()
        told = page.locator(".tool .told").all_inner_texts()
        status = page.inner_text("footer")
        page.close()
    assert look == "I will look at the weather and the trains."
    assert advice == "Yes. Lisbon has 21 °C and clear tomorrow.\nThe night train leaves at 21:43 from platform 4."
    assert (sorted(calls), sorted(told)) == (
        ['trains("Lisbon")', 'weather("Lisbon")'],
        ["21 °C and clear", "Lisbon: 21:43, platform 4"],
    )
    assert status == "complete: 2 steps, 2 tool calls"
    texts = [text for text, _ in seen]
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert len(set(texts)) > 15
    assert {running for _, running in seen} >= {0, 1, 2}


def test_what_a_run_says_is_text(app: Any, browser: Any) -> None:
    """Markup out of a run is shown as it is written: no element is made of it, and no script runs."""
    hostile = "<img src=x onerror='window.ran = 1'></li><script>window.ran = 1</script>"
    with serve(app) as served:
        page = opened(browser, served.url)
        ask(page, hostile)
        page.wait_for_function(OVER)
        failed = page.inner_text(".failed .told")
        found = page.evaluate("[window.ran, document.querySelectorAll('img, li script').length]")
        page.close()
    assert failed == f"LookupError: no forecast for {hostile}"
    assert found == [None, 0]


def test_a_connection_that_breaks(app: Any, browser: Any) -> None:
    """The page says so, shows nothing as if it were still at work, and lets its user ask again."""
    with serve(app) as served:
        page = opened(browser, served.url)
        ask(page, "Lisbon")
        page.wait_for_selector(".running")
    page.wait_for_function(OVER)
    assert page.inner_text("footer") == "The connection broke."
    assert page.locator(".running, .live").count() == 0
    page.close()
    with serve(app) as served:
        page = opened(browser, served.url)
        for city in "Bergen", "Lisbon":
            ask(page, city)
            page.wait_for_function(OVER)
            assert page.locator(".text").nth(1).inner_text().startswith(f"Yes. {city} has")
        page.close()
