"""Rows as columns: each row of a frame gets the answer that a single result gets. Needs the extra "dataframes"."""
