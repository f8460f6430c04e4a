from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.what_if_results import OBSERVED, Mark, Measure, Method, Status, WhatIfResult
from harmony_dash.disclosure.what_if_words import find_contrast
from harmony_dash.errors import AccessRefused, Cancelled, ComputationLost, QuestionError
from harmony_dash.services import what_if
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.what_if import ask_what_if
from harmony_dash.services.what_if_cache import Answers, CacheKey
from harmony_dash.services.what_if_estimates import in_other_process, in_threads
from harmony_dash.services.what_if_json import what_if_as_json
from harmony_dash.services.what_if_tables import ALIKE
from tests.what_if_cohort import CLINICIAN, COHORT, FEW, ask, draw_cohort, open_house

FOUR_YEARS = 1461
QUESTION = WhatIfQuestion(COHORT, horizon_days=FOUR_YEARS)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    frame = draw_cohort()
    frame.loc[frame.trial == "Trial C", "intensity_assigned"] = "standard"
    return open_house(tmp_path_factory.mktemp("what_if"), frame)


def codes(result: WhatIfResult) -> dict[str, str]:
    return {reason.code: reason.severity for reason in result.reasons}


def difference(result: WhatIfResult, method: Method) -> float:
    found = find_contrast(result, method)
    assert found is not None
    return found.estimate


