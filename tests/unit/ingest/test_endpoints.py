from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony_dash.cohort.endpoints import ENDPOINTS, EXCLUSIONS
from harmony_dash.ingest.endpoints import compute_endpoints
from harmony_dash.ingest.event_record import build_event_record
from harmony_dash.ingest.issues import Reason, Severity

DAY_COLUMNS = ("first_event_days", "death_days", "last_contact_days", "cr_days", "relapse_days", "smn_days",
               "treatment_failure_days")
RECORD = ["first_event", "first_event_days", "death", "death_days", "last_contact_days"]


def frame_of(*patients):
    """Patients as dictionaries; a column one of them holds exists for all."""
    frame = pd.DataFrame(list(patients), dtype=object)
    return frame.astype({name: "Int64" for name in DAY_COLUMNS if name in frame})


def plain(values):
    return [None if pd.isna(value) else value for value in values]


def record_of(**patient):
    """The record built for one patient, and the (reason, severity) pairs reported."""
    built, problems = build_event_record(frame_of(patient))
    return tuple(plain(built[RECORD].iloc[0])), [(problem.reason, problem.severity) for problem in problems]


# -- the record from parts ---------------------------------------------------------------------------------------------

IN_REMISSION = {"relapse": "no", "smn": "no", "treatment_failure": "no", "death": "no", "last_contact_days": 1000,
                "cr_status": "CR1", "cr_days": 33}


@pytest.mark.parametrize(("parts", "event", "day"), [
    ({}, "none", None),
    ({"relapse": "yes", "relapse_days": 400}, "relapse", 400),
    ({"death": "yes", "death_days": 500}, "death_in_cr", 500),
    ({"death": "yes", "death_days": 12, "cr_status": "early_death", "cr_days": None}, "induction_death", 12),
    ({"death": "yes", "death_days": 90, "cr_status": "noCR", "cr_days": None}, "induction_death", 90),
    ({"treatment_failure": "yes", "treatment_failure_days": 78, "death": "yes", "death_days": 90, "cr_status": "noCR",
      "cr_days": None}, "treatment_failure", 78),
    ({"relapse": "yes", "relapse_days": 400, "death": "yes", "death_days": 700}, "relapse", 400),
    ({"smn": "yes", "smn_days": 300, "relapse": "yes", "relapse_days": 400}, "smn", 300),
    # on one day: treatment failure, relapse, second malignancy, death
    ({"relapse": "yes", "relapse_days": 400, "death": "yes", "death_days": 400}, "relapse", 400),
    ({"smn": "yes", "smn_days": 400, "death": "yes", "death_days": 400}, "smn", 400),
    ({"smn": "yes", "smn_days": 400, "relapse": "yes", "relapse_days": 400}, "relapse", 400),
    ({"treatment_failure": "yes", "treatment_failure_days": 40, "death": "yes", "death_days": 40},
     "treatment_failure", 40),
    ({"treatment_failure": "yes", "treatment_failure_days": 40, "relapse": "yes", "relapse_days": 40},
     "treatment_failure", 40),
    ({"relapse": "yes", "relapse_days": 0}, "relapse", 0),
    # an event without its day comes before death if it is the only one
    ({"relapse": "yes", "relapse_days": None, "death": "yes", "death_days": 700}, "relapse", None),
    ({"relapse": "yes", "relapse_days": None}, "relapse", None),
    ({"death": "yes", "death_days": None}, "death_in_cr", None),
    ({"relapse": "yes", "relapse_days": 400, "death": "yes", "death_days": None}, "relapse", 400),
])
def test_the_first_event_is_the_earliest_part(parts, event, day):
    record, problems = record_of(**{**IN_REMISSION, **parts})
    assert record[:2] == (event, day)
    assert problems == []


def test_an_unmapped_flag_is_read_from_its_day():
    built, problems = build_event_record(frame_of(
        {"relapse_days": 400, "death_days": 500, "last_contact_days": 500, "cr_days": 33},
        {"relapse_days": None, "death_days": None, "last_contact_days": 900, "cr_days": 33},
        {"relapse_days": None, "death_days": 20, "last_contact_days": 20, "cr_days": None}))
    assert plain(built["first_event"]) == ["relapse", "none", "induction_death"]
    assert plain(built["death"]) == ["yes", "no", "yes"]
    assert problems == []


