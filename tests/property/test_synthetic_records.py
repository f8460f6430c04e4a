"""The event record of every synthetic patient obeys its own rules."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from harmony_dash.synthetic import generate_cohort


@pytest.fixture(params=range(4))
def cohort(request: pytest.FixtureRequest) -> pd.DataFrame:
    return generate_cohort(6_000, np.random.default_rng(request.param))


def test_no_event_comes_after_the_last_contact(cohort: pd.DataFrame) -> None:
    for name in ("first_event_days", "death_days", "cr_days", "hsct_days", "rand_days"):
        assert not (cohort[name] > cohort["last_contact_days"]).any(), name


def test_a_death_is_the_first_event_or_follows_one(cohort: pd.DataFrame) -> None:
    dead = cohort["death"] == "yes"

    assert (cohort.loc[dead, "first_event"] != "none").all()
    assert (cohort.loc[dead, "death_days"] == cohort.loc[dead, "last_contact_days"]).all()
    assert (cohort.loc[dead, "death_days"] >= cohort.loc[dead, "first_event_days"]).all()
    assert cohort.loc[~dead, ["death_days", "cause_death"]].isna().all().all()


def test_deaths_as_first_event_are_deaths_on_that_day(cohort: pd.DataFrame) -> None:
    first = cohort["first_event"].isin(("induction_death", "death_in_cr"))

    assert (cohort.loc[first, "death_days"] == cohort.loc[first, "first_event_days"]).all()


def test_a_day_of_the_first_event_belongs_to_an_event(cohort: pd.DataFrame) -> None:
    assert (cohort["first_event_days"].isna() == (cohort["first_event"] == "none")).all()


def test_relapse_and_death_in_remission_need_a_remission_before(cohort: pd.DataFrame) -> None:
    later = cohort["first_event"].isin(("relapse", "death_in_cr", "smn"))
    never = cohort["first_event"].isin(("induction_death", "treatment_failure"))

    assert (cohort.loc[later, "cr_days"] < cohort.loc[later, "first_event_days"]).all()
    assert cohort.loc[never, "cr_days"].isna().all()


def test_a_transplant_in_first_remission_lies_between_remission_and_the_first_event(cohort: pd.DataFrame) -> None:
    done = cohort[cohort["hsct_cr1"] == "yes"]

    assert (done["hsct_days"] > done["cr_days"]).all()
    assert not (done["hsct_days"] >= done["first_event_days"]).any()
    assert cohort.loc[cohort["hsct_cr1"] == "no", "hsct_days"].isna().all()


def test_only_the_randomised_have_an_arm_and_it_is_the_assigned_one(cohort: pd.DataFrame) -> None:
    randomised = cohort["randomised"] == "yes"

    assert (cohort.loc[randomised, "rand_arm"] == cohort.loc[randomised, "intensity_assigned"]).all()
    assert cohort.loc[~randomised, ["rand_arm", "rand_id", "rand_days"]].isna().all().all()


def test_findings_of_one_lineage_do_not_appear_in_the_other(cohort: pd.DataFrame) -> None:
    of_t = cohort["immunophenotype"] == "T"

    assert cohort.loc[of_t, "subtype"].str.startswith("T ").all()
    assert not cohort.loc[~of_t, "subtype"].str.startswith("T ").any()
    assert (cohort.loc[of_t, ["etv6_runx1", "bcr_abl1", "heh"]] == "neg").all().all()
    assert cohort.loc[~of_t, ["mut_notch1", "etp"]].isna().all().all()


def test_mrd_is_zero_only_if_undetectable(cohort: pd.DataFrame) -> None:
    for point in ("mrd_eoi", "mrd_eoc"):
        value, status = cohort[f"{point}_value"], cohort[f"{point}_status"]
        assert ((value == 0) == (status == "undetectable")).all()
        assert (value[status == "quantified"] >= cohort.loc[status == "quantified", f"{point}_loq"]).all()
        assert value[status == "pos_below_qr"].isna().all()
