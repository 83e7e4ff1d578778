"""The report: one HTML file without anything else, true figures, for every task."""

import re
from html.parser import HTMLParser

import pytest

import penstock
from penstock.training.importance import contributed, dependences, permuted
from tests.worlds import asking


def trained(task="binary", **settings):
    data, target = asking(task)
    return penstock.train(data, target, **settings)


class Tags(HTMLParser):
    """The tags of a page, and those that were left open."""

    def __init__(self):
        super().__init__()
        self.seen, self.open = [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression", "count"])
def test_a_report_is_one_file_that_loads_nothing(task, tmp_path):
    result = trained(task, algorithm="glm")
    result.report(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(text)
    assert not tags.open and tags.seen.count("svg") > 6
    assert not {"script", "link", "img"} & set(tags.seen)
    assert not re.search(r"(?:src|href)=.https?:", text)
    assert "#010203" not in text and "var(--ink)" in text
    for name, value in result.metrics.items():
        assert f"<b>{value:.4f}</b>{name.replace('_', ' ')}" in text


def test_a_report_has_the_leaderboard_and_the_folds():
    data, target = asking("binary")
    result = penstock.train(
        data, target, algorithm="auto", algorithms=("glm", "gbm"), trials=3, folds=2
    )
    from penstock.training.report import page

    text = page(result)
    assert "Leaderboard" in text and text.count("by default") == 2 and "2 folds, auc" in text


def test_names_that_look_like_markup_stay_text(tmp_path):
    data, target = asking("binary")
    data = data.rename(columns={"hour": "<b>$hour$", "carrier": 'a"&_{x'})
    penstock.train(data, target).report(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<b>$hour" not in text and "&lt;b&gt;$hour$" in text


@pytest.mark.parametrize("algorithm", ["gbm", "glm"])
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_what_matters_is_what_the_target_was_made_of(algorithm, task):
    result = trained(task, algorithm=algorithm)
    for ranked in (contributed(result), permuted(result)):
        names = [name for name, _ in ranked]
        assert set(names[:2]) == {"hour", "carrier"}
        assert set(names) == {"distance", "hour", "carrier", "heavy", "month"}


def test_dependence_is_the_mean_prediction_at_each_value():
    result = trained("regression", algorithm="glm")
    (found,) = dependences(result, ["carrier"])
    held = result.prepared.rows.iloc[result.prepared.parts.holdout]
    for value, mean in zip(found.values, found.means, strict=True):
        expected = result.pipeline.predict(held.assign(carrier=value)).mean()
        assert mean == pytest.approx(expected, rel=1e-9)
    assert (
        found.counts.sum()
        == result.prepared.rows.iloc[result.prepared.parts.training]["carrier"].notna().sum()
    )


def test_the_report_of_the_same_training_is_the_same_but_for_the_time():
    from penstock.training.report import page

    texts = [re.sub(r"<td>seconds</td><td>.*?</td>", "", page(trained())) for _ in range(2)]
    assert texts[0] == texts[1]
