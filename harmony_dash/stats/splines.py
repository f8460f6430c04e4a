"""Restricted cubic splines: smooth in the middle, straight in the tails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import Floats

# Where Harrell puts knots: at fixed shares of the data, whatever its shape.
KNOT_SHARES: Final = {3: (0.1, 0.5, 0.9), 4: (0.05, 0.35, 0.65, 0.95), 5: (0.05, 0.275, 0.5, 0.725, 0.95)}


@dataclass(frozen=True)
class RestrictedCubicSpline:
    """The spline with these knots.

    Attributes
    ----------
    name : name of the variable.
    knots : shape (k,); at least three, increasing, in units of the variable.
    """

    name: str
    knots: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.knots) < 3 or not np.isfinite(self.knots).all() or bool((np.diff(self.knots) <= 0).any()):
            raise StatisticsError(f"a spline of {self.name} needs three or more knots in increasing order",
                                  remedy="let it enter as a straight line")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of `basis`."""
        curved = [f"{self.name} (curvature)"] if len(self.knots) == 3 else [
            f"{self.name} (curvature {column})" for column in range(1, len(self.knots) - 1)]
        return (self.name, *curved)

    def basis(self, values: ArrayLike) -> Floats:
        """Evaluate the columns of the spline.

        Formula
            Column 0 is x. With u+ = max(u, 0), knots t_1 < ... < t_k and d = (t_k - t_1)^2, column j = 1, ..., k - 2 is
            [(x - t_j)+^3 - (x - t_(k-1))+^3 (t_k - t_j)/(t_k - t_(k-1)) + (x - t_k)+^3 (t_(k-1) - t_j)/(t_k -
            t_(k-1))] / d. Any combination is cubic between knots, has two continuous derivatives, and is straight
            before the first and after the last knot.

        Parameters
        ----------
        values : shape (n,).

        Returns
        -------
        shape (n, k - 1).

        References
        ----------
        Stone, Koo, Proc Stat Comput Sect Am Stat Assoc (1985) 45-48; Harrell, Regression Modeling Strategies (2nd ed.
        2015), equation 2.25.
        """
        x, knots = np.asarray(values, dtype=np.float64), np.array(self.knots)
        beyond = np.maximum(x[:, None] - knots, 0) ** 3
        last = knots[-1] - knots[-2]
        inner = (beyond[:, :-2] - beyond[:, -2:-1] * (knots[-1] - knots[:-2]) / last
                 + beyond[:, -1:] * (knots[-2] - knots[:-2]) / last)
        return np.column_stack([x, inner / (knots[-1] - knots[0]) ** 2])


def place_knots(name: str, values: ArrayLike, count: int = 4) -> RestrictedCubicSpline:
    """Put knots at fixed quantiles of a variable.

    Assumes
        The variable takes many values: where many patients share one, two quantiles can be the same.

    Formula
        The shares of `KNOT_SHARES`, linear interpolation between the ordered values.

    Parameters
    ----------
    name : name of the variable.
    values : shape (n,); missing values are left out.
    count : 3, 4 or 5 knots.

    Raises
    ------
    StatisticsError for another number of knots, or when two knots fall together.

    References
    ----------
    Harrell, Regression Modeling Strategies (2nd ed. 2015), table 2.3.
    """
    if count not in KNOT_SHARES:
        raise StatisticsError("a spline has 3, 4 or 5 knots")
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        raise StatisticsError(f"{name} has no values to place knots at")
    return RestrictedCubicSpline(name, tuple(np.quantile(known, KNOT_SHARES[count]).tolist()))
