"""What every page shares: its frame, the badge of synthetic data, and who is signed in."""

from __future__ import annotations

import streamlit as st

from harmony_dash.access.actor import Actor, Role
from harmony_dash.ui.components.text import escape_markdown

PRODUCT = "Harmony dashboard"
ROLE_LABELS = {Role.CLINICIAN: "Clinician", Role.STEERING: "Steering committee", Role.ANALYST: "Analyst",
               Role.DATA_MANAGER: "Data manager", Role.OPERATOR: "Operator"}
# A survival curve in the accent colour. Drawn here, because Streamlit would fetch the picture of a named icon for the
# browser's tab from another server.
ICON = ('<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32" viewBox="0 0 32 32"><rect width="32" '
        'height="32" rx="6" fill="#0072B2"/><path d="M6 8h6v6h5v5h5v4h4" fill="none" stroke="#fff" '
        'stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"/></svg>')

# Streamlit leaves 96 px above every page and 80 px beside it; the figure and its table need them more. A table that
# goes on to the right has a shade there, which the page's colour covers once it is scrolled to its end.
_FRAME_STYLE = """
<style>
:root { %(inks)s }
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p,
.harmony-table th { color: %(quiet)s !important; opacity: 1 !important; }
.harmony-table { container-type: inline-size; overflow-x: auto; font-size: 0.875rem; line-height: 1.5;
    background: linear-gradient(to left, %(page)s 40%%, transparent) right / 3rem 100%% no-repeat local,
        linear-gradient(to left, color-mix(in srgb, %(quiet)s 45%%, transparent), transparent)
        right / 0.75rem 100%% no-repeat scroll; }
.harmony-table table { width: 100%%; border-collapse: separate; border-spacing: 0; }
.harmony-table :is(th, td) { padding: 4px 6px; text-align: left; vertical-align: middle; font-weight: 400;
    border: 0 solid color-mix(in srgb, %(quiet)s 25%%, transparent); border-bottom-width: 1px; }
.harmony-table tr:last-child td { border-bottom-width: 0; }
.harmony-table .number { text-align: right; font-variant-numeric: tabular-nums; }
.harmony-table :is(td, span).line { white-space: nowrap; }
@container (max-width: 40rem) { .harmony-table td.line { white-space: normal; } }
.harmony-table td.roomy { min-width: 16rem; }
.harmony-table .mark { --ink: var(--harmony-gray); padding: 1px 6px; border-radius: 0.25rem; color: var(--ink);
    background: color-mix(in srgb, var(--ink) 12%%, transparent); }
.harmony-table .red { --ink: var(--harmony-red); }
.harmony-table .orange { --ink: var(--harmony-orange); }
.harmony-table .green { --ink: var(--harmony-green); }
[data-testid="stMainBlockContainer"] { padding-top: 4rem; padding-bottom: 4rem; }
@media (min-width: 1000px) { [data-testid="stMainBlockContainer"] { padding-left: 3rem; padding-right: 3rem; } }
[data-testid="stMain"] { font-variant-numeric: tabular-nums; }
[data-testid="stButtonGroup"] button:is([aria-checked="true"], [aria-pressed="true"]),
[data-testid="stButtonGroup"] button:is([aria-checked="true"], [aria-pressed="true"]) p {
    color: %(selected)s !important; }
.st-key-protected { position: relative; top: 2px; }
.st-key-protected button { min-height: 1.6rem; padding: 0 0.4rem; border-radius: 0.25rem;
    background: color-mix(in srgb, %(selected)s 12%%, transparent); color: %(selected)s !important; }
.st-key-protected button p { color: %(selected)s !important; font-size: 0.875rem; }
</style>
"""
_SIGN_IN_STYLE = """
<style>
[data-testid="stMainBlockContainer"] { max-width: 35rem; padding-top: 3rem; padding-bottom: 2rem; }
[data-testid="stHeader"] { background: transparent; }
.st-key-sign_in [data-testid="stCaptionContainer"], .st-key-sign_in [data-testid="stCaptionContainer"] p,
.st-key-sign_in th { color: %(quiet)s !important; opacity: 1 !important; }
.st-key-sign_in table code { font-size: 0.875rem; white-space: nowrap; }
.st-key-sign_in { gap: 0.75rem; }
.st-key-sign_in [data-testid="stElementContainer"]:has(iframe[height="0"]),
.st-key-sign_in [data-testid="stElementContainer"]:has(style) { position: absolute; }
.st-key-sign_in [data-testid="stForm"] { padding: 1.25rem 1.5rem 1.5rem; }
.st-key-sign_in [data-testid="stFormSubmitButton"] button {
    background: %(accent)s; border-color: %(accent)s; color: %(on_accent)s; min-width: 8rem; }
.st-key-sign_in [data-testid="stFormSubmitButton"] button:hover { filter: brightness(0.92); }
.harmony-brand { display: flex; align-items: center; gap: 0.75rem; font-size: 1.5rem; font-weight: 600; }
</style>
"""
# As `.streamlit/config.toml` has them.
_PAGES = {"light": "#FFFFFF", "dark": "#171819"}
# Streamlit's faded text stays below 4.5:1; these greys reach 6.0:1 and 7.6:1.
_QUIET = {"light": "#5B6168", "dark": "#A5ABB1"}
# Words of the chosen segment and of the protection mark, on a tenth of the accent over the page: 6.4:1 and 8.5:1.
# Streamlit takes the accent itself, which stays at 3.4:1 on the dark page.
SELECTED = {"light": "#005A8C", "dark": "#7CC4EC"}
# Words of a mark in a table, on an eighth of themselves over the page: 5.4:1 or more.
_INKS = {"light": {"gray": "#4F555B", "red": "#A4262C", "orange": "#8A4B00", "green": "#1E6B34"},
         "dark": {"gray": "#B4BAC0", "red": "#FF9A95", "orange": "#FFC266", "green": "#7DD99A"}}