def test_another_process_gives_the_same_answer(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, told = replace(QUESTION, modifiers=("cyto_group",)), list[tuple[int, int]]()
    answers = []
    for bootstrap in (in_threads, in_other_process):
        monkeypatch.setattr(what_if, "CACHE", Answers())
        answers.append(ask_what_if(deployment, OPERATOR, asked, level=Level.EXACT, replicates=FEW, bootstrap=bootstrap,
                                   progress=lambda done, total: told.append((done, total))))
    here, there = (what_if_as_json(answer) for answer in answers)
    assert here == there
    assert any(one.difference is not None for one in answers[0].value.effects)
    assert told == 2 * [(done, 3 * FEW) for done in range(1, 3 * FEW + 1)]


def test_a_computation_that_the_machine_ends_is_no_refusal_of_the_question(
        deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(*_: object, **__: object) -> NoReturn:
        raise ComputationLost("the machine ended a computation")

    monkeypatch.setattr(what_if, "CACHE", Answers())
    before = len(list_events(deployment.access))
    with pytest.raises(ComputationLost):
        ask_what_if(deployment, OPERATOR, QUESTION, level=Level.EXACT, replicates=FEW,
                    bootstrap=lambda: nullcontext(end))
    told = list_events(deployment.access)
    assert len(told) > before
    assert {one.event.decision for one in told[:len(told) - before]} == {Decision.ALLOWED}


# -- an answer ---------------------------------------------------------------------------------------------------------


def test_harm_that_was_put_in_is_found_where_a_plain_comparison_sees_benefit(deployment: Deployment) -> None:
    result = ask(deployment, QUESTION)

    assert result.status is not Status.REFUSED
    assert result.primary is Method.STANDARDISED
    adjusted = find_contrast(result, Method.STANDARDISED)
    assert adjusted is not None and adjusted.upper is not None
    assert adjusted.upper < 0
    assert {np.sign(difference(result, method)) for method in (Method.AUGMENTED, Method.WEIGHTED)} == {-1.0}
    assert difference(result, Method.PLAIN) > difference(result, Method.STANDARDISED) + 0.03
    assert "A plain comparison would have said" in result.summary
    assert "the arms were not alike from the start" in result.summary


def test_relapse_and_death_in_remission_stand_side_by_side_and_become_numbers_of_patients(
        deployment: Deployment) -> None:
    result = ask(deployment, QUESTION)

    outcomes = {one.outcome for one in result.contrasts if one.measure is Measure.INCIDENCE}
    assert outcomes == {"relapse", "death_in_cr"}
    texts = [one.text for one in result.needed]
    assert any("extra relapse for every" in text for text in texts)
    assert any("death in remission" in text for text in texts)
    assert not any(word in result.summary.lower() for word in ("recommend", "optimal", "should"))


def test_a_level_without_an_effect_is_told_from_one_with_it(deployment: Deployment) -> None:
    levels = {one.level: one for one in ask(deployment, replace(QUESTION, modifiers=("etv6_runx1",))).effects}

    negative, positive = levels["neg"].difference, levels["pos"].difference
    assert negative is not None and positive is not None
    assert negative.upper < 0
    assert positive.lower < 0.02 < positive.upper + 0.05
    assert positive.estimate > negative.estimate


def test_the_matrix_shows_every_trial_and_only_those_with_both_arms_stand_behind_the_estimate(
        deployment: Deployment) -> None:
    result = ask(deployment, QUESTION)

    marks = {cell.stratum: cell.mark for cell in result.allocation}
    assert marks == {"Trial A": Mark.BOTH, "Trial B": Mark.BOTH, "Trial C": Mark.ONE}
    behind = sum(cell.n or 0 for cell in result.allocation if cell.used)
    assert sum(arm.n or 0 for arm in result.patients[0].arms) == behind
    assert sum(cell.n or 0 for cell in result.allocation) > behind


def test_the_estimand_names_population_strategies_time_zero_outcome_contrast_and_horizon(
        deployment: Deployment) -> None:
    words = dict(ask(deployment, QUESTION).estimand)

    assert list(words) == ["Population", "Strategies", "Time zero", "Outcome", "Contrast", "Adjusted for", "Horizon"]
    assert words["Time zero"].startswith("day 90 after diagnosis")
    assert words["Horizon"] == "4 years after time zero"


def test_every_diagnostic_is_there(deployment: Deployment) -> None:
    found = ask(deployment, QUESTION).diagnostics

    assert [arm.arm for arm in found.arms] == ["standard", "reduced"]
    assert found.common_support is not None and found.common_support > 0.9
    assert sum(one.shares[0] or 0 for one in found.propensity) == pytest.approx(1)
    assert max(abs(one.before) for one in found.balance) > 0.5 > 5 * max(abs(one.after) for one in found.balance)
    assert {one.left_out for one in found.sensitivity} == {"MRD band at end of induction", "Cytogenetic risk group"}
    without_mrd = next(one for one in found.sensitivity if one.left_out.startswith("MRD"))
    assert without_mrd.change > 0.01
    assert found.e_value is not None and found.e_value.estimate > 1
    missing = {one.variable: one.share for one in found.missing}
    assert set(missing) == set(ask(deployment, QUESTION).question.adjust)
    assert missing["wbc_dx"] == 0 < (missing["mrd_eoi_band"] or 0)


def test_the_same_question_gives_the_same_answer_and_the_second_time_at_once(deployment: Deployment) -> None:
    calls: list[tuple[int, int]] = []
    asked = replace(QUESTION, horizon_days=1096)
    first = ask_what_if(deployment, CLINICIAN, asked, replicates=FEW, progress=lambda *done: calls.append(done))
    before = len(calls)
    second = ask_what_if(deployment, CLINICIAN, asked, replicates=FEW, progress=lambda *done: calls.append(done))

    assert before == 2 * FEW
    assert calls[-1] == (2 * FEW, 2 * FEW)
    assert len(calls) == before
    assert first.value is second.value


def test_answers_of_different_rights_are_never_mixed(deployment: Deployment) -> None:
    exact, protected = (ask(deployment, QUESTION, level) for level in (Level.EXACT, Level.PROTECTED))

    assert any((cell.n or 0) % 5 for cell in exact.allocation)
    assert not any((cell.n or 0) % 5 for cell in protected.allocation)


def test_the_cache_forgets_the_oldest_answer() -> None:
    keys = [CacheKey("store", "snapshot", str(number), "", "exact", (), 200) for number in range(3)]
    answers = Answers(most=2)
    for key in keys:
        answers.put(key, key)  # type: ignore[arg-type]

    assert answers.get(keys[0]) is None
    assert answers.get(keys[2]) is keys[2]


def test_a_person_who_no_longer_waits_ends_the_bootstrap(deployment: Deployment) -> None:
    with pytest.raises(Cancelled):
        ask_what_if(deployment, CLINICIAN, replace(QUESTION, horizon_days=1400), replicates=FEW, cancelled=lambda: True)


# -- refusals ----------------------------------------------------------------------------------------------------------


def test_a_transplant_at_any_time_is_no_strategy_from_the_start(deployment: Deployment) -> None:
    ever = WhatIfQuestion(COHORT, "hsct_cr1", "no", "yes")

    for level in (Level.EXACT, Level.PROTECTED):
        result = ask(deployment, ever, level)
        assert result.status is Status.REFUSED
        assert codes(result) == {"NO_TIME_ZERO": "refused"}
        assert not result.curves and not result.contrasts and not result.allocation


def test_one_strategy_alone_is_no_contrast(deployment: Deployment) -> None:
    result = ask(deployment, replace(QUESTION, compared="intensified"))

    assert result.status is Status.REFUSED
    assert "NO_CONTRAST" in codes(result)
    assert not result.contrasts


def test_a_handful_treated_otherwise_is_told_in_words_of_treatment(tmp_path: Path) -> None:
    frame = draw_cohort(400)
    frame["intensity_assigned"] = np.where(np.arange(400) < 4, "reduced", "standard")
    result = ask(open_house(tmp_path, frame), QUESTION, Level.PROTECTED)

    assert [reason.message for reason in result.reasons] == [ALIKE]


def test_trials_that_used_one_strategy_each_compare_protocols(tmp_path: Path) -> None:
    frame = draw_cohort(1500)
    frame["intensity_assigned"] = np.where(frame.trial == "Trial A", "reduced", "standard")
    result = ask(open_house(tmp_path, frame), QUESTION)

    assert codes(result)["BETWEEN_PROTOCOL"] == "refused"
    assert result.between_protocol
    assert {one.method for one in result.curves} == {Method.PLAIN}
    assert not result.contrasts and not result.needed


def test_a_single_trial_is_marked(deployment: Deployment) -> None:
    one_trial = replace(QUESTION, cohort=replace(COHORT, where=(parse_filter("trial=Trial A"),)))

    assert codes(ask(deployment, one_trial))["BETWEEN_PROTOCOL"] == "amber"


def test_small_arms_are_refused_without_telling_how_small(tmp_path: Path) -> None:
    frame = draw_cohort(420, choice=0.1)
    frame["trial"] = "Trial A"
    frame.loc[frame.index >= 14, "intensity_assigned"] = "standard"
    frame.loc[frame.index < 14, "intensity_assigned"] = "reduced"
    house = open_house(tmp_path, frame)

    for level in (Level.EXACT, Level.PROTECTED):
        result = ask(house, QUESTION, level)
        assert result.status is Status.REFUSED
        assert "CELL_SMALL" in codes(result)
        if level is Level.PROTECTED:
            assert all(reason.value is None for reason in result.reasons)


def test_a_treatment_that_follows_from_a_finding_has_no_overlap(tmp_path: Path) -> None:
    frame = draw_cohort(2000)
    frame["intensity_assigned"] = np.where(frame.wbc_dx < 12, "reduced", "standard")
    result = ask(open_house(tmp_path, frame), QUESTION)

    assert codes(result)["POSITIVITY"] == "refused"
    assert not result.curves


def test_a_treatment_that_nearly_follows_from_findings_is_refused_for_overlap_or_balance(tmp_path: Path) -> None:
    result = ask(open_house(tmp_path, draw_cohort(2500, choice=3.5)), QUESTION)

    assert {"POSITIVITY", "BALANCE"} & {code for code, severity in codes(result).items() if severity == "refused"}


def test_a_horizon_beyond_follow_up_is_refused(deployment: Deployment) -> None:
    result = ask(deployment, replace(QUESTION, horizon_days=3900))

    assert codes(result)["FOLLOWUP"] == "refused"


def test_too_little_mrd_is_refused(tmp_path: Path) -> None:
    result = ask(open_house(tmp_path, draw_cohort(2000, missing_mrd=0.6)), QUESTION)

    assert codes(result)["NO_CONFOUNDERS"] == "refused"


def test_leaving_an_essential_confounder_out_is_refused(deployment: Deployment) -> None:
    result = ask(deployment, replace(QUESTION, adjust=("age_dx_years", "wbc_dx", "cyto_group")))

    assert codes(result)["NO_CONFOUNDERS"] == "refused"


def test_an_effect_that_turns_is_marked(tmp_path: Path) -> None:
    frame = draw_cohort(3000, effect=0.0, choice=0.1)
    less = frame.intensity_assigned == "reduced"
    for name in ("efs", "relapse"):
        days = frame[f"{name}_days"].astype(int)
        early = (frame[f"{name}_cause"].astype(int) > 0) & less
        frame[f"{name}_days"] = np.where(early, 91 + (days - 91) // 6, days)
        frame[f"{name}_days"] = frame[f"{name}_days"].astype("Int32")
    result = ask(open_house(tmp_path, frame), QUESTION)

    assert codes(result)["MODEL_DEPENDENT"] == "amber"
    assert result.status is Status.AMBER
    assert result.contrasts


# -- what cannot be asked ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("change", "where"), [
    ({"compared": "wrong"}, "compare"), ({"compared": "standard"}, "compare"), ({"strategy": "nothing"}, "by"),
    ({"adjust": ("nothing",)}, "adjust"), ({"strata": "intensity_assigned"}, "strata"),
    ({"modifiers": ("age_dx_years",)}, "modifiers"), ({"horizon_days": 0}, "horizon"),
    ({"cohort": replace(COHORT, endpoint="relapse")}, "endpoint"), ({"cohort": replace(COHORT, by="sex")}, "cohort"),
    ({"cohort": replace(COHORT, endpoint="efs_tf0")}, "endpoint"),
])
def test_what_cannot_be_asked_is_an_error_that_says_where(deployment: Deployment, change: dict[str, object],
                                                          where: str) -> None:
    with pytest.raises(QuestionError) as refused:
        ask(deployment, replace(QUESTION, **change))  # type: ignore[arg-type]

    assert refused.value.where == where
    assert refused.value.remedy


def test_only_those_who_may_ask_survival_questions_may_ask_this(deployment: Deployment) -> None:
    with pytest.raises(AccessRefused):
        ask_what_if(deployment, Actor("stefan", Role.STEERING, "s2"), QUESTION, replicates=FEW)
    with pytest.raises(AccessRefused):
        ask_what_if(deployment, CLINICIAN, QUESTION, level=Level.EXACT, replicates=FEW)


def test_the_trail_holds_the_comparison_and_the_questions_it_answers(deployment: Deployment) -> None:
    ask_what_if(deployment, CLINICIAN, replace(QUESTION, horizon_days=913), replicates=FEW)

    lines = [row.event for row in list_events(deployment.access) if row.event.action == "what-if"
             and row.event.decision is Decision.ALLOWED]
    assert any('"compared":"reduced"' in line.question for line in lines)
    assert any('"by":"intensity_assigned"' in line.question and '"endpoint":"relapse"' in line.question
               for line in lines)


def test_the_document_has_the_fields_others_rely_on(deployment: Deployment) -> None:
    released = ask_what_if(deployment, OPERATOR, QUESTION, level=Level.EXACT, replicates=FEW)
    document = what_if_as_json(released)

    assert {"snapshot", "question", "status", "reasons", "allocation", "estimates", "contrasts", "diagnostics",
            "methods"} <= document.keys()
    assert {"method", "arm", "days", "survival", "lower", "upper"} <= document["estimates"][0].keys()
    assert {"method", "measure", "estimate", "lower", "upper"} <= document["contrasts"][0].keys()
    assert {one.population for one in released.value.patients} == {OBSERVED}
