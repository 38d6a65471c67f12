"""From class folders or a public set to one dataset file, in constant memory.

Read listing, source, layout, names, scan, table, large_arrays, scratch, turns, stage, settle,
split, given_split, plan, packed_rows, pack, and for packing in shards buckets, stage_file, sharded,
pack_shard; then staged_set, public_set, in this order.
"""
