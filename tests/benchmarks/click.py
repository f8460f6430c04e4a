"""From a click to the redrawn curve in Chromium, on the sample data; and what travels for it."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from harmony_dash.access.actor import Role
from harmony_dash.cli import main as run_command
from harmony_dash.ui.session import SESSION_COOKIE
from tests.browser.conftest import _ARGUMENTS, _CHROMIUM
from tests.security.server import PROJECT_ROOT, start_server

# Group by, again and again: each choice is a new question with new curves.
CHOICES = ("Sex", "Age group", "NCI risk group", "Cytogenetic risk group", "White cell count group")

_WATCH = """() => {
    window.clicked = window.drawn = 0;
    document.addEventListener('click', () => { window.clicked = performance.now(); }, true);
    new MutationObserver(changes => {
        if (changes.some(change => change.target.closest?.('.js-plotly-plot .scatterlayer')))
            window.drawn = performance.now();
    }).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""


def measure(rounds: int = 6) -> tuple[float, float, float]:
    """Median and 90th percentile in milliseconds, and median kilobytes received, of one change."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "data" / "store"
        samples = [str(path.parent) for path in sorted((PROJECT_ROOT / "data_samples").glob("*/source.yaml"))]
        run_command(["ingest", *samples, "--store", str(store)])
        with start_server(Path(folder) / "data") as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS)
            context = browser.new_context(viewport={"width": 1400, "height": 1000})
            context.add_cookies([{"name": SESSION_COOKIE, "value": server.open_session(Role.CLINICIAN),
                                  "url": server.url}])
            page = context.new_page()
            received: list[int] = []
            page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))))
            page.goto(f"{server.url}/survival")
            page.locator(".js-plotly-plot").first.wait_for(timeout=60_000)
            page.wait_for_timeout(2000)
            page.evaluate(_WATCH)
            times, sizes = [], []
            for number in range(rounds * len(CHOICES)):
                before = len(received)
                times.append(_choose(page, CHOICES[number % len(CHOICES)]))
                sizes.append(sum(received[before:]) / 1000)
            browser.close()
    warm = times[len(CHOICES):]
    return statistics.median(warm), statistics.quantiles(warm, n=10)[-1], statistics.median(sizes[len(CHOICES):])


def _choose(page: Page, choice: str) -> float:
    """Choose what to group by and return the milliseconds until the figure was drawn anew."""
    page.get_by_label("Group by").first.click()
    page.get_by_role("option", name=choice, exact=True).click()
    # The content policy forbids evaluated strings in the page, so the waiting is done from here.
    for _ in range(100):
        page.wait_for_timeout(200)
        elapsed: float = page.evaluate("() => window.drawn - window.clicked")
        if elapsed > 0:
            page.wait_for_timeout(700)
            return elapsed
    raise TimeoutError(f"the figure was not redrawn after choosing {choice}")
