"""From a recipe, a network and a dataset to a bundle.

Read engine, pace, plan, loop, scoring, batches, compile, allocator, checkpoint, events, log,
write_bundle, half_precision, in this order.
"""
