"""What is wrong with a dataset, and a cleaned copy of it.

Read audit, checks, near_duplicates, suspects, clean, report, in this order.
"""