# The accent and the text on it: 5.2:1 and 7.5:1.
_ACCENTS = {"light": ("#0072B2", "#FFFFFF"), "dark": ("#56B0E2", "#171819")}


def configure_page(*, wide: bool) -> None:
    """Title, icon and width of the page; the first call of every run."""
    st.set_page_config(page_title=PRODUCT, page_icon=ICON, layout="wide" if wide else "centered", menu_items={})


def show_frame() -> None:
    """Spacing, numerals and quiet text of every page."""
    inks = " ".join(f"--harmony-{name}: {colour};" for name, colour in _INKS[_theme()].items())
    st.html(_FRAME_STYLE % {"quiet": _QUIET[_theme()], "page": _PAGES[_theme()], "selected": SELECTED[_theme()],
                            "inks": inks})


def show_sign_in_frame() -> None:
    """The narrow frame of the sign-in page, with the product's mark on top."""
    accent, on_accent = _ACCENTS[_theme()]
    st.html(_SIGN_IN_STYLE % {"accent": accent, "on_accent": on_accent, "quiet": _QUIET[_theme()]})
    st.html(f'<div class="harmony-brand" role="heading" aria-level="1"><img src="/favicon.png" alt="" width="32" '
            f'height="32"><span>{PRODUCT}</span></div>')


def _theme() -> str:
    return "dark" if st.context.theme.type == "dark" else "light"


def show_synthetic_badge() -> None:
    """Say that no patient is real; on every page while the snapshot is synthetic."""
    st.badge("Synthetic data", icon=":material/science:", color="orange",
             help="Every patient here was made up by a generator. No result says anything about real patients.")


def show_top_row(actor: Actor, *, synthetic: bool) -> bool:
    """The quiet row over every page: what the data are, who is signed in. True when the person signs out."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center",
                      key="top_row"):
        with st.container(width="content"):
            if synthetic:
                show_synthetic_badge()
        name = escape_markdown(actor.name)
        with st.popover(f"{name} · {ROLE_LABELS[actor.role]}", icon=":material/account_circle:",
                        type="tertiary", width="content"):
            st.write(f"**{name}**")
            st.caption(f"Signed in as `{actor.username}` · {ROLE_LABELS[actor.role]}")
            return st.button("Sign out", icon=":material/logout:", key="sign_out", width="stretch")
