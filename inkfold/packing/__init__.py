"""From class folders or a public set to one dataset file, in constant memory.

Read listing, source, layout, names, scan, table, scratch, turns, stage, settle, split, given_split,
plan, pack, staged_set, public_set, in this order.
"""
