"""What is wrong with a dataset, and a cleaned copy of it.

Read audit, checks, near_duplicates, embeddings, suspects, clean, advice, report, in this order.
"""
