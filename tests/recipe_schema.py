"""Writes the JSON Schema of recipes to docs/: `python -m tests.recipe_schema`."""

import json

from penstock.training.recipes import schema
from tests.pages import ROOT

if __name__ == "__main__":
    text = json.dumps(schema(), indent=2) + "\n"
    (ROOT / "docs" / "recipe.schema.json").write_text(text, encoding="utf-8")
