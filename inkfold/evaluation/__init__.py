"""How good a bundle is on a split, and how far its probabilities can be trusted.

Read compatibility, evaluate, calibrate, refusal, resolution, advice, words, paired, compare,
report, page, confusion_plot, in this order.
"""
