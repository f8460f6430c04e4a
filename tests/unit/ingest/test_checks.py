from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from harmony_dash.cohort.endpoints import ENDPOINTS
from harmony_dash.dictionary import load_dictionary
from harmony_dash.ingest.checks import find_issues
from harmony_dash.ingest.issues import Reason, Severity

DICTIONARY = load_dictionary()
SOUND = {"disease": "ALL", "country": "DE", "first_event": "relapse", "first_event_days": 400, "death": "yes",
         "death_days": 700, "last_contact_days": 700, "cr_status": "CR1", "cr_days": 33, "immunophenotype": "B",
         "sex": "M", "wbc_dx": 20.0}
ALIVE = {"first_event": "none", "first_event_days": None, "death": "no", "death_days": None}
DEAD_IN_CR = {"first_event": "death_in_cr", "first_event_days": 700}
EARLY = {"first_event": "induction_death", "first_event_days": 20, "death_days": 20, "last_contact_days": 20,
         "cr_status": "early_death", "cr_days": None}
FAILED = {"first_event": "treatment_failure", "first_event_days": 78, "cr_status": "noCR", "cr_days": None}
AT_78 = {"first_event_days": 78}


def frame_of(*patients):
    frame = pd.DataFrame(list(patients), dtype=object)
    numeric = [name for name in frame if name in DICTIONARY and DICTIONARY[name].is_numeric]
    return frame.astype(dict.fromkeys(numeric, "Float64"))


def issues_of(patient, **options):
    return {(problem.variable, problem.reason, problem.severity)
            for problem in find_issues(frame_of(patient), DICTIONARY, **options)}


@pytest.mark.parametrize("patient", [
    {}, ALIVE, DEAD_IN_CR, EARLY, {**ALIVE, "cr_days": 0, "last_contact_days": 0},
    {"first_event_days": 33}, {"death_days": 400, "last_contact_days": 400},
    FAILED,
    {"immunophenotype": "T", "subtype": "T TAL1", "etp": "no"}, {"heh": "pos", "modal_chr": 55, "subtype": "HeH"},
    {"low_hypodiploid": "pos", "modal_chr": 36}, {"hsct_cr1": "yes", "hsct_days": 150},
    {"mrd_eoi_day": 33, "mrd_eoi_value": 1e-3, "mrd_eoi_lod": 1e-5, "mrd_eoi_loq": 1e-4, "mrd_eoc_day": 78},
    {"entry_days": 100}, {"wbc_dx": 1000.0}, {"relapse": "yes", "relapse_days": 400}, {"cr_days": 8},
    {**EARLY, "first_event_days": 120, "death_days": 120, "last_contact_days": 120}, {"mrd_eoc_day": 78, **AT_78},
    {"rand_days": 400}, {"hsct_cr1": "yes", "hsct_days": 400}, {**DEAD_IN_CR, "hsct_cr1": "yes", "hsct_days": 700},
    {"first_event": "treatment_failure", "first_event_days": 33, "cr_days": 90},
])
def test_rows_that_agree_with_themselves_have_no_issues(patient):
    assert issues_of({**SOUND, **patient}) == set()


