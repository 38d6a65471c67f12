"""From a recipe, a network and a dataset to a bundle.

Read engine, balance, pace, plan, loop, scoring, batches, machines, places, joining, compile, twins,
kernels, allocator, checkpoint, events, log, learn_novelty, write_bundle, half_precision, in this
order.
"""
