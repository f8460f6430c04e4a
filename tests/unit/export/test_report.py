"""The report opens offline, shows everything, and lets no word of the data become markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from harmony_dash.export.files import Format
from harmony_dash.export.kinds import Looks, summarise
from harmony_dash.export.provenance import describe_provenance
from harmony_dash.export.report import write_report
from tests.unit.export.samples import EVIL, OCCASION, contents, evil_sample, export, sample


class Reader(HTMLParser):
    """Collects the tags, the addresses and the words of a page."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.words: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("\n".join(self.words).split())


def report(released: object = None) -> bytes:
    return contents(export(released or sample(), [Format.HTML]))["report.html"]  # type: ignore[arg-type]


def test_the_report_says_what_was_asked_seen_and_done() -> None:
    result, page = sample().value, Reader(report())
    for words in (result.title, result.summary, result.methods, *result.notes, "Key numbers", "Comparisons",
                  "Numbers at risk", "How the cohort came about", "Synthetic data", OCCASION.receipt, "few patients",
                  "Stefan Steer", "k = 10"):
        assert words in page.text, words
    assert page.tags.count("svg") == 1


def test_the_report_asks_for_nothing_from_elsewhere() -> None:
    page = report()
    assert all(address.startswith("#") for address in Reader(page).addresses)
    assert not re.search(rb"url\((?!#)|@import", page)
    assert b"default-src 'none'" in page
    assert not {"script", "iframe", "img", "link", "form", "object"} & set(Reader(page).tags)


def test_no_word_of_the_data_becomes_markup_or_a_template() -> None:
    page = report(evil_sample())
    assert "img" not in Reader(page).tags
    assert " ".join(EVIL.split()) in Reader(page).text
    assert "{{ 7*7 }}" in Reader(page).text


@pytest.mark.parametrize(("height", "is_tall"), [(100, False), (200, True)])
def test_a_tall_figure_has_a_page_of_its_own(height: int, is_tall: bool) -> None:
    summary = summarise(sample(), Looks())
    figure = f'<svg viewBox="0 0 100 {height}"></svg>'.encode()
    page = write_report(summary, describe_provenance(summary, OCCASION), OCCASION, figure)
    assert (b'class="tall"' in page) is is_tall