ERRORS = [
    ({"country": None}, "country", Reason.REQUIRED_MISSING),
    ({"first_event": None, "first_event_days": None}, "first_event", Reason.REQUIRED_MISSING),
    ({"death": None}, "death", Reason.REQUIRED_MISSING),
    ({"last_contact_days": None}, "last_contact_days", Reason.REQUIRED_MISSING),
    # order in time
    ({**ALIVE, "cr_days": 701}, "cr_days", Reason.TEMPORAL_ORDER),
    ({"cr_days": 401}, "first_event_days", Reason.TEMPORAL_ORDER),
    ({**DEAD_IN_CR, "cr_days": 701, "last_contact_days": 900}, "first_event_days", Reason.TEMPORAL_ORDER),
    ({"first_event": "smn", "cr_days": 401}, "first_event_days", Reason.TEMPORAL_ORDER),
    ({"death_days": 399}, "first_event_days", Reason.TEMPORAL_ORDER),
    ({"death_days": 701}, "death_days", Reason.TEMPORAL_ORDER),
    ({"first_event_days": 701, "death": "no", "death_days": None}, "first_event_days", Reason.TEMPORAL_ORDER),
    ({"relapse_days": 701}, "relapse_days", Reason.TEMPORAL_ORDER),
    ({"relapse_days": 20}, "relapse_days", Reason.TEMPORAL_ORDER),
    ({"smn_days": 701}, "smn_days", Reason.TEMPORAL_ORDER),
    ({"hsct_cr1": "yes", "hsct_days": 30}, "hsct_days", Reason.TEMPORAL_ORDER),
    ({"hsct_cr1": "yes", "hsct_days": 450}, "hsct_days", Reason.TEMPORAL_ORDER),
    ({"first_event": "smn", "hsct_cr1": "yes", "hsct_days": 450}, "hsct_days", Reason.TEMPORAL_ORDER),
    ({"death_days": 600, "hsct_days": 601}, "hsct_days", Reason.TEMPORAL_ORDER),
    ({"entry_days": 700}, "entry_days", Reason.TEMPORAL_ORDER),
    ({"death_days": 600}, "last_contact_days", Reason.TEMPORAL_ORDER),
    ({"rand_days": 401}, "rand_days", Reason.TEMPORAL_ORDER),
    ({**EARLY, "rand_days": 21}, "rand_days", Reason.TEMPORAL_ORDER),
    ({"first_event_days": None, "rand_days": 701}, "rand_days", Reason.TEMPORAL_ORDER),
    ({"first_event": "treatment_failure"}, "first_event", Reason.TEMPORAL_ORDER),
    # the event record
    ({**DEAD_IN_CR, "death": "no", "death_days": None}, "first_event", Reason.EVENT_TIME),
    ({**DEAD_IN_CR, "first_event_days": 600}, "first_event_days", Reason.EVENT_TIME),
    ({**ALIVE, "death": "yes", "death_days": 700}, "first_event", Reason.EVENT_TIME),
    ({**ALIVE, "first_event_days": 5}, "first_event_days", Reason.EVENT_TIME),
    ({"death": "no"}, "death_days", Reason.EVENT_TIME),
    ({"cr_status": "noCR"}, "cr_days", Reason.EVENT_TIME),
    ({"cr_status": "noCR", "cr_days": None}, "first_event", Reason.EVENT_TIME),
    ({**EARLY, "cr_status": "CR1", "cr_days": 15}, "first_event", Reason.EVENT_TIME),
    ({**ALIVE, "cr_status": "early_death", "cr_days": None}, "cr_status", Reason.EVENT_TIME),
    # values that cannot be true together
    ({"immunophenotype": "T", "etv6_runx1": "pos"}, "immunophenotype", Reason.IMPLAUSIBLE),
    ({"immunophenotype": "T", "subtype": "ETV6::RUNX1"}, "subtype", Reason.IMPLAUSIBLE),
    ({"subtype": "T TAL1"}, "subtype", Reason.IMPLAUSIBLE),
    ({"etp": "yes"}, "etp", Reason.IMPLAUSIBLE),
    ({"heh": "pos", "modal_chr": 46}, "modal_chr", Reason.IMPLAUSIBLE),
    ({"subtype": "HeH", "modal_chr": 46}, "modal_chr", Reason.IMPLAUSIBLE),
    ({"near_haploid": "pos", "modal_chr": 46}, "modal_chr", Reason.IMPLAUSIBLE),
    ({"subtype": "high-hypodiploid", "modal_chr": 46}, "modal_chr", Reason.IMPLAUSIBLE),
    ({"sex": "F", "testis": "yes"}, "sex", Reason.IMPLAUSIBLE),
]

