"""A canvas to write on: write a character, see the answer, keep the drawing.

Read curve, drawing, recogniser, kept_drawings, in this order; then web or desktop.
"""
