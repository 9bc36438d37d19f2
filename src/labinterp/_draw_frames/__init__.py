"""Draws of a frame, read whole: one row for each thing that is said of a draw. Needs the extra "dataframes"."""