WARNINGS = [
    ({"first_event_days": None}, "first_event_days", Reason.EVENT_TIME),
    ({"death_days": None}, "death_days", Reason.EVENT_TIME),
    ({"cr_days": None}, "cr_days", Reason.EVENT_TIME),
    ({"hsct_cr1": "yes"}, "hsct_days", Reason.EVENT_TIME),
    ({"hsct_cr1": "no", "hsct_days": 500}, "hsct_days", Reason.IMPLAUSIBLE),
    ({**ALIVE, "cr_status": "noCR", "cr_days": None}, "first_event", Reason.IMPLAUSIBLE),
    ({**EARLY, "first_event_days": 121, "death_days": 121, "last_contact_days": 121}, "first_event",
     Reason.IMPLAUSIBLE),
    ({"cr_days": 1}, "cr_days", Reason.IMPLAUSIBLE), ({"cr_days": 7}, "cr_days", Reason.IMPLAUSIBLE),
    ({**FAILED, "hsct_cr1": "yes", "hsct_days": 79}, "hsct_days", Reason.TEMPORAL_ORDER),
    ({"immunophenotype": "T", "heh": "pos"}, "immunophenotype", Reason.IMPLAUSIBLE),
    ({"heh": "pos", "modal_chr": 50}, "modal_chr", Reason.IMPLAUSIBLE),
    ({"low_hypodiploid": "pos", "modal_chr": 70}, "modal_chr", Reason.IMPLAUSIBLE),
    ({"subtype": "HeH", "heh": "neg"}, "subtype", Reason.IMPLAUSIBLE),
    ({"subtype": "B-other (tested)", "bcr_abl1": "pos"}, "subtype", Reason.IMPLAUSIBLE),
    ({"randomised": "no", "rand_arm": "reduced"}, "randomised", Reason.IMPLAUSIBLE),
    ({**EARLY, "marrow_d15": "M1", "first_event_days": 9, "death_days": 9, "last_contact_days": 9}, "marrow_d15",
     Reason.IMPLAUSIBLE),
    ({"mrd_eoi_day": 78}, "mrd_eoi_day", Reason.IMPLAUSIBLE),
    ({"mrd_eoc_day": 33}, "mrd_eoc_day", Reason.IMPLAUSIBLE),
    ({**EARLY, "mrd_eoi_day": 33}, "mrd_eoi_day", Reason.TEMPORAL_ORDER),
    ({**AT_78, "mrd_eoc_day": 79}, "mrd_eoc_day", Reason.TEMPORAL_ORDER),
    ({**FAILED, "first_event_days": 30, "mrd_eoi_day": 33}, "mrd_eoi_day", Reason.TEMPORAL_ORDER),
    ({"mrd_eoi_value": 1e-6, "mrd_eoi_lod": 1e-5}, "mrd_eoi_value", Reason.IMPLAUSIBLE),
    ({"mrd_eoi_lod": 1e-3, "mrd_eoi_loq": 1e-4}, "mrd_eoi_lod", Reason.IMPLAUSIBLE),
    ({**ALIVE, "cause_death": "toxic"}, "cause_death", Reason.IMPLAUSIBLE),
    ({**ALIVE, "relapse_site": "BM"}, "relapse_site", Reason.IMPLAUSIBLE),
    ({"wbc_dx": 1000.5}, "wbc_dx", Reason.FLAGGED_VALUE),
]


@pytest.mark.parametrize(("changes", "variable", "reason"), ERRORS)
def test_contradictions_are_errors(changes, variable, reason):
    assert (variable, reason, Severity.ERROR) in issues_of({**SOUND, **changes})


@pytest.mark.parametrize(("changes", "variable", "reason"), WARNINGS)
def test_oddities_are_warnings_and_nothing_more(changes, variable, reason):
    issues = issues_of({**SOUND, **changes})
    assert (variable, reason, Severity.WARNING) in issues
    assert {severity for _, _, severity in issues} == {Severity.WARNING}


def test_what_the_source_does_not_record_is_not_required():
    no_death, no_event = {**SOUND, "death": None, "death_days": None}, {**SOUND, "first_event": None,
                                                                        "first_event_days": None}
    assert issues_of(no_death, not_recorded={"os": "not followed"}) == set()
    assert issues_of(no_event, not_recorded=dict.fromkeys(set(ENDPOINTS) - {"os"}, "no relapses")) == set()


def test_masks_point_at_the_rows_concerned():
    problems = find_issues(frame_of(SOUND, {**SOUND, "country": None}, SOUND), DICTIONARY)
    assert [np.asarray(problem.rows).tolist() for problem in problems] == [[False, True, False]]


def test_absent_columns_are_missing_and_never_contradict():
    frame = frame_of({"country": "DE", "disease": "ALL"})
    assert {problem.reason for problem in find_issues(frame, DICTIONARY)} == {Reason.REQUIRED_MISSING}
    assert {problem.variable for problem in find_issues(frame, DICTIONARY)} == {"first_event", "death",
                                                                              "last_contact_days"}


def test_a_frame_without_rows_has_no_issues():
    assert find_issues(frame_of(SOUND).iloc[:0], DICTIONARY) == []


def test_no_message_holds_a_value_of_a_patient():
    patients = [{**SOUND, **changes} for changes, _, _ in (*ERRORS, *WARNINGS)]
    messages = {problem.message for problem in find_issues(frame_of(*patients), DICTIONARY)}
    assert len(messages) > 5
    assert not any(value in message for message in messages for value in ("701", "399", "401", "1000.5", "T TAL1"))
