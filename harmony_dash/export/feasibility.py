"""Whether a question can be asked, ready to be written: the released counts of the page."""

from __future__ import annotations

from dataclasses import replace

from harmony_dash.charts.feasibility import name_country_count
from harmony_dash.charts.flow import ALL_BUT_FEW, name_stage
from harmony_dash.charts.numbers import NOTHING, format_part
from harmony_dash.cohort.planned import PlannedQuestion
from harmony_dash.disclosure.feasibility_results import FeasibilityResult, SourceFlow, Stage
from harmony_dash.disclosure.released import Released
from harmony_dash.export.summary import Column, Display, Kind, Summary, Table

_NO_ANSWER, _DIFFERS = "no answer", "answers a slightly different question"
_STAGES = {"registered": "rows the source sent, refused ones included", "accepted": "patients accepted at ingest",
           "followed": "patients followed for the endpoint", "counted": "patients counted in the end"}


def summarise_feasibility(released: Released[FeasibilityResult]) -> Summary:
    """How many patients a question has, where they are, and what it loses the others by."""
    result, minimum = released.value, released.scope.rules.minimum_cell
    # By country, as the trail has it.
    planned = PlannedQuestion(replace(result.question, by="country"), result.known)
    steps = (*result.steps, result.not_followed)
    return Summary(
        kind="feasibility", title=result.title, question=planned.question.to_json() | {"known": list(result.known)},
        question_json=f"{planned.question.canonical_json} known {' '.join(sorted(set(result.known)))}".strip(),
        fingerprint=planned.fingerprint, snapshot=result.snapshot, synthetic=result.synthetic, scope=released.scope,
        n=result.n, text=result.reason or f"Patients counted: {format_part(result.n)}.", methods=result.methods,
        notes=result.notes, not_applied=tuple(one.words for one in result.not_applied),
        tables=(_steps(result), _countries(result), _losses(result), _sources(result)),
        displays=(
            Display("How the patients came about", ("Step", "Removed", "Left"), tuple(
                (one.label, format_part(one.removed) if place else NOTHING, format_part(one.n))
                for place, one in enumerate(steps))),
            Display("Where they are", ("Country", "Patients"), tuple(
                (one.country, name_country_count(one, minimum)) for one in result.by_country)),
            Display("What loses patients", ("Not known", "In all", "While all else is"), (
                *((one.label, format_part(one.lacking), format_part(one.only)) for one in result.losses),
                *((" and ".join(one.labels), NOTHING, format_part(one.n)) for one in result.joint))),
            Display("Which sources they come from",
                    ("Source", "Registered", "Accepted", "Followed for the endpoint", "Counted"),
                    tuple((one.title, *map(name_stage, _stages(one))) for one in result.sources))))


def _steps(result: FeasibilityResult) -> Table:
    columns = (Column("step", Kind.TEXT, "what is asked for"),
               Column("removed", Kind.COUNT, "patients it takes away"),
               Column("left", Kind.COUNT, "patients left after it"))
    return Table("steps", "How the patients came about", columns, tuple(
        (one.label, one.removed, one.n) for one in (*result.steps, result.not_followed)))


def _countries(result: FeasibilityResult) -> Table:
    columns = (Column("country", Kind.TEXT, "ISO 3166 code of the country"), Column("patients", Kind.COUNT, "patients"),
               Column("note", Kind.TEXT, "why there is no number, or in what it differs"))
    return Table("countries", "Where they are", columns, tuple(
        (one.country, one.n if one.answered else None,
         _NO_ANSWER if not one.answered else _DIFFERS if one.differs and one.n is not None else "")
        for one in result.by_country))


def _losses(result: FeasibilityResult) -> Table:
    columns = (Column("not_known", Kind.TEXT, "the variable, or variables, not known"),
               Column("in_all", Kind.COUNT, "patients who meet every filter and of whom it is not known"),
               Column("only", Kind.COUNT, "those of them of whom all else is known"))
    return Table("losses", "What loses patients", columns, (
        *((one.label, one.lacking, one.only) for one in result.losses),
        *((" and ".join(one.labels), None, one.n) for one in result.joint)))


def _sources(result: FeasibilityResult) -> Table:
    columns = (Column("source", Kind.TEXT, "name of the source"), Column("title", Kind.TEXT, "it in words"),
               *(Column(name, Kind.COUNT, words) for name, words in _STAGES.items()),
               Column("note", Kind.TEXT, "stages that all but a few reach, and answers that differ"))
    return Table("sources", "Which sources they come from", columns, tuple(
        (one.source, one.title, *(None if stage is None else stage.n for stage in _stages(one)), _note(one))
        for one in result.sources))


def _note(one: SourceFlow) -> str:
    parts = [f"{name}: {ALL_BUT_FEW}" for name, stage in zip(_STAGES, _stages(one), strict=True)
             if stage is not None and stage.nearly_all]
    return "; ".join([*parts, *([_DIFFERS] if one.differs else [])])


def _stages(one: SourceFlow) -> tuple[Stage | None, ...]:
    return one.registered, one.accepted, one.with_endpoint, one.counted
