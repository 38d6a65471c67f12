"""The page at /docs: the OpenAPI description as plain HTML, with a line to type for each path."""

from __future__ import annotations

from typing import Any

from inkfold.pages.page import render_page

EXAMPLES = {
    "/predict": "curl -F file=@letter.png http://127.0.0.1:8000/predict",
    "/predict/strokes": (
        "curl -H 'Content-Type: application/json' http://127.0.0.1:8000/predict/strokes -d "
        '\'{"rows": 100, "columns": 100, "strokes": '
        '[{"brush": 12, "points": [[10, 50, 0.5], [90, 50, 0.5]]}]}\''
    ),
}


def manual(description: dict[str, Any]) -> str:
    """HTML of an OpenAPI description.

    Parameters
    ----------
    description : dict
        OpenAPI 3.1, as FastAPI makes it.
    """
    schemas = description["components"]["schemas"]
    paths = [
        {
            "method": method.upper(),
            "path": path,
            "what": operation.get("description", operation["summary"]),
            "example": EXAMPLES.get(path),
            "answers": [
                {"code": code, "what": answer["description"]}
                for code, answer in operation["responses"].items()
            ],
        }
        for path, operations in description["paths"].items()
        for method, operation in operations.items()
    ]
    bodies = [
        {
            "name": name.removesuffix("Message"),
            "what": schema.get("description", ""),
            "fields": [
                {"name": field, "type": _type(rules), "what": rules.get("description", "")}
                for field, rules in schema.get("properties", {}).items()
            ],
        }
        for name, schema in schemas.items()
        if name.endswith("Message") or name in {"Likely", "Seen", "Problem"}
    ]
    return render_page("manual.html.j2", info=description["info"], paths=paths, bodies=bodies)


def _type(rules: dict[str, Any]) -> str:
    if "$ref" in rules:
        return str(rules["$ref"].rpartition("/")[2].removesuffix("Message"))
    if "anyOf" in rules:
        return " or ".join(map(_type, rules["anyOf"]))
    if rules.get("type") == "array":
        return f"list of {_type(rules['items'])}" if "items" in rules else "list"
    return str(rules.get("type", "any"))
