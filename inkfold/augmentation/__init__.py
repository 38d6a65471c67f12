"""From a packed dataset to the same dataset with distorted copies of its training pictures.

Read augment, shards, preview, in this order.
"""
