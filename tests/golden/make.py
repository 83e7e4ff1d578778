"""Writes the golden artifact of the format version, and what scikit-learn answers to some rows.

By hand, once per format version: `python -m tests.golden.make`. An artifact that was released is
never written again: it has to load as it is, for ever.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import penstock
from penstock.artifact import FORMAT

FOLDER = Path(__file__).parent
CARRIERS = ["AA", "B6", "UA", "Zürich"]
ROWS = [
    {"carrier": "UA", "distance": 1400.0, "hour": 17.0},
    {"carrier": "AA", "distance": 187.5, "hour": 6.0},
    {"carrier": "Zürich", "distance": 4000.0, "hour": 20.0},
    {"carrier": "never seen", "distance": 733.0, "hour": 13.0},
    {"carrier": None, "distance": None, "hour": None},
    {"carrier": "B6", "distance": 0.0, "hour": 23.0},
    {"carrier": "B6", "distance": None, "hour": 0.0},
]


def fitted():
    """A pipeline with an imputer, a scaler, an encoder and a forest, and what it was fitted on."""
    random = np.random.default_rng(2013)
    frame = pd.DataFrame(
        {
            "carrier": random.choice(np.array([*CARRIERS, None], dtype=object), 300),
            "distance": random.lognormal(6.8, 0.7, 300).round(1),
            "hour": random.integers(0, 24, 300).astype(float),
        }
    )
    frame.loc[::11, "distance"] = np.nan
    late = np.where(frame["hour"] * 100 + frame["distance"].fillna(0) > 2200, "late", "on time")
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), ["distance", "hour"]),
        (
            make_pipeline(
                SimpleImputer(strategy="constant", fill_value="missing"),
                OneHotEncoder(handle_unknown="ignore"),
            ),
            ["carrier"],
        ),
    )
    forest = RandomForestClassifier(n_estimators=5, max_depth=4, random_state=2013)
    return make_pipeline(columns, forest).fit(frame, late), frame


def main():
    """Writes `format-<version>.penstock` and `.json`, unless they are there."""
    path = FOLDER / f"format-{FORMAT}.penstock"
    if path.exists():
        sys.exit(f"`{path}` is there; an artifact that was released is never written again")
    pipeline, frame = fitted()
    policies = {"distance": penstock.Field(minimum=0, on_range="missing")}
    model = penstock.convert(pipeline, frame, name="golden", version="1", policies=policies)
    model.save(path)
    rows = pd.DataFrame(ROWS).astype({"distance": float, "hour": float})
    answers = {
        "digest": model.digest,
        "rows": ROWS,
        "label": pipeline.predict(rows).tolist(),
        "probability": pipeline.predict_proba(rows).tolist(),
    }
    path.with_suffix(".json").write_text(
        json.dumps(answers, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