def test_a_death_whose_day_is_not_mapped_happened_on_the_last_contact():
    record, _ = record_of(relapse="no", death="yes", last_contact_days=700, cr_days=33)
    assert record == ("death_in_cr", 700, "yes", 700, 700)


def test_a_mapped_but_missing_day_of_death_stays_missing():
    record, _ = record_of(relapse="no", death="yes", death_days=None, last_contact_days=700, cr_days=33)
    assert record == ("death_in_cr", None, "yes", None, 700)


def test_who_died_was_followed_until_death():
    record, _ = record_of(relapse="no", death="yes", death_days=700, last_contact_days=None, cr_days=33)
    assert record == ("death_in_cr", 700, "yes", 700, 700)


@pytest.mark.parametrize(("changes", "reason"), [
    ({"relapse": None}, Reason.REQUIRED_MISSING),
    ({"relapse": None, "relapse_days": 400}, Reason.EVENT_TIME),
    ({"relapse_days": 400}, Reason.EVENT_TIME),
    ({"smn": "yes", "smn_days": 400, "relapse": "yes", "relapse_days": None}, Reason.EVENT_TIME),
])
def test_where_the_first_event_cannot_be_told_it_stays_missing_and_is_an_error(changes, reason):
    record, problems = record_of(**{**IN_REMISSION, **changes})
    assert record[:2] == (None, None)
    assert problems == [(reason, Severity.ERROR)]


def test_a_missing_death_leaves_the_first_event_unknown():
    assert record_of(**{**IN_REMISSION, "death": None})[0][0] is None


def test_a_death_on_unknown_remission_is_kept_with_a_warning_and_left_out_from_remission():
    patient = frame_of({"relapse": "no", "death": "yes", "death_days": 60, "last_contact_days": 60})
    built, problems = build_event_record(patient)
    assert built["first_event"].tolist() == ["death_in_cr"]
    assert [(problem.reason, problem.severity) for problem in problems] == [(Reason.REQUIRED_MISSING, Severity.WARNING)]
    computed = compute_endpoints(built, {})
    assert (computed["os_days"][0], computed["efs_cause"][0]) == (60, 1)
    from_remission = ("rfs", "relapse", "relapse_1km", "trm")
    assert {computed[f"{name}_excluded"][0] for name in from_remission} == {"remission_unknown"}


def test_without_a_word_on_relapse_there_is_no_first_event():
    assert record_of(death="no", last_contact_days=700)[0] == (None, None, "no", None, 700)


# -- the record given directly -------------------------------------------------------------------------------------


def test_a_direct_record_is_taken_as_it_is():
    patient = {"first_event": "relapse", "first_event_days": 400, "death": "yes", "death_days": 700,
               "last_contact_days": 700}
    assert record_of(**patient) == (tuple(patient.values()), [])


def test_a_death_as_first_event_takes_its_day_from_the_death():
    record, _ = record_of(first_event="death_in_cr", first_event_days=None, death="yes", death_days=70,
                          last_contact_days=70)
    assert record[1] == 70


@pytest.mark.parametrize(("event", "death"), [("none", "no"), ("induction_death", "yes"), ("death_in_cr", "yes"),
                                              ("relapse", None), ("smn", None), ("treatment_failure", None)])
def test_without_a_word_on_death_only_the_first_event_can_tell(event, death):
    assert record_of(first_event=event, first_event_days=9, last_contact_days=9)[0][2] == death


def test_variables_padded_into_the_frame_do_not_count_as_mapped():
    frame = frame_of({"first_event": None, "relapse": None, "relapse_days": 400, "death": "no", "death_days": None,
                      "last_contact_days": 900, "cr_days": 33})
    built, problems = build_event_record(frame, {"relapse_days", "death", "last_contact_days", "cr_days"})
    assert built["first_event"].tolist() == ["relapse"]
    assert problems == []


