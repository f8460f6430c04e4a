"""The application: `streamlit run app.py`."""

import streamlit as st

from harmony_dash.ui.web import lifespan, middleware, note_error, routes

app = st.App("harmony_dash/ui/main.py", routes=routes, middleware=middleware, lifespan=lifespan,
             on_script_error=note_error)
