"""The building blocks of pages. `build_*` is pure, `show_*` touches Streamlit."""
