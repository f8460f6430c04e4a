"""What the export page exports: the curves of the survival page, or a table of the page of subgroups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

import streamlit as st

from harmony_dash.cohort.description_question import OutcomeMapQuestion, TableOneQuestion
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.services.export_answers import ExportQuestion
from harmony_dash.ui.components.subgroup_view import (
    Shown,
    SubgroupSettings,
    build_question,
    cohort_of,
    write_settings,
)
from harmony_dash.ui.components.survival_view import SurvivalView
from harmony_dash.ui.pins import pin

_KIND, _PARAMETER = "export.kind_chosen", "export"


class Exported(StrEnum):
    """Which page the export belongs to."""

    CURVES = "curves"
    TABLES = "tables"


_LABELS = {Exported.CURVES: "Curves", Exported.TABLES: "Tables of subgroups"}


def open_kind(linked: Mapping[str, str]) -> Exported:
    """What to export now: what a link just opened says, else the session's choice, else curves."""
    if linked:
        st.session_state[_KIND] = Exported.TABLES if linked.get(_PARAMETER) == Exported.TABLES else Exported.CURVES
    kind: Exported = st.session_state.get(_KIND, Exported.CURVES)
    return kind


def show_kind_control(kind: Exported) -> None:
    """The choice between both; it changes the session's."""
    key = "export.kind"
    pin(key, kind)

    def changed() -> None:
        st.session_state[_KIND] = Exported(st.session_state[key])

    st.segmented_control("What to export", list(Exported), key=key, required=True, label_visibility="collapsed",
                         format_func=lambda one: _LABELS[one], on_change=changed)


def link_parameters(settings: SubgroupSettings) -> dict[str, str]:
    """What a link to the export of a table holds besides the cohort."""
    return {_PARAMETER: Exported.TABLES.value, **write_settings(settings)}


def question_to_export(view: SurvivalView, settings: SubgroupSettings, dictionary: Dictionary) -> ExportQuestion:
    """The question behind the table that the settings show."""
    cohort = cohort_of(view.question)
    if settings.shown is Shown.MAP:
        return OutcomeMapQuestion(replace(cohort, by=settings.rows), settings.columns, settings.at_days)
    if settings.shown is Shown.CHARACTERISTICS:
        return TableOneQuestion(replace(cohort, by=settings.by or None), settings.variables)
    return build_question(view.question, settings, dictionary)
