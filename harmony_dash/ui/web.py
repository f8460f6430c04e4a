"""What app.py hands to Streamlit: routes, middleware, start-up, and what happens when a page fails."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware

from harmony_dash.errors import UserError
from harmony_dash.ui.first_start import begin_first_start
from harmony_dash.ui.gate import Gate
from harmony_dash.ui.headers import SecurityHeaders
from harmony_dash.ui.incidents import note_error, quieten_streamlit
from harmony_dash.ui.outside_settings import outside_sign_in
from harmony_dash.ui.preload import FOR_SIGN_IN, INTERFACE_FETCHED, begin_preload
from harmony_dash.ui.routes import routes
from harmony_dash.ui.server_settings import check_server_settings
from harmony_dash.ui.startup import get_deployment

__all__ = ["lifespan", "middleware", "note_error", "routes"]


def _allowed_hosts() -> list[str]:
    return list(st.get_option("server.allowedHosts") or [])


# The headers go outermost, so that the gate's own answers carry them too.
middleware = [Middleware(SecurityHeaders), Middleware(Gate, allowed_hosts=_allowed_hosts)]


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Check before the first request that the application may start as it stands; a refusal is one clear line."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    quieten_streamlit()
    try:
        check_server_settings(st.get_option)
        deployment = await run_in_threadpool(get_deployment)
        await run_in_threadpool(outside_sign_in)
        await run_in_threadpool(begin_first_start, deployment, deployment.ensure_demo_accounts)
        begin_preload(FOR_SIGN_IN, INTERFACE_FETCHED)
    except UserError as refused:
        # the web server would print the way here, line by line, below the one line that matters
        logging.getLogger("uvicorn.error").addFilter(lambda line: "Traceback" not in line.getMessage())
        print(f"harmony_dash does not start. {refused.message}", file=sys.stderr)
        raise SystemExit(2) from None
    yield
