"""From text cells to harmonised columns."""
