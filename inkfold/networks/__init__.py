"""The networks that come along, one a file: layers, recipe, and the score to expect.

Read cnn32 first, then cnn30 and cnn32_wide, which are like it; plain28, strided28, leaky28,
blocks28, lenet64 and residual32. A network of one's own has the same form (docs/training.md).
scores has what each had right.
"""
