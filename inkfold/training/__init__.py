"""From a recipe, a network and a dataset to a bundle.

Read engine, loop, batches, compile, checkpoint, log, write_bundle, half_precision, in this order.
"""
