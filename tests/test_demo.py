"""`make demo`, on some of its flights: every step runs, in order, and says what to look at."""

from demo import data, flights


def test_the_demo_goes_through(tmp_path, monkeypatch, capfd):
    rows = data.load("time_hour").iloc[::40].reset_index(drop=True)
    monkeypatch.setattr(data, "load", lambda *further: rows)
    recipe = flights.RECIPE.read_text(encoding="utf-8").replace("auc>=0.65", "auc>=0.55")
    (tmp_path / "late.toml").write_text(recipe, encoding="utf-8")
    monkeypatch.setattr(flights, "RECIPE", tmp_path / "late.toml")
    folder = tmp_path / "demo"
    flights.main(folder)
    out, err = capfd.readouterr()
    steps = ("1  data", "2  profile", "3  train", "4  verify", "5  predict", "6  serve")
    places = [out.index(step) for step in steps]
    assert places == sorted(places)
    assert "examples match" in err + out
    served = out[places[-1] :]
    assert '{"label": ' in served and " ms" in served
    names = ("profile.html", "report.html", "late.toml", "late.penstock", "predictions.parquet")
    for name in names:
        assert (folder / name).stat().st_size > 0
        assert name == "predictions.parquet" or name in out
