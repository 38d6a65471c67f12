"""What every report is made of: pages, charts and fonts.

Read page, chart, fonts, in this order.
"""
