"""The features of a network: what its last dense layer is given, beside its probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras
    import onnx

FEATURES = "features"  # the name of the second output of ``model.onnx``


def add_features(model: onnx.ModelProto) -> bool:
    """Give an ONNX network a second output, float32 (n, d): the input of its last dense layer.

    The first output stays as it is, to the last bit. Nothing changes where the network has the
    output already, or does not end in a dense layer.

    Returns
    -------
    has_features : bool
        Whether the network has the output now.
    """
    import onnx

    graph = model.graph
    if len(graph.output) > 1:
        return bool(graph.output[1].name == FEATURES)
    found = _last_dense(graph)
    if found is None:
        return False
    source, width = found
    graph.node.append(onnx.helper.make_node("Identity", [source], [FEATURES], name=FEATURES))
    first = graph.output[0].type.tensor_type.shape.dim[0]
    rows = first.dim_param or "n"
    kind = onnx.TensorProto.FLOAT
    graph.output.append(onnx.helper.make_tensor_value_info(FEATURES, kind, [rows, width]))
    return True


def _last_dense(graph: onnx.GraphProto) -> tuple[str, int] | None:
    """The name and width of what the last dense layer is given; None if the last is another."""
    made_by = {output: node for node in graph.node for output in node.output}
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    name = graph.output[0].name
    while (node := made_by.get(name)) is not None:
        if node.op_type in {"MatMul", "Gemm"}:
            return _given(node, made_by, shapes)
        if node.op_type not in {"Softmax", "Add", "Identity", "Cast"}:
            return None
        name = node.input[0]
    return None


def _given(
    node: onnx.NodeProto, made_by: dict[str, Any], shapes: dict[str, tuple[int, ...]]
) -> tuple[str, int] | None:
    """The input of a product with weights, and its width; None if it is no such product."""
    weights = node.input[1]
    while weights in made_by and made_by[weights].op_type == "Cast":  # of half precision
        weights = made_by[weights].input[0]
    shape = shapes.get(weights, ())
    turned = any(each.name == "transB" and each.i for each in node.attribute)
    if len(shape) != 2 or any(each.name == "transA" and each.i for each in node.attribute):
        return None
    return node.input[0], shape[1 if turned else 0]


def count_features(model: keras.Model) -> int | None:
    """How many features a Keras network has; None if it ends in no dense layer."""
    both = with_features(model)
    return None if both is None else int(both.outputs[1].shape[-1])


def with_features(model: keras.Model) -> keras.Model | None:
    """A Keras network that gives probabilities and features; None if it ends in no dense layer."""
    from inkfold.keras_backend import import_keras

    keras = import_keras()
    dense = next(
        (layer for layer in reversed(model.layers) if isinstance(layer, keras.layers.Dense)), None
    )
    if dense is None or dense.input.ndim != 2:
        return None
    return keras.Model(model.inputs, [*model.outputs, dense.input])
