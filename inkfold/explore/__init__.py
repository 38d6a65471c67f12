"""A dataset as one page to look at.

Read scan, figures, pictures, projection, page, in this order.
"""
