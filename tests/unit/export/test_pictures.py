"""The printed figure: the same numbers and colours as on the screen, on paper."""

from __future__ import annotations

import io
from xml.etree import ElementTree

import pytest
from PIL import Image

from harmony_dash.charts.numbers import TimeUnit
from harmony_dash.charts.palette import LIGHT
from harmony_dash.charts.survival.frame import MOST_CURVES
from harmony_dash.disclosure.headline import headline_curve
from harmony_dash.export.files import Format
from harmony_dash.export.pictures import PNG_DPI
from harmony_dash.export.print_frame import build_frame
from harmony_dash.export.print_survival import WIDTH, draw_survival
from tests.unit.charts.factories import Level, endpoint_named, make_group, make_result, release_for_test
from tests.unit.export.samples import OCCASION, contents, evil_sample, export, sample

PICTURES = (Format.SVG, Format.PNG, Format.PDF)


def words_in(endpoint: str = "efs", *, count: int = 3, all_causes: bool = False) -> list[str]:
    released = release_for_test(make_result(endpoint=endpoint, count=count, quarterly=True), Level.PROTECTED)
    figure = draw_survival(released, ["the methods", "the receipt"], time_unit=TimeUnit.YEARS, all_causes=all_causes)
    found = [text.get_text() for text in figure.texts]
    return found + [text.get_text() for axes in figure.axes for text in axes.texts]


def test_the_figure_has_the_question_as_title_and_the_footer_under_it() -> None:
    words = words_in()
    title = release_for_test(make_result(quarterly=True), Level.PROTECTED).value.title
    assert words[0].replace("\n", " ") == title
    assert "the methods\nthe receipt" in words


def test_groups_are_named_at_their_curves_with_the_estimate_read_off() -> None:
    words = words_in()
    released = make_result(quarterly=True)
    for group in released.groups:
        assert group.name in [word.replace("\n", " ") for word in words]
    assert sum("at 5 years" in word for word in words) == 3
    assert {"At risk", "Events", "Censored"} <= set(words)


def test_curves_have_the_colours_and_heights_of_the_screen() -> None:
    released = release_for_test(make_result(quarterly=True), Level.PROTECTED)
    figure = draw_survival(released, [], time_unit=TimeUnit.YEARS, all_causes=False)
    lines = [line for line in figure.axes[0].get_lines() if len(line.get_xdata()) > 2]
    assert [line.get_color() for line in lines] == list(LIGHT.marks[:3])
    for line, group in zip(lines, released.value.groups, strict=True):
        curve = headline_curve(group, endpoint_named("efs"))
        assert curve is not None
        assert list(line.get_ydata()) == pytest.approx(curve.estimate)


def test_competing_causes_can_stand_side_by_side() -> None:
    words = words_in("relapse", all_causes=True)
    assert {"Relapse", "Death in remission", "Second malignancy"} <= set(words)
    assert "All events" in words


def test_the_printed_figure_reads_off_no_more_digits_than_the_page() -> None:
    small = make_group("good risk", "good", final=0.59, n=185, quarterly=True)
    released = release_for_test(make_result([small], quarterly=True), Level.PROTECTED)
    figure = draw_survival(released, [], time_unit=TimeUnit.YEARS, all_causes=False)
    assert [text.get_text() for text in figure.texts if "at 5 years" in text.get_text()] == ["64 % at 5 years"]


def test_more_groups_than_colours_become_small_multiples() -> None:
    count = MOST_CURVES + 2
    released = release_for_test(make_result(count=count, quarterly=True), Level.PROTECTED)
    frame = build_frame(released, TimeUnit.YEARS, all_causes=False)
    assert frame.faceted
    assert len(frame.panels) == count
    assert len(draw_survival(released, [], time_unit=TimeUnit.YEARS, all_causes=False).axes) == count


@pytest.mark.parametrize("unit", TimeUnit)
@pytest.mark.parametrize("endpoint", ["os", "relapse_1km", "trm"])
def test_every_unit_and_endpoint_can_be_drawn(unit: TimeUnit, endpoint: str) -> None:
    released = release_for_test(make_result(endpoint=endpoint, quarterly=True), Level.PROTECTED)
    figure = draw_survival(released, ["footer"], time_unit=unit, all_causes=True)
    assert figure.get_size_inches()[0] == pytest.approx(WIDTH)
    assert figure.axes[0].get_xlabel().startswith(unit.value.capitalize())


def test_a_picture_is_a_full_text_width_wide_and_has_300_dots_an_inch() -> None:
    image = Image.open(io.BytesIO(contents(export(sample(), [Format.PNG]))["figure.png"]))
    assert image.width == pytest.approx(180 / 25.4 * PNG_DPI, abs=1)
    assert image.info["dpi"] == pytest.approx((PNG_DPI, PNG_DPI), abs=0.1)
    assert OCCASION.receipt in image.info["Description"]


def test_letters_are_drawn_or_embedded_and_no_file_asks_for_another() -> None:
    files = contents(export(sample(), PICTURES))
    svg = ElementTree.fromstring(files["figure.svg"])
    assert not [element for element in svg.iter() if element.tag.endswith(("}text", "}image", "}script"))]
    links = {value for element in svg.iter() for name, value in element.attrib.items() if name.endswith("href")}
    assert all(link.startswith("#") for link in links)
    pdf = files["figure.pdf"]
    assert pdf.count(b"/FontFile2") == pdf.count(b"/Type /FontDescriptor") > 0
    assert b"/CreationDate" not in pdf


def test_words_of_a_label_are_drawn_as_they_are() -> None:
    """A dollar sign begins a formula in matplotlib, and this one could not be set."""
    files = contents(export(evil_sample(), PICTURES))
    ElementTree.fromstring(files["figure.svg"])
    assert b"<img" not in files["figure.svg"]
