from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter

from harmony_dash.dictionary import load_dictionary
from harmony_dash.synthetic import generate_cohort, genetics
from harmony_dash.synthetic.cohort import simulate
from harmony_dash.synthetic.estimators import estimate_hazard_ratio, estimate_incidence, estimate_survival
from harmony_dash.synthetic.outcome import RELAPSE, intensity_effect, relapse_log_hazard
from harmony_dash.synthetic.population import allocate
from harmony_dash.synthetic.treatment import INTENSIFIED, STANDARD


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return generate_cohort(20_000, np.random.default_rng(4))


def test_rows_use_the_names_and_codes_of_the_dictionary(cohort: pd.DataFrame) -> None:
    dictionary = load_dictionary()

    assert set(cohort.columns) <= set(dictionary.variables)
    for name in cohort.columns:
        variable = dictionary[name]
        if variable.values:
            assert set(cohort[name].dropna()) <= set(variable.values), name
        elif variable.type == "yes_no":
            assert set(cohort[name].dropna()) <= {"yes", "no"}, name
        elif variable.is_numeric and variable.upper is not None:
            values = cohort[name].astype(float).dropna()
            assert values.between(variable.lower, variable.upper).all(), name


def test_equal_generators_give_equal_cohorts() -> None:
    first, again = (generate_cohort(500, np.random.default_rng(8)) for _ in range(2))

    pd.testing.assert_frame_equal(first, again)


def test_intensified_patients_do_worse_although_intensification_helps() -> None:
    """Confounding by indication: the crude ratio is above 1, the truth below."""
    protocol, country = allocate(60_000)
    simulated = simulate(protocol, country, np.random.default_rng(12))
    people, treatment, outcome = simulated.people, simulated.treatment, simulated.outcome
    rows = (people.age < 18) & np.isin(treatment.received, (STANDARD, INTENSIFIED)) & ~outcome.randomised
    days = np.where(outcome.first_event > 0, outcome.first_event_days, outcome.last_contact_days)[rows]
    crude = estimate_hazard_ratio(days, outcome.first_event[rows] == RELAPSE, treatment.received[rows] == INTENSIFIED)

    truth = np.exp(intensity_effect(people, treatment)[rows & (treatment.received == INTENSIFIED)])

    assert crude > 1.3
    assert truth.max() <= 1
    assert truth.mean() < 0.8


def test_higher_mrd_means_more_relapse() -> None:
    protocol, country = allocate(5_000)
    simulated = simulate(protocol, country, np.random.default_rng(3))
    level = relapse_log_hazard(simulated.people, simulated.response, simulated.treatment)

    assert np.corrcoef(level, simulated.response.eoi)[0, 1] > 0.3


def test_prevalences_are_probabilities_and_every_name_is_in_the_dictionary() -> None:
    known = load_dictionary()["subtype"].values

    for lineage in (False, True):
        np.testing.assert_allclose(genetics.prevalence_table(lineage).sum(axis=1), 1)
    assert set(genetics.INDEX) <= set(known)
    assert ((genetics.deletion_table() >= 0) & (genetics.deletion_table() <= 1)).all()


def test_estimators_agree_with_lifelines(cohort: pd.DataFrame) -> None:
    sample = cohort.head(3_000)
    days = sample["last_contact_days"].to_numpy(dtype=np.int64)
    died = (sample["death"] == "yes").to_numpy()
    male = (sample["sex"] == "M").to_numpy()

    fitter = KaplanMeierFitter().fit(days, died)
    assert estimate_survival(days, died, 1826) == pytest.approx(float(fitter.predict(1826)), abs=1e-9)
    cox = CoxPHFitter().fit(pd.DataFrame({"days": days, "died": died, "male": male.astype(float)}), "days", "died")
    assert estimate_hazard_ratio(days, died, male) == pytest.approx(float(np.exp(cox.params_["male"])), rel=5e-3)


def test_cumulative_incidence_of_a_small_table_by_hand() -> None:
    days = np.array([1, 2, 2, 3, 4])
    cause = np.array([1, 2, 0, 1, 0])

    # Day 1: 1/5. Day 2: survival 4/5, nobody of cause 1. Day 3: survival 4/5 x 3/4 = 3/5, 1 of 2 at risk.
    assert estimate_incidence(days, cause, 1, 4) == pytest.approx(1 / 5 + 3 / 5 * 1 / 2)
    assert estimate_incidence(days, cause, 2, 4) == pytest.approx(4 / 5 * 1 / 4)
    assert np.isnan(estimate_incidence(days[:0], cause[:0], 1, 4))
