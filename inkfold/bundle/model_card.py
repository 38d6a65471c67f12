"""The page that tells a person what a bundle is."""

from __future__ import annotations

from typing import Any

from inkfold.metrics import Rate

CARD = "MODEL_CARD.md"
SCORES = "<!-- scores -->"  # what follows it is written by evaluate.py


def model_card(record: dict[str, Any]) -> str:
    """Markdown from a bundle's record; the test figures are added by ``evaluate.py``."""
    spec, recipe, options = record["spec"], record["recipe"], record["options"]
    validation = record["scores"]["validation"]
    right = Rate(validation["correct"], validation["total"])
    pictures = record["dataset"]["pictures"]
    stages = "; ".join(map(_stage, recipe["stages"]))
    refit = ", then trained again on train and validation together" if record["refit"] else ""
    known = "before it was trained on that too" if refit else _chosen(recipe["stages"])
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
| arithmetic | {options["policy"]} |
| seed | {record["seed"]} |
| epochs | {record["epochs"]} |

Right on validation, {known}: {right}.
A figure that no choice was made with is what `evaluate.py` adds below.

{SCORES}
Not evaluated yet.
"""


def _stage(stage: dict[str, Any]) -> str:
    rate = f"learning rate {stage['learning_rate']:g}"
    if stage["decay"] == "cosine":
        return f"{rate} falling to 0 along a cosine in {stage['epochs']} epochs"
    return f"{rate} for at most {stage['epochs']} epochs, patience {stage['patience']}"


def _chosen(stages: list[dict[str, Any]]) -> str:
    """What the figure on validation is, without a refit."""
    if all(stage["decay"] == "cosine" for stage in stages):
        return "after the last epoch, which is kept whatever it is"
    return "by which the epoch was chosen"


def _extras(recipe: dict[str, Any]) -> str:
    names = ("label_smoothing", "weight_decay")
    return "".join(f"; {n.replace('_', ' ')} {recipe[n]:g}" for n in names if recipe[n])


def _augmentation(augment: str, distortion: dict[str, float]) -> str:
    if augment == "none":
        return "none"
    amounts = ", ".join(f"{name} {value:g}" for name, value in distortion.items() if value)
    return f"{augment}: {amounts}"
