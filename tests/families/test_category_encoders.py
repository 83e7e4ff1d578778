"""Encoders of category_encoders, asked level by level."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import penstock
from tests import contract

COLUMNS = ["color", "town", "word"]


def frame() -> Any:
    made = contract.texts()
    # category_encoders takes None for NaN; a column of both is refused.
    made["town"] = made["town"].astype("object").where(made["town"].notna(), None)
    made["number"] = contract.numbers()["normal"]
    return made


def target() -> Any:
    return (contract.answer(contract.numbers()) == "yes").astype(int)


def encoding(name: str, *, drop: Any = (), **options: Any) -> Any:
    def example() -> tuple[Any, ...]:
        import category_encoders

        encoder = getattr(category_encoders, name)(**({"cols": list(COLUMNS)} | options))
        data = frame().drop(columns=list(drop))
        model = make_pipeline(encoder, LogisticRegression(max_iter=30))
        return model.fit(data, target()), data

    return example


def bare(name: str, **options: Any) -> Any:
    def example() -> tuple[Any, ...]:
        import category_encoders

        encoder = getattr(category_encoders, name)(**({"cols": list(COLUMNS)} | options))
        return encoder.fit(frame(), target()), frame()

    return example


def hashing(data: Any, **options: Any) -> Any:
    def example() -> tuple[Any, ...]:
        import category_encoders

        table = data()
        encoder = category_encoders.HashingEncoder(**({"max_process": 1} | options))
        return encoder.fit(table), table

    return example


def kinds() -> Any:
    made = contract.mixed()[["color", "normal", "flag", "size", "counts"]]
    return made.assign(
        normal=made["normal"] * 10.0 ** np.arange(-20, len(made) - 20).clip(-20, 20),
        text=made["color"].astype("str"),
        maybe=made["color"].astype("string"),
    )


def hashes_of_numbers() -> Any:
    return contract.numbers(missing=True)


def hashes_of_flags() -> Any:
    return pd.DataFrame({"one": [True, False] * 40, "other": [1.5, 2.5, 3.5, 0.0] * 20})


def hashes_of_arrays() -> Any:
    made = frame()[["color", "word"]].astype("object")
    return made.where(made.notna(), np.nan).to_numpy(dtype=object)


def hashes_before_a_model() -> tuple[Any, ...]:
    import category_encoders

    encoder = category_encoders.HashingEncoder(cols=COLUMNS, max_process=1, n_components=12)
    return make_pipeline(encoder, LogisticRegression()).fit(frame(), target()), frame()


def numbers_as_levels() -> tuple[Any, ...]:
    import category_encoders

    data = contract.numbers(missing=True)[["counts", "normal"]].fillna({"normal": 0.0})
    model = make_pipeline(category_encoders.TargetEncoder(cols=["counts"]), LogisticRegression())
    return model.fit(data, target()), data


def categories() -> tuple[Any, ...]:
    import category_encoders

    data = contract.mixed(missing=False)[["size", "normal"]]
    model = make_pipeline(category_encoders.OneHotEncoder(), LogisticRegression())
    return model.fit(data, target()), data


def arrays() -> tuple[Any, ...]:
    import category_encoders

    data = frame()[["color", "word"]].fillna("none").to_numpy(dtype=object)
    encoder = category_encoders.CountEncoder(cols=[0, 1], return_df=False)
    return make_pipeline(encoder, LogisticRegression()).fit(data, target()), data


EXAMPLES = {
    **{
        name.lower(): encoding(name)
        for name in (
            "BackwardDifferenceEncoder",
            "BaseNEncoder",
            "BinaryEncoder",
            "CatBoostEncoder",
            "CountEncoder",
            "GLMMEncoder",
            "GrayEncoder",
            "HelmertEncoder",
            "JamesSteinEncoder",
            "LeaveOneOutEncoder",
            "MEstimateEncoder",
            "OneHotEncoder",
            "OrdinalEncoder",
            "PolynomialEncoder",
            "QuantileEncoder",
            "RankHotEncoder",
            "SumEncoder",
            "SummaryEncoder",
            "TargetEncoder",
            "WOEEncoder",
        )
    },
    "base_n_of_three": encoding("BaseNEncoder", base=3),
    "one_hot_with_names": encoding("OneHotEncoder", use_cat_names=True),
    "ordinal_refusing": encoding("OrdinalEncoder", handle_unknown="error", handle_missing="value"),
    "ordinal_refusing_missing": encoding(
        "OrdinalEncoder", cols=["word"], handle_missing="error", drop=["color", "town"]
    ),
    "ordinal_giving_missing": bare(
        "OrdinalEncoder", handle_unknown="return_nan", handle_missing="return_nan"
    ),
    "ordinal_with_mapping": encoding(
        "OrdinalEncoder",
        cols=["color"],
        drop=["town", "word"],
        mapping=[{"col": "color", "mapping": {"red": 3, "blue": 7, np.nan: -2}}],
    ),
    "target_giving_missing": bare(
        "TargetEncoder", handle_unknown="return_nan", handle_missing="return_nan"
    ),
    "target_with_smoothing": encoding("TargetEncoder", smoothing=2.5, min_samples_leaf=4),
    "target_without_rare_levels": encoding("TargetEncoder", min_group_size=9),
    "count_without_rare_levels": encoding("CountEncoder", min_group_size=9, normalize=True),
    "count_with_unknown_as_zero": encoding(
        "CountEncoder", handle_unknown=0, handle_missing="count"
    ),
    "leave_one_out_with_noise": encoding("LeaveOneOutEncoder", sigma=0.3, random_state=0),
    "woe_randomized": encoding("WOEEncoder", randomized=True, random_state=0, regularization=0.5),
    "one_hot_without_invariants": encoding("OneHotEncoder", drop_invariant=True),
    "binary_as_array": encoding("BinaryEncoder", return_df=False),
    "numbers_as_levels": numbers_as_levels,
    "categories": categories,
    "hashes": hashing(frame, cols=COLUMNS),
    "hashes_before_a_model": hashes_before_a_model,
    "hashes_of_all_kinds": hashing(
        kinds, cols=["color", "normal", "flag", "size", "text", "maybe"], n_components=31
    ),
    "hashes_of_numbers": hashing(hashes_of_numbers, cols=["normal", "large", "counts"]),
    "hashes_of_flags": hashing(hashes_of_flags, cols=["one"], return_df=False),
    "hashes_of_flags_and_numbers": hashing(hashes_of_flags, cols=["one", "other"]),
    "hashes_of_arrays": hashing(hashes_of_arrays, return_df=False),
    "hashes_without_invariants": hashing(
        hashes_of_flags, cols=["one"], n_components=50, drop_invariant=True
    ),
    "hashes_of_one": hashing(frame, cols=COLUMNS, n_components=1),
    **{
        f"hashes_by_{method}": hashing(frame, cols=["word"], hash_method=method, n_components=97)
        for method in ("sha1", "sha224", "sha256", "sha384", "sha512")
    },
    "arrays": arrays,
}


def test_columns_that_are_encoded_together_are_refused() -> None:
    import category_encoders

    encoder = category_encoders.TargetEncoder(
        cols=list(COLUMNS), composite_cols=[("color", "word")]
    )
    encoder.fit(frame(), target())
    assert "composite_cols" in contract.refused(encoder, frame())


def test_a_hierarchy_is_refused() -> None:
    import category_encoders

    encoder = category_encoders.TargetEncoder(
        cols=["color"], hierarchy={"color": {"warm": ("red",), "cold": ("blue", "green")}}
    )
    data = frame()[["color"]].fillna("red")
    encoder.fit(data, target())
    assert "hierarchy" in contract.refused(encoder, data)


def test_other_digests_are_refused() -> None:
    model, data = hashing(frame, cols=["color"], hash_method="blake2b")()
    assert "hash_method" in contract.refused(model, data)


def test_levels_that_are_put_together_before_they_are_hashed_are_refused() -> None:
    model, data = hashing(frame, cols=["town"], min_group_size=20)()
    assert "min_group_size" in contract.refused(model, data)


def test_hashes_of_integers_are_refused() -> None:
    # Beside a missing value they are written as floats: `5` in one batch, and `5.0` in another.
    data = contract.mixed(missing=False)[["integer", "normal"]]
    assert "cast it to text" in contract.refused(*hashing(lambda: data, cols=["integer"])())


def test_none_in_an_array_is_not_hashed() -> None:
    def data() -> Any:
        return frame()[["color", "word"]].to_numpy(dtype=object)

    assert "fit on a frame" in contract.refused(*hashing(data)())


def test_texts_and_numbers_that_were_never_seen_are_hashed() -> None:
    model, data = hashing(kinds, cols=["color", "normal"], n_components=31)()
    texts = ["", "nan", "None", "red ", "東京", "e\u0301", "x" * 5000, None]
    floats = [0.1, -0.0, 1e16, 1e22, 123456789012345680.0, 5e-324, 1.7e308, 1e-5, 1e-4, 1 / 3, None]
    base = data.head(1).to_dict("records")[0] | {"maybe": "red"}
    rows = [base | {"color": text, "normal": x} for text in texts for x in floats]
    contract.same(model, data, rows)


def test_booleans_are_refused() -> None:
    import category_encoders

    data = contract.mixed(missing=False)[["flag", "normal"]]
    encoder = category_encoders.OrdinalEncoder(cols=["flag"]).fit(data)
    assert "encode texts or numbers" in contract.refused(encoder, data)


@pytest.mark.parametrize("name", ["targetencoder", "onehotencoder"])
def test_levels_that_were_never_seen_get_what_the_encoder_gives(name: str) -> None:
    model, data = EXAMPLES[name]()
    rows = [
        {"color": color, "town": "town 3", "word": word, "number": 0.5}
        for color in ("violet", "red ", "RED", "nan", "", None)
        for word in ("Straße", "strasse", None)
    ]
    converted = penstock.convert(model, data)
    expected = model.predict_proba(pd.DataFrame(rows))[:, 1]
    given = [answer["probability"][1] for answer in converted.predict(rows)]
    np.testing.assert_allclose(given, expected, rtol=1e-9)