def test_building_does_not_change_the_frame_and_keeps_its_index():
    frame = frame_of({"relapse_days": 400, "death": "no", "last_contact_days": 900}).set_index(pd.Index([42]))
    before = frame.copy()
    built, _ = build_event_record(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert built.index.tolist() == compute_endpoints(built, {}).index.tolist() == [42]


def test_a_frame_without_rows_gets_a_record_and_endpoints_without_rows():
    built, problems = build_event_record(frame_of({"relapse_days": 1, "death": "no", "last_contact_days": 9}).iloc[:0])
    assert len(compute_endpoints(built, {})["os_days"]) == 0
    assert problems == []


# -- the record given directly beside its parts ------------------------------------------------------------------------

RELAPSED = {"first_event": "relapse", "first_event_days": 400, "death": "yes", "death_days": 700,
            "last_contact_days": 700}
DIED = {**RELAPSED, "first_event": "death_in_cr", "first_event_days": 700}
WELL = {**RELAPSED, "first_event": "none", "first_event_days": None, "death": "no", "death_days": None}


@pytest.mark.parametrize("patient", [
    {**RELAPSED, "relapse": "yes", "relapse_days": 400}, {**RELAPSED, "relapse": "yes"},
    {**RELAPSED, "relapse_days": 400}, {**RELAPSED, "relapse": None, "relapse_days": None},
    {**RELAPSED, "relapse": None, "relapse_days": 400}, {**RELAPSED, "first_event_days": None, "relapse_days": 400},
    # later events are no contradiction, nor is another one on the same day or on an unknown day
    {**RELAPSED, "smn": "yes", "smn_days": 500}, {**RELAPSED, "smn": "yes", "smn_days": 400},
    {**RELAPSED, "smn": "yes", "smn_days": None}, {**RELAPSED, "smn": "no", "treatment_failure": "no"},
    {**DIED, "relapse": "no", "smn_days": None}, {**WELL, "relapse": "no", "smn_days": None},
    {**WELL, "first_event": None, "relapse": "yes", "relapse_days": 400},
])
def test_parts_that_agree_with_a_first_event_given_directly(patient):
    assert build_event_record(frame_of(patient))[1] == []


@pytest.mark.parametrize(("patient", "variable", "reason"), [
    ({**RELAPSED, "smn": "yes", "smn_days": 399}, "smn_days", Reason.TEMPORAL_ORDER),
    ({**RELAPSED, "treatment_failure_days": 40}, "treatment_failure_days", Reason.TEMPORAL_ORDER),
    ({**DIED, "relapse": "yes", "relapse_days": 400}, "relapse_days", Reason.TEMPORAL_ORDER),
    ({**DIED, "relapse": None, "relapse_days": 400}, "relapse_days", Reason.TEMPORAL_ORDER),
    ({**DIED, "relapse": "yes", "relapse_days": 700}, "relapse", Reason.EVENT_TIME),
    ({**DIED, "relapse": "yes"}, "relapse", Reason.EVENT_TIME),
    ({**DIED, "smn_days": 700}, "smn_days", Reason.EVENT_TIME),
    ({**WELL, "relapse": "yes", "relapse_days": 400}, "relapse", Reason.EVENT_TIME),
    ({**WELL, "relapse": "yes"}, "relapse", Reason.EVENT_TIME),
    ({**WELL, "relapse_days": 400}, "relapse_days", Reason.EVENT_TIME),
    ({**WELL, "treatment_failure": "yes"}, "treatment_failure", Reason.EVENT_TIME),
    ({**RELAPSED, "relapse": "yes", "relapse_days": 401}, "relapse_days", Reason.EVENT_TIME),
    ({**RELAPSED, "relapse_days": 399}, "relapse_days", Reason.EVENT_TIME),
    ({**RELAPSED, "first_event": "smn", "smn_days": 500}, "smn_days", Reason.EVENT_TIME),
    ({**RELAPSED, "first_event": "treatment_failure", "treatment_failure_days": 78}, "treatment_failure_days",
     Reason.EVENT_TIME),
    ({**RELAPSED, "relapse": "no"}, "relapse", Reason.EVENT_TIME),
    ({**RELAPSED, "smn": "no", "smn_days": 500}, "smn_days", Reason.EVENT_TIME),
])
def test_parts_that_contradict_a_first_event_given_directly_are_errors(patient, variable, reason):
    problems = build_event_record(frame_of(patient))[1]
    assert [(problem.variable, problem.reason, problem.severity) for problem in problems] == [
        (variable, reason, Severity.ERROR)]


def test_parts_that_are_not_mapped_are_not_compared():
    frame = frame_of({**WELL, "relapse": "yes", "relapse_days": 400})
    assert build_event_record(frame, set(WELL))[1] == []


# -- endpoints: one table ------------------------------------------------------------------------------------------

CR = {"cr_status": "CR1", "cr_days": 30}
NO_CR = {"cr_status": "noCR", "cr_days": None}


def patient_of(event, day, death, death_day, last, remission):
    return {"first_event": event, "first_event_days": day, "death": death, "death_days": death_day,
            "last_contact_days": last, **remission}


ALIVE = patient_of("none", None, "no", None, 1000, CR)
INDUCTION_DEATH = patient_of("induction_death", 20, "yes", 20, 20, NO_CR)
FAILURE = patient_of("treatment_failure", 78, "yes", 200, 200, NO_CR)
RELAPSE = patient_of("relapse", 400, "yes", 700, 700, CR)
DEATH = patient_of("death_in_cr", 500, "yes", 500, 500, CR)
SECOND = patient_of("smn", 600, "no", None, 1000, CR)
UNDATED = {**RELAPSE, "first_event_days": None}
UNDATED_REMISSION = {**RELAPSE, "cr_days": None}


@pytest.mark.parametrize(("endpoint", "patient", "expected"), [
    ("os", ALIVE, (1000, 0)), ("os", RELAPSE, (700, 1)), ("os", INDUCTION_DEATH, (20, 1)), ("os", SECOND, (1000, 0)),
    ("os", {**DEATH, "death_days": None}, "event_day_unknown"), ("os", UNDATED, (700, 1)),
    ("efs", ALIVE, (1000, 0)), ("efs", INDUCTION_DEATH, (20, 1)), ("efs", FAILURE, (78, 1)), ("efs", RELAPSE, (400, 1)),
    ("efs", DEATH, (500, 1)), ("efs", SECOND, (600, 1)), ("efs", UNDATED, "event_day_unknown"),
    ("efs_tf0", FAILURE, (0, 1)), ("efs_tf0", {**FAILURE, "first_event_days": None}, (0, 1)),
    ("efs_tf0", RELAPSE, (400, 1)), ("efs_tf0", ALIVE, (1000, 0)),
    ("rfs", ALIVE, (970, 0)), ("rfs", RELAPSE, (370, 1)), ("rfs", DEATH, (470, 1)), ("rfs", SECOND, (570, 0)),
    ("rfs", INDUCTION_DEATH, "no_remission"), ("rfs", FAILURE, "no_remission"), ("rfs", UNDATED, "event_day_unknown"),
    ("rfs", UNDATED_REMISSION, "remission_unknown"), ("rfs", {**RELAPSE, "cr_status": None, "cr_days": None},
                                                      "remission_unknown"),
    ("rfs", {**RELAPSE, "cr_status": None}, (370, 1)), ("rfs", {**ALIVE, **NO_CR}, "no_remission"),
    ("rfs", {**FAILURE, **CR}, "no_remission"), ("rfs", {**RELAPSE, "cr_days": 401}, "event_day_unknown"),
    ("relapse", ALIVE, (970, 0)), ("relapse", RELAPSE, (370, 1)), ("relapse", DEATH, (470, 2)),
    ("relapse", SECOND, (570, 3)), ("relapse", INDUCTION_DEATH, "no_remission"),
    ("relapse_1km", RELAPSE, (370, 1)), ("relapse_1km", DEATH, (470, 0)), ("relapse_1km", SECOND, (570, 0)),
    ("trm", RELAPSE, (370, 2)), ("trm", DEATH, (470, 1)), ("trm", SECOND, (570, 3)), ("trm", ALIVE, (970, 0)),
    ("smn", SECOND, (600, 1)), ("smn", INDUCTION_DEATH, (20, 2)), ("smn", FAILURE, (78, 2)), ("smn", RELAPSE, (400, 2)),
    ("smn", DEATH, (500, 2)), ("smn", ALIVE, (1000, 0)),
])
def test_endpoints_follow_their_definitions(endpoint, patient, expected):
    computed = compute_endpoints(frame_of(patient), {}).iloc[0]
    if isinstance(expected, str):
        assert computed[f"{endpoint}_excluded"] == expected
        assert pd.isna(computed[f"{endpoint}_days"])
        assert pd.isna(computed[f"{endpoint}_cause"])
    else:
        assert (computed[f"{endpoint}_days"], computed[f"{endpoint}_cause"]) == expected
        assert computed[f"{endpoint}_excluded"] is None


def test_an_endpoint_the_source_does_not_record_is_given_to_nobody():
    computed = compute_endpoints(frame_of(ALIVE, INDUCTION_DEATH), {"rfs": "no remission dates"})
    assert set(computed["rfs_excluded"]) == {"not_recorded"}
    assert computed["rfs_days"].isna().all()
    assert computed["efs_excluded"].isna().all()


def test_endpoints_have_the_types_the_store_takes():
    computed = compute_endpoints(frame_of(ALIVE, UNDATED), {})
    assert {str(computed[f"{name}_days"].dtype) for name in ENDPOINTS} == {"Int32"}
    assert {str(computed[f"{name}_cause"].dtype) for name in ENDPOINTS} == {"Int8"}


# -- endpoints: agreement with one patient at a time ---------------------------------------------------------------


def slow_endpoints(p):
    """The definitions of the domain reference, for one patient: {endpoint: (days, cause) or exclusion}."""
    e, t, cr = p["first_event"], p["first_event_days"], p["cr_days"]
    last, event = p["last_contact_days"], p["first_event"] not in ("none", None)
    found = {}
    found["os"] = (p["death_days"], 1) if p["death"] == "yes" else (last, 0)
    if p["death"] is None:
        found["os"] = (None, 0)
    time = None if e is None else t if event else last
    found["efs"] = (time, int(event))
    found["efs_tf0"] = (0 if e == "treatment_failure" else time, int(event))
    found["smn"] = (time, 1 if e == "smn" else int(event) * 2)
    if p["cr_status"] in ("noCR", "early_death") or e in ("induction_death", "treatment_failure"):
        after = "no_remission"
    elif cr is None:
        after = "remission_unknown"
    else:
        after = None if time is None else time - cr
    for name, causes in {"rfs": {"relapse": 1, "death_in_cr": 1}, "relapse": {"relapse": 1, "death_in_cr": 2, "smn": 3},
                         "relapse_1km": {"relapse": 1}, "trm": {"death_in_cr": 1, "relapse": 2, "smn": 3}}.items():
        found[name] = after if isinstance(after, str) else (after, causes.get(e, 0))
    return {name: "event_day_unknown" if not isinstance(value, str) and (value[0] is None or value[0] < 0) else value
            for name, value in found.items()}


def slow_record(p):
    """First event and its day from parts, for one patient whose flags are all known and whose events all have days."""
    kind = "death_in_cr" if p["cr_status"] == "CR1" else "induction_death"
    events = [(p[f"{name}_days"], place, kind if name == "death" else name)
              for place, name in enumerate(("treatment_failure", "relapse", "smn", "death")) if p[name] == "yes"]
    if not events:
        return "none", None
    day, _, name = min(events)
    return name, day


DAYS = st.one_of(st.none(), st.integers(0, 60))
PATIENTS = st.lists(st.fixed_dictionaries({
    "first_event": st.sampled_from([None, "none", "induction_death", "treatment_failure", "relapse", "death_in_cr",
                                    "smn"]),
    "first_event_days": DAYS, "death": st.sampled_from([None, "yes", "no"]), "death_days": DAYS,
    "last_contact_days": DAYS, "cr_status": st.sampled_from([None, "CR1", "noCR", "early_death"]), "cr_days": DAYS,
}), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(PATIENTS)
def test_endpoints_agree_with_a_reference_that_takes_one_patient_at_a_time(patients):
    computed = compute_endpoints(frame_of(*patients), {})
    for row, patient in enumerate(patients):
        for name, expected in slow_endpoints(patient).items():
            days, cause, excluded = (computed[f"{name}_{part}"].iloc[row] for part in ("days", "cause", "excluded"))
            found = excluded if excluded is not None else (days, cause)
            assert found == expected, (name, patient)
            assert excluded is None or excluded in EXCLUSIONS
            assert pd.isna(days) == pd.isna(cause) == (excluded is not None)
            assert excluded is not None or 0 <= cause <= len(ENDPOINTS[name].causes)


FLAGS = st.sampled_from(["yes", "no"])
PARTS = st.lists(st.fixed_dictionaries({
    **dict.fromkeys(("relapse", "smn", "treatment_failure", "death"), FLAGS),
    **{f"{name}_days": st.integers(0, 5) for name in ("relapse", "smn", "treatment_failure", "death")},
    "last_contact_days": st.just(9), "cr_status": st.sampled_from(["CR1", "noCR"]),
}).map(lambda p: {key: None if key != "last_contact_days" and key.endswith("_days")
                  and p[key.removesuffix("_days")] == "no" else value for key, value in p.items()}),
    min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(PARTS)
def test_a_record_from_parts_agrees_with_a_reference_that_takes_one_patient_at_a_time(patients):
    built, problems = build_event_record(frame_of(*patients))
    assert problems == []
    found = list(zip(plain(built["first_event"]), plain(built["first_event_days"]), strict=True))
    assert found == [slow_record(patient) for patient in patients]


@settings(max_examples=60, deadline=None)
@given(PARTS)
def test_a_record_built_from_parts_agrees_with_them(patients):
    built, _ = build_event_record(frame_of(*patients))
    again, problems = build_event_record(built)
    assert problems == []
    pd.testing.assert_frame_equal(again, built)


def slow_contradiction(p):
    """Whether a part and a first event given directly exclude each other, for one patient."""
    event, day = p["first_event"], p["first_event_days"]
    for name in ("relapse", "smn", "treatment_failure"):
        flag, own = p[name], p[f"{name}_days"]
        if flag == "no" and (own is not None or event == name):
            return True
        if flag == "no" or (flag is None and own is None) or event is None:
            continue
        if event == "none" or (event != name and None not in (own, day) and own < day):
            return True
        if event == name and None not in (own, day) and own != day:
            return True
        if event in ("induction_death", "death_in_cr") and (None in (own, day) or own == day):
            return True
    return False


BESIDE = st.lists(st.fixed_dictionaries({
    "first_event": st.sampled_from([None, "none", "induction_death", "treatment_failure", "relapse", "death_in_cr",
                                    "smn"]),
    **dict.fromkeys(("relapse", "smn", "treatment_failure"), st.sampled_from([None, None, "yes", "no"])),
    **{f"{name}_days": st.one_of(st.none(), st.integers(0, 3))
       for name in ("first_event", "relapse", "smn", "treatment_failure")},
    "death": st.none(), "death_days": st.none(), "last_contact_days": st.just(9),
}), min_size=1, max_size=30)


@settings(max_examples=100, deadline=None)
@given(BESIDE)
def test_contradictions_between_record_and_parts_agree_with_a_reference(patients):
    _, problems = build_event_record(frame_of(*patients))
    found = [any(problem.rows[row] for problem in problems) for row in range(len(patients))]
    assert found == [slow_contradiction(patient) for patient in patients]
    assert {problem.severity for problem in problems} <= {Severity.ERROR}
