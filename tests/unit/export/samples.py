"""Exports of made-up results, for the tests of every format."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache
from io import BytesIO

from harmony_dash.charts.numbers import TimeUnit
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import SurvivalResult, Unapplied, WithheldGroup
from harmony_dash.export.files import Bundle, Format, write_files
from harmony_dash.export.kinds import Looks
from harmony_dash.export.provenance import Occasion, SourceNote
from tests.factories import NOW
from tests.unit.charts.factories import Level, make_result, release_for_test

OCCASION = Occasion("E-20261121-7KQ3MF0X", NOW, "stefan", "Stefan Steer", "steering", "0.1.0",
                    (SourceNote("example", "Synthetic: example", "P", "CC0-1.0", True),))
EVIL = "=HYPERLINK(\"http://evil.example\") <img src=x onerror=alert(1)> $\\frac{1}{0}$ {{ 7*7 }}"


def sample(**changes: object) -> Released[SurvivalResult]:
    """A protected result of three groups, one withheld."""
    result = make_result(quarterly=True, withheld=[WithheldGroup({"cyto_group": "x"}, "high risk", "few patients")],
                         notes=["The filter 'sex: Female' changes fewer than 10 patients and was not applied."])
    result = replace(result, not_applied=(Unapplied("sex: Female", {}, "not applied"),),
                     compared=tuple(group.name for group in result.groups))
    return release_for_test(replace(result, **changes), Level.PROTECTED)  # type: ignore[arg-type]


def evil_sample() -> Released[SurvivalResult]:
    """A result whose words come from somebody who means harm."""
    result = sample().value
    groups = (replace(result.groups[0], name=EVIL, label={"cyto_group": "@cmd"}), *result.groups[1:])
    return sample(groups=groups, title=EVIL, notes=(EVIL,), summary=EVIL,
                  pairwise=((EVIL, "-2+3", 0.1, 0.2),))


def export(released: Released[SurvivalResult], formats: Collection[Format] = tuple(Format), *,
           unit: TimeUnit = TimeUnit.YEARS, all_causes: bool = False) -> Bundle:
    return write_files(released, OCCASION, formats, Looks(unit, all_causes), stem="stem")


@cache
def export_of_sample() -> Bundle:
    """The sample in every format; the pictures take a second."""
    return export(sample())


def contents(bundle: Bundle) -> Mapping[str, bytes]:
    return {file.name: file.content for file in bundle.files}


def unzip(content: bytes) -> Mapping[str, bytes]:
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
