"""A photograph of writing becomes ink on even paper: capture, paper, sheet, ruling, writing.

`written` joins them.
"""
