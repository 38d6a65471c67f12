"""A bundle: a trained network on the disk with all that is needed to use it (docs/formats.md).

Read hashing, record, bundle, writing, network, features, novelty_file, history, model_card,
onnx_export, check, in this order.
"""

from inkfold.bundle.bundle import Bundle, load_bundle, newest_bundle

__all__ = ["Bundle", "load_bundle", "newest_bundle"]
