"""From class folders or a public set to one dataset file, in constant memory.

Read scan, scratch, stage, split, plan, pack, public_set, in this order.
"""
