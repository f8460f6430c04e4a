"""The E-value: how strong an unmeasured confounder would have to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harmony_dash.errors import StatisticsError


@dataclass(frozen=True)
class EValue:
    """The least risk ratio with both arm and outcome that an unmeasured confounder needs.

    Attributes
    ----------
    risk_ratio : the ratio explained away, on the scale of risks.
    estimate : to move the estimate to a ratio of 1.
    limit : to move the confidence limit next to 1 there; 1 where the interval holds 1 already.
    """

    risk_ratio: float
    estimate: float
    limit: float


def explain_risk_ratio(ratio: float, lower: float, upper: float) -> EValue:
    """Compute the E-value of a risk ratio.

    Assumes
        Nothing about the confounder: the value is the least one that could explain the ratio away.

    Formula
        RR + sqrt(RR (RR - 1)) for RR >= 1; below 1 the same of 1/RR. The limit next to 1 likewise.

    Parameters
    ----------
    ratio, lower, upper : positive; a risk ratio and its confidence limits.

    Returns
    -------
    EValue

    Raises
    ------
    StatisticsError for a ratio that is not positive, or limits that do not hold it.

    References
    ----------
    VanderWeele, Ding, Ann Intern Med 167 (2017) 268-274.
    """
    if not (np.isfinite(ratio) and 0 < lower <= ratio <= upper):
        raise StatisticsError("an E-value takes a positive ratio between its limits")
    nearest = lower if ratio >= 1 else upper
    across = lower <= 1 <= upper
    return EValue(ratio, _least(ratio), 1.0 if across else _least(nearest))


def explain_hazard_ratio(ratio: float, lower: float, upper: float, *, common: bool) -> EValue:
    """Compute the E-value of a hazard ratio.

    Assumes
        As `explain_risk_ratio`; a rare outcome's hazard ratio is nearly its risk ratio.

    Formula
        With an outcome of more than about 15 % by the end of follow-up RR = (1 - 0.5^sqrt(HR)) / (1 - 0.5^sqrt(1/HR)),
        otherwise RR = HR; then as for a risk ratio.

    Parameters
    ----------
    ratio, lower, upper : positive; a hazard ratio and its confidence limits.
    common : whether more than about 15 % have the outcome.

    Returns
    -------
    EValue

    Raises
    ------
    StatisticsError as `explain_risk_ratio`.

    References
    ----------
    VanderWeele, Biometrics 73 (2017) 1-12; VanderWeele, Ding, Ann Intern Med 167 (2017) 268-274, table 2.
    """
    if not (np.isfinite(ratio) and 0 < lower <= ratio <= upper):
        raise StatisticsError("an E-value takes a positive ratio between its limits")
    if not common:
        return explain_risk_ratio(ratio, lower, upper)
    return explain_risk_ratio(*(float((1 - 0.5 ** np.sqrt(one)) / (1 - 0.5 ** np.sqrt(1 / one)))
                                for one in (ratio, lower, upper)))


def _least(ratio: float) -> float:
    above = max(ratio, 1 / ratio)
    return float(above + np.sqrt(above * (above - 1)))
