# ruff: noqa: RUF001, SIM905 (letters that look like others are what is tested)
"""Texts to terms: vectorizers, hashes and weights; Python's `str` and `re` are the oracle."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
    strip_accents_unicode,
)
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.naive_bayes import BernoulliNB, ComplementNB, MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import Binarizer, MaxAbsScaler, StandardScaler

import penstock
from tests import contract

WORDS = (
    "the a cat cats dog house Haus Straße STRASSE naïve Ärger ÄRGER ΟΔΟΣ ΣΑΣ İstanbul ısı I'm "
    "don't 東京 タワー e-mail x1 42 _under 3.14 ﬁne ½ Ⅷ résumé re\u0301sume\u0301 नमस्ते of and"
).split()
# What Unicode and `re` make hard: marks, sigmas at the ends of words, dotted and dotless i, spaces
# of all kinds, letters beyond 16 bits, digits of other scripts, ligatures, Hangul.
HOSTILE = [
    "",
    " ",
    "a",
    "ΑΣ ΣΑΣ Σ ΑΣ. ΑΣ\u0301Α ΑΣ\u00ad ͅΣ ΑΣ'Α ͅΑΣ\u0301 Ⅷ\u03a3",
    "İSTANBUL Iı iİ I\u0307 ẞ ǅ ŉ ΐ ﬃ Å K",
    "re\u0301sume\u0301 r\u00e9sum\u00e9 n\u0303 \u0301a a\u0301\u0327 q\u0307\u0323",
    "the\u00a0cat\u2003dog\u3000house\u1680\u180e\u200b\u2028of\x1cand\x85the\n\n\tcat",
    "𝕬𝖇𝖈 𐐀𐐨 𝟘𝟙 👩\u200d👩\u200d👧 😀cat",
    "٣٤٥ १२३ x² ½ cat٣",
    "한국어 각 \u1100\u1161\u11a8 ㈀ ㎏ ｶﾞ ﷺ",
    "_ __ a_b cat_dog ‿ ⁀ don’t don't",
    "nan None null",
    "cat " * 2000,
    "x" * 70_000,
    "é" * 70_000 + " the cat",
    "\ufdfa" * 300,
]


def texts(rows: int = 120, seed: int = 0) -> list[str]:
    random = np.random.default_rng(seed)
    made = [" ".join(random.choice(WORDS, size=random.integers(0, 9))) for _ in range(rows)]
    return [text if at % 7 else text.upper() + "\t \n" + text for at, text in enumerate(made)]


def wanted(rows: int = 120) -> Any:
    return np.array(["no", "yes"])[[len(text) % 2 for text in texts(rows)]]


def frame(rows: int = 120) -> Any:
    numbers = contract.numbers(rows)
    return pd.DataFrame(
        {"review": texts(rows), "title": texts(rows, seed=1), "price": numbers["normal"]}
    )


def vectorizing(kind: Any, **options: Any) -> Any:
    def example() -> tuple[Any, ...]:
        model = make_pipeline(
            kind(**options), TruncatedSVD(4, random_state=0), LogisticRegression()
        )
        plain = make_pipeline(kind(**options), LogisticRegression(max_iter=50))
        model = plain if "n_features" not in options else model
        return model.fit(texts(), wanted()), texts()

    return example


def classifying(*steps: Any) -> Any:
    def example() -> tuple[Any, ...]:
        return make_pipeline(*steps).fit(texts(), wanted()), texts()

    return example


def bare_vectorizer() -> tuple[Any, ...]:
    return TfidfVectorizer(min_df=3).fit(texts()), texts()


def series_of_texts() -> tuple[Any, ...]:
    series = pd.Series(texts(), name="review")
    return make_pipeline(CountVectorizer(), MultinomialNB()).fit(series, wanted()), series


def array_of_texts() -> tuple[Any, ...]:
    array = np.array(texts(), dtype=object)
    return make_pipeline(CountVectorizer(), BernoulliNB()).fit(array, wanted()), array


def columns_of_texts_beside_numbers() -> tuple[Any, ...]:
    columns = ColumnTransformer(
        [
            ("review", TfidfVectorizer(), "review"),
            ("title", HashingVectorizer(n_features=64), "title"),
            ("price", StandardScaler(), ["price"]),
        ]
    )
    return make_pipeline(columns, LogisticRegression()).fit(frame(), wanted()), frame()


def texts_before_trees() -> tuple[Any, ...]:
    columns = ColumnTransformer(
        [("review", CountVectorizer(), "review")], remainder="drop", sparse_threshold=0
    )
    forest = RandomForestClassifier(8, random_state=0)
    return make_pipeline(columns, forest).fit(frame(), wanted()), frame()


def union_of_words_and_characters() -> tuple[Any, ...]:
    union = FeatureUnion(
        [
            ("word", TfidfVectorizer(ngram_range=(1, 2))),
            ("char", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), max_features=300)),
        ],
        transformer_weights={"word": 0.5},
    )
    return make_pipeline(union, SGDClassifier(random_state=0)).fit(texts(), wanted()), texts()


def several_classes() -> tuple[Any, ...]:
    classes = np.array(["a", "b", "c"])[[len(text) % 3 for text in texts()]]
    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    return model.fit(texts(), classes), texts()


def votes() -> tuple[Any, ...]:
    estimators = [
        ("bayes", make_pipeline(CountVectorizer(), MultinomialNB())),
        ("linear", make_pipeline(TfidfVectorizer(), LogisticRegression())),
    ]
    return VotingClassifier(estimators, voting="soft").fit(texts(), wanted()), texts()


def calibrated() -> tuple[Any, ...]:
    inner = make_pipeline(TfidfVectorizer(), ComplementNB())
    return CalibratedClassifierCV(inner, cv=2).fit(texts(), wanted()), texts()


def transformer_of_dense_counts() -> tuple[Any, ...]:
    counts = contract.numbers()[["counts", "constant"]].abs()
    return TfidfTransformer(sublinear_tf=True).fit(counts), counts


EXAMPLES = {
    "count_vectorizer": vectorizing(CountVectorizer),
    "count_vectorizer_binary": vectorizing(CountVectorizer, binary=True),
    "count_vectorizer_of_pairs": vectorizing(CountVectorizer, ngram_range=(1, 3)),
    "count_vectorizer_of_pairs_alone": vectorizing(CountVectorizer, ngram_range=(2, 2)),
    "count_vectorizer_of_characters": vectorizing(
        CountVectorizer, analyzer="char", ngram_range=(1, 3)
    ),
    "count_vectorizer_of_characters_in_words": vectorizing(
        CountVectorizer, analyzer="char_wb", ngram_range=(3, 5)
    ),
    "count_vectorizer_with_case": vectorizing(CountVectorizer, lowercase=False),
    "count_vectorizer_stripping_to_ascii": vectorizing(CountVectorizer, strip_accents="ascii"),
    "count_vectorizer_stripping": vectorizing(
        CountVectorizer, strip_accents="unicode", analyzer="char", ngram_range=(2, 2)
    ),
    "count_vectorizer_stripping_with_case": vectorizing(
        CountVectorizer, strip_accents=strip_accents_unicode, lowercase=False
    ),
    "count_vectorizer_with_stop_words": vectorizing(
        CountVectorizer, stop_words="english", ngram_range=(1, 2)
    ),
    "count_vectorizer_with_own_stop_words": vectorizing(CountVectorizer, stop_words=["cat", "the"]),
    "count_vectorizer_with_vocabulary": vectorizing(
        CountVectorizer, vocabulary={"cat": 2, "dog": 0, "House": 1, "\ud800": 3}
    ),
    "count_vectorizer_splitting": vectorizing(
        CountVectorizer, tokenizer=str.split, token_pattern=None
    ),
    "count_vectorizer_in_float32": vectorizing(CountVectorizer, dtype=np.float32),
    "count_vectorizer_with_most_features": vectorizing(CountVectorizer, max_features=9, max_df=0.5),
    **{
        f"count_vectorizer_with_pattern_{at}": vectorizing(CountVectorizer, token_pattern=pattern)
        for at, pattern in enumerate(
            [
                r"\w+",
                r"(?u)\b\w+\b",
                r"[a-zA-Z]+",
                r"\S+",
                r"[^\W\d_]+",
                r"(?u)\b[a-z]{2,5}\b",
                r"\b(\w\w+)\b",
                r"\w+|[^\w\s]+",
                r"(?i)[a-z]+(?:['-][a-z]+)*",
                r"\w+?\b",
                r"(?a)\b\w\w+\b",
                r"\d+(?:\.\d+)?|\w{2,}\B",
                r".",
            ]
        )
    },
    "tfidf_vectorizer": vectorizing(TfidfVectorizer),
    "tfidf_vectorizer_sublinear": vectorizing(TfidfVectorizer, sublinear_tf=True),
    "tfidf_vectorizer_with_norm_of_sums": vectorizing(TfidfVectorizer, norm="l1"),
    "tfidf_vectorizer_without_norm": vectorizing(TfidfVectorizer, norm=None, smooth_idf=False),
    "tfidf_vectorizer_without_idf": vectorizing(TfidfVectorizer, use_idf=False, binary=True),
    "tfidf_vectorizer_in_float32": vectorizing(
        TfidfVectorizer, dtype=np.float32, sublinear_tf=True
    ),
    "hashing_vectorizer": vectorizing(HashingVectorizer, n_features=256),
    "hashing_vectorizer_of_default_size": classifying(HashingVectorizer(), SGDClassifier()),
    "hashing_vectorizer_counting_up": vectorizing(
        HashingVectorizer, n_features=37, alternate_sign=False, norm="l1", ngram_range=(1, 2)
    ),
    "hashing_vectorizer_binary": vectorizing(
        HashingVectorizer, n_features=16, binary=True, norm=None, dtype=np.float32
    ),
    "hashes_with_weights": classifying(
        HashingVectorizer(n_features=64, alternate_sign=False, norm=None),
        TfidfTransformer(sublinear_tf=True),
        LogisticRegression(),
    ),
    "signed_hashes_with_weights": classifying(
        HashingVectorizer(n_features=64, norm=None), TfidfTransformer(), LogisticRegression()
    ),
    "bare_vectorizer": bare_vectorizer,
    "series_of_texts": series_of_texts,
    "array_of_texts": array_of_texts,
    "columns_of_texts_beside_numbers": columns_of_texts_beside_numbers,
    "texts_before_trees": texts_before_trees,
    "union_of_words_and_characters": union_of_words_and_characters,
    "several_classes": several_classes,
    "votes": votes,
    "calibrated": calibrated,
    "transformer_of_dense_counts": transformer_of_dense_counts,
    "counts_before_naive_bayes": classifying(CountVectorizer(), MultinomialNB()),
    "counts_above_a_threshold": classifying(
        CountVectorizer(dtype=np.float64), Binarizer(threshold=1.0), BernoulliNB()
    ),
    "counts_selected_and_weighted": classifying(
        CountVectorizer(ngram_range=(1, 2)),
        SelectKBest(chi2, k=20),
        TfidfTransformer(),
        MaxAbsScaler(),
        LogisticRegression(),
    ),
    "counts_scaled": classifying(
        CountVectorizer(), StandardScaler(with_mean=False), LogisticRegression()
    ),
    "latent_semantics": classifying(
        TfidfVectorizer(), TruncatedSVD(5, random_state=0), LogisticRegression()
    ),
}


@pytest.mark.parametrize("name", [name for name in EXAMPLES if "dense" not in name])
def test_hostile_texts_are_taken_apart_as_python_does(name: str) -> None:
    model, example = EXAMPLES[name]()
    if isinstance(example, pd.DataFrame):
        rows = [
            {"review": one, "title": other, "price": 0.5}
            for one, other in zip(HOSTILE, HOSTILE[::-1], strict=True)
        ]
    else:
        field = example.name if isinstance(example, pd.Series) else "text"
        rows = [{field: text} for text in HOSTILE]
    contract.same(model, example, rows)


@pytest.mark.parametrize("accents", [None, "ascii", "unicode"])
@pytest.mark.parametrize("lower", [True, False])
def test_every_character_becomes_what_python_makes_of_it(accents: str | None, lower: bool) -> None:
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    random = np.random.default_rng(0)
    random.shuffle(characters)
    rows = ["".join(characters[at : at + 600]) for at in range(0, len(characters), 600)]
    rows += [f"Α{one}Σ{one}Α Α{one}Σ" for one in characters[:20_000]]
    vectorizer = CountVectorizer(
        analyzer="char", lowercase=lower, strip_accents=accents, max_features=5000
    ).fit(rows[:400])
    model = make_pipeline(vectorizer, Ridge()).fit(texts(), np.arange(120.0))
    plain = penstock.convert(model, texts())
    answers = [answer["value"] for answer in plain.predict([{"text": row} for row in rows])]
    np.testing.assert_allclose(answers, model.predict(rows), rtol=1e-9)


def test_one_vectorizer_is_the_same_bits_for_hostile_texts() -> None:
    vectorizer = TfidfVectorizer(ngram_range=(1, 2)).fit([*texts(), *HOSTILE])
    contract.same(vectorizer, texts(), [{"text": text} for text in HOSTILE])


def test_a_missing_text_is_refused_as_by_scikit_learn() -> None:
    model = penstock.convert(*vectorizing(CountVectorizer)())
    assert model.schema.inputs[0].on_missing == "refuse"
    with pytest.raises(penstock.DataError):
        model.predict([{"text": None}])


def test_an_input_of_texts_is_called_as_its_series_or_text() -> None:
    assert penstock.convert(*series_of_texts()).schema.inputs[0].name == "review"
    assert penstock.convert(*array_of_texts()).schema.inputs[0].name == "text"


def test_a_table_of_texts_is_refused_with_the_remedy() -> None:
    columns = ColumnTransformer([("review", CountVectorizer(), ["review"])]).fit(frame())
    assert '"review"' in contract.refused(columns, frame())


def test_a_scaler_of_a_column_by_itself_is_refused() -> None:
    columns = ColumnTransformer([("review", CountVectorizer(), "review")]).fit(frame())
    columns.transformers_[0] = ("review", StandardScaler(), "review")
    assert "by itself" in contract.refused(columns, frame())


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("token_pattern", r"(?=a)\w+", "looks ahead"),
        ("token_pattern", r"#(\w+)", "group"),
        ("token_pattern", r"\w*", "empty"),
        ("token_pattern", r"(?i:a)\w+", "flags"),
        ("token_pattern", r"^\w+", "`at`"),
        ("token_pattern", r"(?:\w?)+a", "may be empty"),
        ("preprocessor", str.upper, "function of your own"),
        ("tokenizer", str.splitlines, "function of your own"),
        ("analyzer", str.split, "function of your own"),
        ("strip_accents", str.strip, "function of your own"),
        ("dtype", np.uint8, "overflow"),
        ("input", "filename", "files"),
        ("ngram_range", (1, 300), "255"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(option: str, value: Any, reason: str) -> None:
    vectorizer = CountVectorizer().fit(texts())
    setattr(vectorizer, option, value)
    message = contract.refused(make_pipeline(vectorizer), texts())
    assert reason in message and f"`{option}`" in message


def test_logarithms_of_hashes_that_count_down_are_refused() -> None:
    steps = HashingVectorizer(n_features=64), TfidfTransformer(sublinear_tf=True)
    model = Pipeline([("hash", steps[0]), ("weigh", steps[1])]).fit(texts())
    assert "sublinear_tf" in contract.refused(model, texts())


def test_too_many_hashes_are_refused() -> None:
    model = HashingVectorizer(n_features=2**21).fit(texts())
    assert "n_features" in contract.refused(model, texts())


def test_a_linear_model_of_texts_is_explained_by_its_columns() -> None:
    model = penstock.convert(*columns_of_texts_beside_numbers())
    rows = frame().head(9).to_dict("records")
    for row, answer in zip(rows, model.explain(rows), strict=True):
        contributions = answer["contributions"]
        assert set(contributions) == {"review", "title", "price"}
        assert answer["raw"] == pytest.approx(model.predict(row)["raw"], rel=1e-12)
        assert answer["base"] + sum(contributions.values()) == pytest.approx(answer["raw"])


def test_a_list_or_a_series_of_texts_is_predicted() -> None:
    model = penstock.convert(*series_of_texts())
    given = texts()[:20]
    expected = [answer["label"] for answer in model.predict([{"review": text} for text in given])]
    assert [answer["label"] for answer in model.predict(given)] == expected
    assert model.predict(pd.Series(given, index=range(5, 25)))["label"].tolist() == expected


def test_a_surrogate_is_refused_and_crashes_nothing() -> None:
    model = penstock.convert(*vectorizing(CountVectorizer)())
    with pytest.raises(penstock.PenstockError):
        model.predict([{"text": "a lone \ud800 surrogate"}])
