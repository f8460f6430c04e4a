"""Variables computed at load from others, never imported.

Every derivation takes a frame of harmonised variables and returns one code or None per row. A variable the frame does
not hold counts as missing everywhere. A missing or failed test never becomes a result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from harmony_dash.dictionary import Dictionary
from harmony_dash.errors import DictionaryError

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]

# The cut between MRD response and failure, and the sensitivity a negative result needs to count as response.
MRD_CUT = 1e-4

# UK cytogenetic groups; the list awaits a check against the paper (Moorman, Lancet Oncol 2010).
HIGH_RISK_MARKERS = ("bcr_abl1", "kmt2a_r", "near_haploid", "low_hypodiploid", "iamp21", "tcf3_hlf")
GOOD_RISK_MARKERS = ("etv6_runx1", "heh")
UK_MARKERS = (*HIGH_RISK_MARKERS, *GOOD_RISK_MARKERS)
HIGH_RISK_SUBTYPES = frozenset({"BCR::ABL1", "KMT2A-r", "near-haploid", "low-hypodiploid", "iAMP21", "TCF3::HLF"})
GOOD_RISK_SUBTYPES = frozenset({"ETV6::RUNX1", "HeH"})

# Loci whose deletion beside that of IKZF1 makes IKZF1plus (Stanulla, JCO 2018).
IKZF1PLUS_PARTNERS = ("cna_cdkn2a", "cna_cdkn2b", "cna_pax5", "cna_par1")

# Copy-number profile; the poor and intermediate lists await a check (Moorman, Blood 2014).
CNA_POOR = ("cna_ikzf1", "cna_par1", "cna_ebf1", "cna_rb1")

# Derived elsewhere: the loader knows which source a row came from.
_NOT_HERE = frozenset({"source"})


def derive(frame: pd.DataFrame, dictionary: Dictionary) -> pd.DataFrame:
    """Add every derived variable of the dictionary.

    Parameters
    ----------
    frame : harmonised variables, one patient a row; not changed.
    dictionary : names the derivations, and the disease each belongs to.

    Returns
    -------
    A copy with one object column of codes or None per derived variable; None for patients of another disease.

    Raises
    ------
    DictionaryError if the dictionary names a derivation that does not exist.
    """
    added: dict[str, Objects] = {}
    for variable in dictionary.variables.values():
        if not variable.derived or variable.derived in _NOT_HERE:
            continue
        if variable.derived not in DERIVATIONS:
            raise DictionaryError(f"'{variable.name}' is derived by '{variable.derived}', which does not exist",
                                  where=variable.name, remedy=f"Use one of: {', '.join(DERIVATIONS)}")
        codes = DERIVATIONS[variable.derived](frame)
        if variable.diseases:
            codes[~_among(_codes(frame, "disease"), variable.diseases)] = None
        added[variable.name] = codes
    kept = frame.drop(columns=[name for name in added if name in frame.columns])
    return pd.concat([kept, pd.DataFrame(added, index=frame.index, dtype=object)], axis=1)


# -- columns -------------------------------------------------------------------------------------------------------


def _codes(frame: pd.DataFrame, name: str) -> Objects:
    """A column of codes with None for missing; all None if the frame has no such column."""
    if name not in frame.columns:
        return np.full(len(frame), None, dtype=object)
    values = frame[name].to_numpy(dtype=object, copy=True)
    values[pd.isna(values)] = None
    return values


def _numbers(frame: pd.DataFrame, name: str) -> Floats:
    """A column of numbers with NaN for missing; all NaN if the frame has no such column."""
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    return frame[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _any(frame: pd.DataFrame, names: Iterable[str], code: str) -> Mask:
    """Rows in which at least one of the columns holds the code."""
    return np.asarray(np.logical_or.reduce([_equal(_codes(frame, name), code) for name in names]), dtype=np.bool_)


def _all(frame: pd.DataFrame, names: Iterable[str], code: str) -> Mask:
    """Rows in which every one of the columns holds the code."""
    return np.asarray(np.logical_and.reduce([_equal(_codes(frame, name), code) for name in names]), dtype=np.bool_)


def _equal(codes: Objects, code: str) -> Mask:
    return np.asarray(codes == code, dtype=np.bool_)


def _among(codes: Objects, wanted: Iterable[str]) -> Mask:
    return np.asarray(pd.Series(codes, dtype=object).isin(list(wanted)), dtype=np.bool_)


def _first_match(rows: int, choices: Sequence[tuple[Mask, str | None]]) -> Objects:
    """Per row the code of the first condition that holds, else None."""
    result = np.full(rows, None, dtype=object)
    for condition, code in reversed(choices):
        result[condition] = code
    return result


def _band(values: Floats, edges: Sequence[float], codes: Sequence[str]) -> Objects:
    """Codes of half-open bands: the lower edge belongs to the band, the upper does not."""
    labels = np.array([*codes, None], dtype=object)
    position = np.searchsorted(np.asarray(edges), values, side="right")
    return np.asarray(labels[np.where(np.isnan(values), len(codes), position)], dtype=object)


# -- presentation --------------------------------------------------------------------------------------------------


def age_group(frame: pd.DataFrame) -> Objects:
    """Age at diagnosis in bands."""
    return _band(_numbers(frame, "age_dx_years"), (1, 10, 18, 40, 60), ("<1", "1-9", "10-17", "18-39", "40-59", "60+"))


def dx_period(frame: pd.DataFrame) -> Objects:
    """Five-year period of diagnosis from the year, which is not kept; None after 2029."""
    years = _numbers(frame, "dx_year")
    starts = range(1990, 2030, 5)
    periods = _band(years, starts, ("before-1990", *(f"{start}-{start + 4}" for start in starts)))
    periods[years >= 2030] = None
    return periods


def wbc_band(frame: pd.DataFrame) -> Objects:
    """White cell count at diagnosis in bands."""
    return _band(_numbers(frame, "wbc_dx"), (10, 50, 100), ("<10", "10-49", "50-99", ">=100"))


def nci_risk(frame: pd.DataFrame) -> Objects:
    """NCI risk group: HR from 10.0 years or 50.0 ×10⁹/L on; infants have none; unknown age could be an infant."""
    age, wbc = _numbers(frame, "age_dx_years"), _numbers(frame, "wbc_dx")
    return _first_match(len(frame), [
        (np.isnan(age), None),
        (age < 1, "infant"),
        (age >= 10, "HR"),
        (np.isnan(wbc), None),
        (wbc >= 50, "HR"),
        (wbc < 50, "SR"),
    ])


# -- genetics ------------------------------------------------------------------------------------------------------


def is_b_precursor(frame: pd.DataFrame) -> Mask:
    """Whether the leukaemia is known to be of B-cell precursors; the genetic tools are defined for these only."""
    return _equal(_codes(frame, "immunophenotype"), "B")


def cyto_group(frame: pd.DataFrame) -> Objects:
    """UK cytogenetic group: high beats good; intermediate only if testing succeeded.

    Testing succeeded if every marker of the high- and good-risk lists is negative, or if the provider names another
    B-cell precursor subtype. "B-other (tested)" names none: it says that the tests found nothing, so it counts only if
    no test of the two lists is failed or not done; markers the provider does not send at all do not speak against it.
    """
    subtype = _codes(frame, "subtype")
    high = _any(frame, HIGH_RISK_MARKERS, "pos") | _among(subtype, HIGH_RISK_SUBTYPES)
    good = _any(frame, GOOD_RISK_MARKERS, "pos") | _among(subtype, GOOD_RISK_SUBTYPES)
    all_negative = _all(frame, UK_MARKERS, "neg")
    of_t_cells = np.fromiter((code is not None and code.startswith("T ") for code in subtype), np.bool_, len(frame))
    named = ~np.asarray(pd.isna(subtype), dtype=np.bool_) & ~of_t_cells
    untested = _any(frame, UK_MARKERS, "failed") | _any(frame, UK_MARKERS, "not_done")
    named &= ~(_equal(subtype, "B-other (tested)") & untested)
    return _first_match(len(frame), [
        (~is_b_precursor(frame), None),
        (high, "high"),
        (good, "good"),
        (all_negative | named, "intermediate"),
    ])


def ikzf1plus(frame: pd.DataFrame) -> Objects:
    """IKZF1 deletion, alone or with others; provisional where ERG was not informative. B-cell precursor only."""
    ikzf1, erg = _codes(frame, "cna_ikzf1"), _codes(frame, "cna_erg")
    partner = _any(frame, IKZF1PLUS_PARTNERS, "del")
    no_partner = _all(frame, IKZF1PLUS_PARTNERS, "nodel")
    return _first_match(len(frame), [
        (~is_b_precursor(frame), None),
        (_equal(ikzf1, "nodel"), "no_ikzf1del"),
        (~_equal(ikzf1, "del"), None),
        (no_partner, "ikzf1del"),
        (~partner, None),
        (_equal(erg, "nodel"), "ikzf1plus"),
        (_equal(erg, "del"), "ikzf1del"),
        (partner, "ikzf1plus_provisional"),
    ])


def cna_profile(frame: pd.DataFrame) -> Objects:
    """UKALL copy-number profile of eight loci, CDKN2A and CDKN2B being one. B-cell precursor only."""
    deleted = {locus: _any(frame, (f"cna_{locus}",), "del")
               for locus in ("ikzf1", "pax5", "btg1", "ebf1", "rb1", "etv6", "par1")}
    tested = {locus: deleted[locus] | _any(frame, (f"cna_{locus}",), "nodel") for locus in deleted}
    deleted["cdkn2ab"] = _any(frame, ("cna_cdkn2a", "cna_cdkn2b"), "del")
    tested["cdkn2ab"] = deleted["cdkn2ab"] | _all(frame, ("cna_cdkn2a", "cna_cdkn2b"), "nodel")
    count = np.sum(list(deleted.values()), axis=0, dtype=np.int64)
    lone = deleted["etv6"] | deleted["pax5"] | deleted["btg1"]
    beside_etv6 = deleted["etv6"] & (deleted["btg1"] | deleted["pax5"] | deleted["cdkn2ab"])
    return _first_match(len(frame), [
        (~is_b_precursor(frame), None),
        (_any(frame, CNA_POOR, "del"), "poor"),
        (~np.logical_and.reduce(list(tested.values())), None),
        (count == 0, "good"),
        ((count == 1) & lone, "good"),
        ((count == 2) & beside_etv6, "good"),
        (np.ones(len(frame), dtype=np.bool_), "intermediate"),
    ])


# -- MRD -----------------------------------------------------------------------------------------------------------


def mrd_group(frame: pd.DataFrame) -> Objects:
    """MRD response, intermediate or failure at the end of induction (Gökbuget, Hematology 2021).

    Failure is 0.01 % or more; response is undetectable with a limit of detection of 0.01 % or lower; intermediate is
    undetectable with a higher limit, quantified below 0.01 %, or positive below a quantitative range that ends at
    0.01 % or lower or whose end is not known. No group without a result, and where the result could be on either side:
    indeterminate, undetectable with an unknown limit of detection, positive below a quantitative range that ends above
    0.01 %, or "more than" a value below 0.01 %.
    """
    status, op = _codes(frame, "mrd_eoi_status"), _codes(frame, "mrd_eoi_op")
    value, lod, loq = (_numbers(frame, f"mrd_eoi_{part}") for part in ("value", "lod", "loq"))
    quantified, below, undetectable = (_equal(status, code) for code in ("quantified", "pos_below_qr", "undetectable"))
    return _first_match(len(frame), [
        (quantified & (value >= MRD_CUT), "mrd_failure"),
        (quantified & (value > 0) & ~_equal(op, ">"), "mrd_intermediate"),
        (below & ~(loq > MRD_CUT), "mrd_intermediate"),
        (undetectable & (lod <= MRD_CUT), "mrd_cr"),
        (undetectable & (lod > MRD_CUT), "mrd_intermediate"),
    ])


def mrd_eoi_band(frame: pd.DataFrame) -> Objects:
    """What the laboratory could say, and the band of the fraction if it quantified one.

    Undetectable counts as sensitive only with a known limit of detection of 0.01 % or lower. No band for a result below
    a limit of undeclared meaning, nor for "more than" a value under 1 %.
    """
    status, op = _codes(frame, "mrd_eoi_status"), _codes(frame, "mrd_eoi_op")
    value, lod = _numbers(frame, "mrd_eoi_value"), _numbers(frame, "mrd_eoi_lod")
    quantified, undetectable = _equal(status, "quantified") & (value > 0), _equal(status, "undetectable")
    bands = _band(value, (1e-4, 1e-3, 1e-2), ("<0.01%", "0.01-0.1%", "0.1-1%", ">=1%"))
    bands[~quantified | (_equal(op, ">") & (value < 1e-2))] = None
    bands[_equal(status, "pos_below_qr")] = "pnq"
    bands[undetectable] = "insensitive"
    bands[undetectable & (lod <= MRD_CUT)] = "undetectable"
    return bands


DERIVATIONS: Mapping[str, Callable[[pd.DataFrame], Objects]] = MappingProxyType({
    "age_group": age_group,
    "dx_period": dx_period,
    "wbc_band": wbc_band,
    "nci_risk": nci_risk,
    "cyto_group": cyto_group,
    "mrd_group": mrd_group,
    "mrd_eoi_band": mrd_eoi_band,
    "ikzf1plus": ikzf1plus,
    "cna_profile": cna_profile,
})
