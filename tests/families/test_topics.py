"""Topics of texts and of counts, beside scikit-learn."""

import numpy as np
import pandas as pd
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline

import penstock
from tests import contract

WORDS = [
    "river",
    "water",
    "dam",
    "turbine",
    "flood",
    "rain",
    "model",
    "tree",
    "forest",
    "leaf",
    "score",
    "row",
]


def documents(rows=120):
    random = np.random.default_rng(3)
    shares = np.where(random.random(rows)[:, None] < 0.5, [3] * 6 + [1] * 6, [1] * 6 + [3] * 6)
    counts = random.integers(0, 15, size=rows)
    return [
        " ".join(random.choice(WORDS, size=count, p=share / share.sum()))
        for count, share in zip(counts, shares, strict=True)
    ]


def topics(**options):
    return LatentDirichletAllocation(**{"n_components": 4, "random_state": 0, **options})


def counts(rows=200):
    random = np.random.default_rng(0)
    return pd.DataFrame(random.poisson(1.5, size=(rows, 6)), columns=list("abcdef"))


def topics_of_counts():
    return topics().fit(counts()), counts()


def topics_of_fractions():
    frame = counts() * 0.37
    return topics(learning_method="online", doc_topic_prior=0.9).fit(frame), frame


def topics_in_two_steps():
    return topics(max_doc_update_iter=2).fit(counts()), counts()


def topics_until_little_changes():
    return topics(mean_change_tol=1e-9, max_doc_update_iter=500).fit(counts()), counts()


def topics_of_texts():
    texts = documents()
    return make_pipeline(CountVectorizer(), topics()).fit(texts), texts


def model_of_topics_and_words():
    texts = documents()
    union = FeatureUnion(
        [("words", TfidfVectorizer()), ("topics", make_pipeline(CountVectorizer(), topics()))]
    )
    target = np.array([len(text) % 2 for text in texts])
    return make_pipeline(union, LogisticRegression()).fit(texts, target), texts


EXAMPLES = {
    "topics_in_two_steps": topics_in_two_steps,
    "topics_of_counts": topics_of_counts,
    "topics_of_fractions": topics_of_fractions,
    "topics_of_texts": topics_of_texts,
    "topics_until_little_changes": topics_until_little_changes,
    "model_of_topics_and_words": model_of_topics_and_words,
}


def test_rows_without_counts_and_with_many_have_the_same_topics():
    estimator, frame = topics_of_counts()
    rows = [[0] * 6, [1e-9, 0, 0, 0, 0, 0], [1e6, 0, 0, 0, 0, 1], [10**9] * 6]
    contract.same(estimator, frame, [dict(zip(frame, row, strict=True)) for row in rows])


def test_negative_counts_are_refused_as_scikit_learn_does():
    estimator, frame = topics_of_counts()
    model = penstock.convert(estimator, frame)
    row = dict.fromkeys(frame, 1) | {"c": -1}
    (error,) = model.predict([row], on_error="return")
    assert isinstance(error, penstock.DataError)
    assert "out_of_range" in repr(error.code) and "-1" in str(error)


def test_topics_in_float32_are_refused():
    frame = counts().astype("float32")
    assert "float32" in contract.refused(topics().fit(frame), frame)
