"""From class folders or a public set to one dataset file, in constant memory.

Read listing, source, archive, tar_headers, members, layout, names, scan, table, large_arrays,
settle, split, given_split, plan, pack, staged_set, public_set, in this order.
"""
