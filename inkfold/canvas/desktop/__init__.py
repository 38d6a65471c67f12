"""The window to write on, for machines where no browser is wanted.

Read window, panel, in this order.
"""
