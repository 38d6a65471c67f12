"""From a packed dataset to the same dataset with distorted copies of its training pictures.

Read augment, preview, in this order.
"""
