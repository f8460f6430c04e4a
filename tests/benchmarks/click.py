"""From a click to the redrawn curve in Chromium, and what travels for it.

    python -m tests.benchmarks.click            on the sample data
    python -m tests.benchmarks.click 100000     on that many patients

Every click asks a question that nobody has asked before, so that no answer is remembered.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, sync_playwright

from harmony_dash.access.actor import Role
from harmony_dash.cli import main as run_command
from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.ui.components.survival_view import SurvivalView, write_link
from harmony_dash.ui.session import SESSION_COOKIE
from tests.benchmarks.stores import real_store
from tests.browser.conftest import _ARGUMENTS, _CHROMIUM
from tests.security.server import PROJECT_ROOT, start_server

# Group by, again and again: each choice is a new question with new curves.
CHOICES = ("Sex", "Age group", "NCI risk group", "Cytogenetic risk group", "White cell count group")
# One a round; the first is not counted, because it warms up the browser.
ROUNDS = tuple((endpoint, horizon) for horizon in (None, 1826) for endpoint in ("efs", "os", "rfs"))
CHILDREN = parse_filter("age_group=1-9,10-17")  # the page's own first view

_WATCH = """() => {
    window.clicked = window.drawn = 0;
    document.addEventListener('click', () => { window.clicked = performance.now(); }, true);
    new MutationObserver(changes => {
        if (changes.some(change => change.target.closest?.('.js-plotly-plot .scatterlayer')))
            window.drawn = performance.now();
    }).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""


@dataclass(frozen=True)
class Clicks:
    """Milliseconds from the click to the last change of the figure, and kilobytes received for it (median)."""

    median: float
    ninth: float
    kilobytes: float

    @property
    def words(self) -> str:
        """One sentence."""
        return (f"Click to redrawn curve in Chromium: median {self.median:.0f} ms, 90th percentile {self.ninth:.0f} "
                f"ms; {self.kilobytes:.0f} kB travel for it.")


def measure(patients: int = 0) -> Clicks:
    """Time the clicks of all rounds but the first.

    Parameters
    ----------
    patients : of a store from the generator; 0 for the sample data.
    """
    with tempfile.TemporaryDirectory() as folder:
        store = real_store(patients).folder if patients else _sample_store(Path(folder) / "samples")
        data = Path(folder) / "data"
        with start_server(data, environment={"HARMONY_STORE": str(store)}) as server, _browse() as page:
            page.context.add_cookies([{"name": SESSION_COOKIE, "value": server.open_session(Role.CLINICIAN),
                                       "url": server.url}])
            received: list[int] = []
            page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))))
            times, sizes = [], []
            for endpoint, horizon in ROUNDS:
                view = SurvivalView(Question("ALL", endpoint, (CHILDREN,), horizon_days=horizon))
                page.goto(f"{server.url}/survival?{urlencode(write_link(view))}")
                page.locator(".js-plotly-plot").first.wait_for(timeout=60_000)
                page.wait_for_timeout(2000)
                page.evaluate(_WATCH)
                for choice in CHOICES:
                    before = len(received)
                    times.append(_choose(page, choice))
                    sizes.append(sum(received[before:]) / 1000)
    warm, travelled = times[len(CHOICES):], sizes[len(CHOICES):]
    return Clicks(statistics.median(warm), statistics.quantiles(warm, n=10)[-1], statistics.median(travelled))


def _sample_store(store: Path) -> Path:
    samples = [str(path.parent) for path in sorted((PROJECT_ROOT / "data_samples").glob("*/source.yaml"))]
    run_command(["ingest", *samples, "--store", str(store)])
    return store


@contextmanager
def _browse() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS)
        yield browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
        browser.close()


def _choose(page: Page, choice: str) -> float:
    """Choose what to group by and return the milliseconds until the figure was drawn anew."""
    page.get_by_label("Group by").first.click()
    page.get_by_role("option", name=choice, exact=True).click()
    # The content policy forbids evaluated strings in the page, so the waiting is done from here.
    for _ in range(300):
        page.wait_for_timeout(200)
        elapsed: float = page.evaluate("() => window.drawn - window.clicked")
        if elapsed > 0:
            page.wait_for_timeout(700)
            return elapsed
    raise TimeoutError(f"the figure was not redrawn after choosing {choice}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.click")
    parser.add_argument("patients", type=int, nargs="?", default=0)
    print(measure(parser.parse_args().patients).words)
