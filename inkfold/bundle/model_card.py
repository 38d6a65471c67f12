"""The model card: a page of Markdown about a bundle, for people."""

from __future__ import annotations

from typing import Any

from inkfold.bundle.bundle import recorded_rate

CARD = "MODEL_CARD.md"
SCORES = "<!-- scores -->"  # evaluate writes what follows this line


def model_card(record: dict[str, Any]) -> str:
    """Markdown from a bundle's record; the test figures are added by ``evaluate.py``."""
    spec, recipe, options = record["spec"], record["recipe"], record["options"]
    pictures = record["dataset"]["pictures"]
    stages = "; ".join(map(_stage, recipe["stages"]))
    refit = ", then trained again on train and validation together" if record["refit"] else ""
    use = "before it was trained on that too" if refit else _use_of(recipe["stages"])
    classes = " ".join(record["classes"][:60]) + (" ..." if len(record["classes"]) > 60 else "")
    return f"""# {record["name"]}

A classifier of handwritten characters: {len(record["classes"])} classes,
{record["parameters"]:,} parameters, {spec["size"]}x{spec["size"]} pictures.

| | |
|---|---|
| classes | {classes} |
| pictures | {pictures["train"]:,} to train on, {pictures["validation"]:,} to validate with |
| dataset fingerprint | `{record["dataset"]["fingerprint"]}` |
| preparation | fit {spec["fit"]}, ink {spec["ink"]}, threshold {spec["threshold"]} |
| recipe | {stages}; batch {recipe["batch"]}{_extras(recipe)}{refit} |
| augmentation while training | {_augmentation(options["augment"], recipe["distortion"])} |
| weights of classes in the loss | {_weights(record.get("class_weights"))} |
| arithmetic | {options["policy"]} |
| seed | {record["seed"]} |
| epochs | {record["epochs"]} |

Right on validation, {use}: {recorded_rate(record, "validation")}.
A figure that no choice was made with is what `inkfold evaluate` adds below.

{SCORES}
Not evaluated yet.
"""


def _stage(stage: dict[str, Any]) -> str:
    rate = f"learning rate {stage['learning_rate']:g}"
    if stage["decay"] == "cosine":
        return f"{rate} falling to 0 along a cosine in {stage['epochs']} epochs"
    return f"{rate} for at most {stage['epochs']} epochs, patience {stage['patience']}"


def _use_of(stages: list[dict[str, Any]]) -> str:
    """How the search used the validation split, as the end of "Right on validation, ..."."""
    if all(stage["decay"] == "cosine" for stage in stages):
        return "after the last epoch, which is kept whatever it is"
    return "by which the epoch was chosen"


def _extras(recipe: dict[str, Any]) -> str:
    names = ("label_smoothing", "weight_decay")
    return "".join(f"; {n.replace('_', ' ')} {recipe[n]:g}" for n in names if recipe[n])


def _weights(weights: list[float] | None) -> str:
    if not weights:
        return "none"
    return f"{min(weights):.2g} to {max(weights):.2g}, more for a class with fewer pictures"


def _augmentation(augment: str, distortion: dict[str, float]) -> str:
    if augment == "none":
        return "none"
    amounts = ", ".join(f"{name} {value:g}" for name, value in distortion.items() if value)
    return f"{augment}: {amounts}"
