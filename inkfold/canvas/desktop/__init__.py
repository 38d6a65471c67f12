"""The window to write on, for machines without a browser.

Read window, panel, in this order.
"""
