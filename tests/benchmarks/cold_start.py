"""From `streamlit run app.py` beside a filled store to the sign-in page in Chromium.

    python -m tests.benchmarks.cold_start

The browser is running already, and asks as soon as the server answers. The accounts were made by an earlier start, so
that nobody's first password is hashed meanwhile.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import _ARGUMENTS, _CHROMIUM
from tests.factories import make_store
from tests.security.server import start_server

_LONGEST = 60_000


@dataclass(frozen=True)
class ColdStart:
    """Medians in seconds from the start of the process.

    Attributes
    ----------
    answers : until the server answers a request.
    shown : until the sign-in form, and the demonstration accounts below it, can be seen.
    """

    starts: int
    answers: float
    shown: float

    @property
    def words(self) -> str:
        """One sentence for the table."""
        return (f"From starting the server beside a filled store to the sign-in page in Chromium: {self.shown:.1f} s, "
                f"of which {self.answers:.1f} s until it answers (median of {self.starts} starts).")


def measure(starts: int = 5) -> ColdStart:
    """Start it again and again, each time in a new process and for a new browser profile."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        data = Path(folder) / "data"
        make_store(data / "store", 2_000).close()
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS)
        _start(data, browser)
        times = [_start(data, browser) for _ in range(starts)]
        browser.close()
    answers, shown = (statistics.median(column) for column in zip(*times, strict=True))
    return ColdStart(starts, answers, shown)


def _start(data: Path, browser: Browser) -> tuple[float, float]:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    begun = time.perf_counter()
    with start_server(data, with_accounts=False) as server:
        answers = time.perf_counter() - begun
        page.goto(server.url)
        page.get_by_label("Password", exact=True).wait_for(timeout=_LONGEST)
        page.get_by_text("Demonstration accounts").wait_for(timeout=_LONGEST)
        shown = time.perf_counter() - begun
        context.close()
    return answers, shown


if __name__ == "__main__":
    print(measure().words)
