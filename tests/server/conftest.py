"""What the tests of the server share: a browser."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sse.test_chromium import ARGUMENTS, chromium_path, playwright_api


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Return a real Chromium, or skip."""
    path, api = chromium_path(), playwright_api()
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
