"""Limits from the environment: a share, or nothing is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from harmony_dash.errors import SettingsError
from harmony_dash.settings import Settings, read_settings, read_share


def test_the_limits_have_defaults_and_can_be_set(tmp_path: Path) -> None:
    assert (Settings.max_mean_risk, Settings.max_unique_share) == (0.09, 0.05)
    settings = read_settings({"HARMONY_MAX_MEAN_RISK": " 0.2 ", "HARMONY_MAX_UNIQUE_SHARE": "0"}, tmp_path)
    assert (settings.max_mean_risk, settings.max_unique_share) == (0.2, 0.0)
    settings = read_settings({"HARMONY_MAX_MEAN_RISK": ""}, tmp_path)
    assert (settings.max_mean_risk, settings.max_unique_share) == (0.09, 0.05)


@pytest.mark.parametrize("text", ["9", "-0.1", "1.01", "nan", "inf", "9 %", "0,09", "off"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_share("HARMONY_MAX_UNIQUE_SHARE", {"HARMONY_MAX_UNIQUE_SHARE": text}, 0.05)
    assert refused.value.where == "HARMONY_MAX_UNIQUE_SHARE"


def test_a_mean_risk_of_zero_would_refuse_everything() -> None:
    with pytest.raises(SettingsError, match="above 0"):
        read_share("HARMONY_MAX_MEAN_RISK", {"HARMONY_MAX_MEAN_RISK": "0"}, 0.09, above_zero=True)
