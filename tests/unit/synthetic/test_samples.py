from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from harmony_dash.synthetic.calibration import Comparison, calibrate, write_table
from harmony_dash.synthetic.layouts import LAYOUTS
from harmony_dash.synthetic.published import FIGURES
from harmony_dash.synthetic.samples import END, PATIENTS, SEED, START, write_readme
from harmony_dash.synthetic.sources import Delivery, write_sources

SAMPLES = Path(__file__).parents[3] / "data_samples"
MAX_BYTES = 4_000_000
# A different processor may round the last bit of an exponential another way and so move a patient or two.
SLACK = 0.3

pytestmark = pytest.mark.xdist_group("synthetic_samples")


@pytest.fixture(scope="module")
def comparisons() -> tuple[Comparison, ...]:
    return calibrate()


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> list[Delivery]:
    return write_sources(PATIENTS, SEED, tmp_path_factory.mktemp("samples"))


@pytest.mark.parametrize("number", range(len(FIGURES)), ids=[figure.name for figure in FIGURES])
def test_published_figure_is_met(number: int, comparisons: tuple[Comparison, ...]) -> None:
    comparison = comparisons[number]

    assert comparison.is_within, f"{comparison.figure.published} published, {comparison.generated:.2f} generated"


def test_many_figures_are_compared_and_each_has_a_source() -> None:
    assert len(FIGURES) >= 25
    assert all(figure.source and figure.tolerance > 0 for figure in FIGURES)
    assert len({figure.name for figure in FIGURES}) == len(FIGURES)


def test_main_survival_figures_are_within_about_two_points() -> None:
    trials = ("DCOG", "NOPHO ALL2008", "FRALLE", "EORTC", "AIEOP-BFM ALL", "CoALL", "GRAA")
    survival = ("5-y EFS", "5-y OS", "10-y EFS", "10-y OS")
    main = [figure for figure in FIGURES if figure.name.startswith(trials) and figure.name.endswith(survival)
            and "55-59" not in figure.name]

    assert len(main) >= 17
    assert max(figure.tolerance for figure in main) <= 2


def _rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()]


def test_the_calibration_table_of_the_readme_is_current(comparisons: tuple[Comparison, ...]) -> None:
    text = (SAMPLES / "README.md").read_text(encoding="utf-8")
    shown = _rows(text.split(START)[1].split(END)[0])
    current = _rows(write_table(comparisons))

    assert len(shown) == len(current)
    for was, now in zip(shown[2:], current[2:], strict=True):
        assert was[:2] + was[4:5] + was[6:] == now[:2] + now[4:5] + now[6:]
        assert abs(float(was[2].split()[0]) - float(now[2].split()[0])) <= SLACK


def test_the_rest_of_the_readme_is_current(deliveries: list[Delivery], comparisons: tuple[Comparison, ...]) -> None:
    shown = (SAMPLES / "README.md").read_text(encoding="utf-8").split("## Calibration")[0]

    assert shown == write_readme(deliveries, comparisons).split("## Calibration")[0]


def test_the_readme_says_that_everything_is_invented() -> None:
    text = (SAMPLES / "README.md").read_text(encoding="utf-8")

    assert "invented" in text
    assert "must not be used for any clinical" in text


def test_the_samples_are_what_the_generator_writes(deliveries: list[Delivery]) -> None:
    assert len(deliveries) == len(LAYOUTS)
    for delivery in deliveries:
        shown = SAMPLES / delivery.layout.source
        made = {path.name for path in delivery.folder.iterdir()}
        assert {path.name for path in shown.iterdir()} == made
        for name in made:
            _assert_same_file(shown / name, delivery.folder / name)


def _assert_same_file(shown: Path, made: Path) -> None:
    """Byte for byte, but for formats whose library writes its version into the file."""
    if made.suffix == ".parquet":
        pd.testing.assert_frame_equal(pd.read_parquet(shown), pd.read_parquet(made))
    elif made.suffix == ".xlsx":
        for sheet, frame in pd.read_excel(made, sheet_name=None).items():
            pd.testing.assert_frame_equal(pd.read_excel(shown, sheet_name=sheet), frame)
    else:
        assert shown.read_bytes() == made.read_bytes(), made.name


def test_the_samples_are_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < MAX_BYTES
