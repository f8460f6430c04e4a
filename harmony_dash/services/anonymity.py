"""Whether the patients of a source are anonymous enough to be taken in, and what to say if they are not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from harmony_dash.dictionary import Dictionary, Variable
from harmony_dash.dictionary.quasi_identifiers import quasi_identifiers
from harmony_dash.disclosure.anonymity import Grain, Limits, SourceAnonymity
from harmony_dash.store.writer import SnapshotWriter

# A message names so many classes of a grain; all of them are in the report.
_NAMED = 6


@dataclass(frozen=True)
class SmallClass:
    """A combination of categories with few patients; how few is not said.

    Attributes
    ----------
    values : variable to its code, None where it is not recorded.
    fewer_than : an upper bound of the number of patients.
    """

    values: Mapping[str, str | None]
    fewer_than: int


@dataclass(frozen=True)
class AnonymityReport:
    """How anonymous the patients of a source are, and whether that is enough.

    Attributes
    ----------
    figures : exact, for whoever takes sources in.
    limits : the limits of the deployment.
    limited : whether they apply. Synthetic and published patients need no protection: they are measured, not refused.
    exceeding : the accepted grains that exceed the limits.
    small_classes : the combinations of these grains that cause the excess; none for a source that is taken in.
    """

    figures: SourceAnonymity
    limits: Limits
    limited: bool
    exceeding: tuple[Grain, ...] = ()
    small_classes: tuple[SmallClass, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the source must not be published."""
        return self.limited and bool(self.exceeding)


def report_anonymity(writer: SnapshotWriter, dictionary: Dictionary, limits: Limits) -> dict[str, AnonymityReport]:
    """A report on every source the writer was handed."""
    measured = writer.measure_anonymity()
    reports = {}
    for record in writer.sources:
        figures = measured[record.source]
        report = AnonymityReport(figures, limits, limited=record.synthetic not in ("true", "public"), exceeding=tuple(
            grain for grain in figures.accepted if limits.are_exceeded(grain.risk)))
        if report.refused:
            report = replace(report, small_classes=tuple(
                small for grain in report.exceeding
                for small in _small_classes(writer, record.source, grain, limits.few, dictionary)))
        reports[record.source] = report
    return reports


def _small_classes(writer: SnapshotWriter, source: str, grain: Grain, few: int,
                   dictionary: Dictionary) -> list[SmallClass]:
    found = [SmallClass(dict(zip(grain.by, values, strict=True)), few)
             for values in writer.fetch_small_classes(source, grain.by, few)]
    # In the order of the dictionary, so that the order does not tell the smallest.
    return sorted(found, key=lambda small: [_place(dictionary[name], code) for name, code in small.values.items()])


def _place(variable: Variable, code: str | None) -> tuple[int, str]:
    if code is None:
        return len(variable.values) + 1, ""
    codes = list(variable.values)
    return (codes.index(code) if code in codes else len(codes)), code


# -- words ------------------------------------------------------------------------------------------------------------


def describe_excess(report: AnonymityReport, dictionary: Dictionary) -> str:
    """Which limit is exceeded by how much, and the classes that cause it: categories and no numbers of patients."""
    sentences = []
    for grain in report.exceeding:
        classes = [small for small in report.small_classes if tuple(small.values) == grain.by]
        named = "; ".join(_words(small, dictionary) for small in classes[:_NAMED])
        more = f"; and {len(classes) - _NAMED} more such groups" if len(classes) > _NAMED else ""
        by = _listed([dictionary[name].label.lower() for name in grain.by])
        sentences.append(f"{by} {_figures(grain, report.limits)}; fewer than {report.limits.few} patients each are "
                         f"in: {named}{more}")
    return f"by {'. By '.join(sentences)}"


def _figures(grain: Grain, limits: Limits) -> str:
    parts = []
    if grain.risk.mean_risk > limits.mean_risk:
        parts.append(f"the mean risk is {grain.risk.mean_risk:.3g} (at most {limits.mean_risk:g})")
    if grain.risk.share_unique > limits.share_unique:
        parts.append(f"the share of patients who are like nobody else is {grain.risk.share_unique:.3g} "
                     f"(at most {limits.share_unique:g})")
    return _listed(parts)


def _words(small: SmallClass, dictionary: Dictionary) -> str:
    return ", ".join(f"{dictionary[name].label.lower()} not recorded" if code is None
                     else dictionary[name].label_of(code) for name, code in small.values.items())


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def describe_remedy(reports: Iterable[AnonymityReport], dictionary: Dictionary) -> str:
    """What providers can leave out, and which limits a committee can raise."""
    exceeding = [(report.limits, grain) for report in reports for grain in report.exceeding]
    present = {name for _, grain in exceeding for name in grain.by}
    replaced = {variable.instead_of for variable in quasi_identifiers(dictionary) if variable.instead_of}
    spare = [variable.label.lower() for variable in quasi_identifiers(dictionary)
             if (variable.instead_of or variable.name in replaced) and variable.name in present]
    over_mean = any(grain.risk.mean_risk > limits.mean_risk for limits, grain in exceeding)
    over_unique = any(grain.risk.share_unique > limits.share_unique for limits, grain in exceeding)
    settings = ["HARMONY_MAX_MEAN_RISK"] * over_mean + ["HARMONY_MAX_UNIQUE_SHARE"] * over_unique
    coarser = f"Leave out the {_listed(spare)}" if spare else "Make the groups coarser"
    return (f"{coarser} (docs/source-folders.md, Anonymity), or raise {_listed(settings)} if the committee that "
            "answers for the data agrees.")
