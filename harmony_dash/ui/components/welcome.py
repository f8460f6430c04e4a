"""The home page's parts: what this release holds, which pages there are, how to read the numbers."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import user_can
from harmony_dash.charts.numbers import format_count
from harmony_dash.disclosure.release_info import DiseaseInfo, ReleaseInfo
from harmony_dash.ui.components.problem import show_empty
from harmony_dash.ui.components.text import escape_markdown
from harmony_dash.ui.registry import PageEntry

# What each page answers, in the words of somebody who has the question.
QUESTIONS = {
    "coverage": "Who is in the data: countries, trials, how complete the key variables are, how long patients were "
                "followed. And whether your question can be asked of them.",
    "survival": "How do patients like these do? Survival curves and cumulative incidences of any group you choose.",
    "subgroups": "Which biomarkers separate outcomes, and does a treatment work differently in them? Many variables in "
                 "one table, two of them in a map, and Table 1.",
    "what_if": "What if patients like these had been treated with less, or with more? An answer with what speaks "
               "for and against it, or the reason why these data have none.",
    "export": "Protected summaries as files that say where their numbers come from, and receipts of what was exported.",
    "data_quality": "What came in, what was refused and why, and whether it can be true: checks of every source, and "
                    "what changed since the last release.",
    "access": "Who may see what, until when and who approved it; and who saw what.",
    "account": "Your sessions, your password, two-step sign-in, and the grants you work under.",
}

HOW_TO_READ = """
- **Who is counted** stands in the title of every figure. The numbers beside the filter sign show how the cohort came
  about, step by step.
- **Groups are compared as they were treated.** Nobody was allocated to them at random here, so a difference between
  two groups is not the effect of a treatment.
- **"<10"** is a number too small to show, and **"hidden"** one that would give a small number away. All others are
  rounded to five, each by itself, so they may not add up. The same question always gives the same numbers.
- **Curves** are read every quarter of a year and rounded to about five patients. A group needs 30 patients and 10
  events to be drawn, and its curve ends where fewer than 10 patients are still followed.
- **A dagger (†)** marks a group that answers a slightly different question, because a filter would tell too much about
  the few it changes. The note over the figure says which filter.
- **"Not tested", "failed" and "negative"** are three different things and are never merged.
- **A value that becomes known later**, such as MRD, moves the start of the curve to the day it is known. The page
  says so.
"""


def show_release(info: ReleaseInfo) -> None:
    """Diseases, patients, countries and sources of the release."""
    if not info.diseases:
        show_empty("This release holds no patients yet", "A data manager can publish a snapshot.")
        return
    for disease in info.diseases.values():
        with st.container(border=True):
            st.markdown(f"**{escape_markdown(disease.label)}**")
            with st.container(horizontal=True, gap="large"):
                for label, value in build_disease_numbers(disease):
                    st.metric(label, value, width="content")


def build_disease_numbers(disease: DiseaseInfo) -> list[tuple[str, str]]:
    """The headline numbers of one disease."""
    return [("Patients", format_count(disease.n)), ("Countries", str(disease.countries)),
            ("Sources", str(disease.sources))]


def choose_pages(actor: Actor, pages: Sequence[PageEntry]) -> list[PageEntry]:
    """The pages this person may open, without the one they are on."""
    return [page for page in pages if not page.is_start and user_can(actor, page.permission)]


def show_pages(actor: Actor, pages: Sequence[PageEntry]) -> None:
    """A link and a sentence for each page of this role, two in a row."""
    chosen = choose_pages(actor, pages)
    for start in range(0, len(chosen), 2):
        for column, page in zip(st.columns(2), chosen[start:start + 2], strict=False):
            with column, st.container(border=True, height="stretch"):
                st.page_link(page.file, label=f"**{page.title}**", icon=page.icon)
                st.caption(QUESTIONS.get(page.url_path, ""))


def show_snapshot(info: ReleaseInfo) -> None:
    """Whether the release is about anybody."""
    if info.synthetic:
        st.info("All patients in this release are synthetic: they were made by a generator. Use it to learn the "
                "dashboard; draw no conclusion about patients from it.", icon=":material/science:")
