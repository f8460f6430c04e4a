"""What a provider does not know: gaps in the synthetic truth, by source and country.

MRD missing in 10-15 %, cytogenetics failed in 5-10 %, copy numbers missing in 50-70 % depending on the country, some
transplant dates missing; prednisone response is not measured in the Nordic countries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harmony_dash.synthetic import genetics
from harmony_dash.synthetic.population import only

CNA_MISSING: Mapping[str, float] = {
    "NL": 0.50, "SE": 0.55, "DK": 0.52, "NO": 0.60, "FI": 0.64, "IS": 0.60, "FR": 0.58, "BE": 0.66, "PT": 0.70,
    "DE": 0.54, "AT": 0.50, "CH": 0.62, "IT": 0.62, "ES": 0.69, "CZ": 0.53}

_SEQUENCED = frozenset({
    "ETV6::RUNX1-like", "Ph-like ABL-class", "Ph-like CRLF2", "Ph-like JAK/EPOR", "Ph-like NOS", "DUX4-r", "ZNF384-r",
    "MEF2D-r", "NUTM1-r", "PAX5alt", "PAX5 P80R", "IKZF1 N159Y", "BCL2/MYC-r"})
"""Subtypes that only RNA sequencing (or a targeted panel) shows; without it they are B-other."""
_SEQUENCED_MARKERS = ("abl_class", "crlf2_r", "dux4_r", "znf384_r", "mef2d_r", "nutm1_r", "pax5alt", "ph_like")
_ROUTINE_MARKERS = ("etv6_runx1", "heh", "bcr_abl1", "kmt2a_r", "tcf3_pbx1", "tcf3_hlf", "iamp21", "near_haploid",
                    "low_hypodiploid")


@dataclass(frozen=True)
class Gaps:
    """Shares of a source's patients without a result.

    Where `limits_known` is false the provider vouches for a sensitivity of 1e-4 and sends no result of a weaker assay.
    """

    mrd: float = 0.12
    mrd_failed: float = 0.02
    cytogenetics_failed: float = 0.07
    sequenced: float = 0.35
    erg_untested: float = 0.35
    t_panel: float = 0.5
    transplant_day: float = 0.10
    white_cells: float = 0.01
    blood: float = 0.08
    cns: float = 0.04
    down: float = 0.02
    marrow_d15: float = 0.15
    prednisone: float = 0.06
    details: float = 0.08
    limits_known: bool = False


def apply_gaps(frame: pd.DataFrame, gaps: Gaps, rng: np.random.Generator) -> pd.DataFrame:
    """A copy of canonical rows as the provider knows them."""
    seen = frame.copy()
    size = len(seen)

    def lose(share: float, *names: str) -> None:
        lost = rng.random(size) < share
        for name in names:
            seen[name] = seen[name].where(~lost, np.nan if seen[name].dtype == np.float64 else None)

    _lose_genetics(seen, gaps, rng)
    _lose_deletions(seen, gaps, rng)
    for point in ("eoi", "eoc"):
        _lose_mrd(seen, point, gaps, rng)
    lose(gaps.white_cells, "wbc_dx")
    for name in ("hb", "plt", "blasts_bm", "blasts_pb"):
        lose(gaps.blood, name)
    lose(gaps.cns, "cns_status")
    lose(gaps.down, "down_syndrome")
    lose(gaps.marrow_d15, "marrow_d15")
    lose(gaps.prednisone, "prednisone_response_d8")
    lose(gaps.transplant_day, "hsct_days")
    for name in ("cause_death", "relapse_site", "mediastinum"):
        lose(gaps.details, name)
    return seen


def _lose_genetics(seen: pd.DataFrame, gaps: Gaps, rng: np.random.Generator) -> None:
    size = len(seen)
    t_cell = (seen["immunophenotype"] == "T").to_numpy()
    failed = (rng.random(size) < gaps.cytogenetics_failed) & ~t_cell
    sequenced = (rng.random(size) < gaps.sequenced) & ~failed
    hidden = np.isin(seen["subtype"].to_numpy(dtype=str), list(_SEQUENCED)) & ~sequenced
    unsplit = t_cell & (rng.random(size) < 0.6) & ~seen["subtype"].isin(("T ETP", "T non-ETP")).to_numpy()
    shown = np.select([hidden, unsplit], ["B-other (tested)", "T non-ETP"], seen["subtype"].to_numpy(dtype=object))
    seen["subtype"] = only(~failed, np.asarray(shown, dtype=object))
    for name in _ROUTINE_MARKERS:
        # Some tests are left out; a positive one was done, and "tested, none found" says that all were.
        skipped = (rng.random(size) < 0.10) & (seen[name] == "neg").to_numpy() & (shown != "B-other (tested)")
        seen[name] = np.select([failed, skipped], ["failed", "not_done"], seen[name])
    for name in _SEQUENCED_MARKERS:
        seen[name] = np.where(sequenced, seen[name], "not_done").astype(object)
    untyped = rng.random(size) < 0.3
    for name in genetics.TRISOMIES:
        seen[name] = seen[name].where(~untyped & ~failed, None)
    unpanelled = rng.random(size) >= gaps.t_panel
    for name in genetics.T_MUTATIONS:
        seen[name] = np.where(t_cell & unpanelled, "not_done", seen[name].to_numpy(dtype=object))


def _lose_deletions(seen: pd.DataFrame, gaps: Gaps, rng: np.random.Generator) -> None:
    size = len(seen)
    share = np.vectorize(CNA_MISSING.__getitem__, otypes=[float])(seen["country"].to_numpy(dtype=object))
    untested = rng.random(size) < share
    failed = ~untested & (rng.random(size) < 0.02)
    no_erg = rng.random(size) < gaps.erg_untested
    for name in [column for column in seen.columns if column.startswith("cna_")]:
        skipped = untested | no_erg if name == "cna_erg" else untested
        seen[name] = np.select([skipped, failed], ["not_done", "failed"], seen[name])


def _lose_mrd(seen: pd.DataFrame, point: str, gaps: Gaps, rng: np.random.Generator) -> None:
    draw = rng.random(len(seen))
    status = seen[f"mrd_{point}_status"].to_numpy(dtype=object)
    known = pd.notna(status)
    weak = known & (seen[f"mrd_{point}_lod"].to_numpy() > 1.001e-4) & (not gaps.limits_known)
    lost = known & (draw < gaps.mrd)
    failed = known & ~lost & (draw < gaps.mrd + gaps.mrd_failed)
    unstated = (lost & (draw < gaps.mrd / 2)) | weak
    lost |= weak
    failed &= ~weak
    stated = np.asarray(np.select([lost, failed], ["not_done", "failed"], status), dtype=object)
    seen[f"mrd_{point}_status"] = only(~unstated, stated)
    for part in ("value", "lod", "loq", "day"):
        gone = lost | failed if part == "value" else lost
        seen[f"mrd_{point}_{part}"] = seen[f"mrd_{point}_{part}"].where(~gone, np.nan)
