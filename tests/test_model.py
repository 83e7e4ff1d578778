"""A model is immutable: many threads use it at once, pickles open again, files appear whole."""

import copy
import gc
import os
import pickle
import stat
import threading

import numpy as np
import pandas as pd
import pytest

import penstock
from penstock import files
from penstock.schema import Field
from tests import toys


def many(rows=20_000, seed=0):
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "distance": random.normal(10, 5, rows),
            "carrier": random.choice(["AA", "UA", "DL", "ZZ", None], rows),
        }
    )


def test_any_number_of_threads_gives_the_same_bits():
    model, frame = toys.late(), many()
    alone = model.predict(frame, threads=1)
    for threads in (2, 3, 8, None):
        pd.testing.assert_frame_equal(
            model.predict(frame, threads=threads), alone, check_exact=True
        )
    parts = [model.predict(frame.iloc[at : at + 777]) for at in range(0, len(frame), 777)]
    pd.testing.assert_frame_equal(pd.concat(parts), alone, check_exact=True)


def test_answers_are_the_callers_own_to_write_to():
    model, frame = toys.late(), many(100)
    first, second = model.predict(frame), model.predict(frame)
    first.loc[first.index[3], "raw"] = 5.0
    assert (first["raw"][3], first["raw"][4]) == (5.0, second["raw"][4])
    arrays = toys.echo(Field("x", "number")).predict(np.arange(6.0).reshape(-1, 1))
    arrays["x_read"][2] = 7.0
    assert arrays["x_read"].tolist() == [0.0, 1.0, 7.0, 3.0, 4.0, 5.0]


def test_a_column_that_others_share_is_copied():
    model, frame = toys.late(), many(100)
    answers = model.predict_columns(frame)
    wanted = np.frombuffer(answers.column(3)[1], dtype="float64").copy()
    kept = np.frombuffer(answers.column(3)[1], dtype="float64")
    taken = np.frombuffer(answers.take_column(3)[1], dtype="float64")
    taken[:] = 0.0
    assert (kept == wanted).all()


def test_rows_that_are_refused_come_in_order_from_any_number_of_threads():
    model = toys.late(distance=Field(minimum=0, on_range="refuse"), carrier=Field())
    frame = many()
    answers = [model.predict(frame, on_error="return", warnings=True, threads=n) for n in (1, 8)]
    assert answers[0]["error"].notna().sum() > 100
    assert answers[0]["error"].equals(answers[1]["error"])
    assert answers[0]["warnings"].tolist() == answers[1]["warnings"].tolist()


def test_eight_python_threads_share_a_model():
    model, frame = toys.late(), many(3_000)
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    expected_frame, expected_rows = model.predict(frame), model.predict(rows)
    start, wrong = threading.Barrier(8), []

    def work(at):
        start.wait()
        for _ in range(5):
            if at % 2 and not model.predict(frame, threads=2).equals(expected_frame):
                wrong.append(at)
            if not at % 2 and model.predict(rows) != expected_rows:
                wrong.append(at)
            model.verify()

    threads = [threading.Thread(target=work, args=(at,)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_finalizer_may_predict_while_an_answer_is_made():
    model, row = toys.late(), {"distance": 12.5, "carrier": "UA"}
    seen = []

    class Finalized:
        def __init__(self):
            self.itself = self

        def __del__(self):
            seen.append(model.predict({"distance": 1.0})["label"])

    expected = model.predict(row)
    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(50):
            Finalized()
            assert model.predict(row) == expected
    finally:
        gc.set_threshold(*threshold)
    assert set(seen) == {"no"}


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_a_copy_answers_the_same(copied):
    model = toys.late()
    again = copied(model)
    assert again.digest == model.digest
    assert again.predict({"distance": 12.5}) == model.predict({"distance": 12.5})
    assert again.schema == model.schema


def test_a_number_of_threads_below_one_is_refused():
    for threads in (0, -1, "2"):
        with pytest.raises(penstock.PenstockError, match="`threads` is"):
            toys.late().predict(many(3), threads=threads)


def test_save_load_save_gives_the_same_bytes(tmp_path):
    model = toys.late()
    model.save(tmp_path / "one.penstock")
    again = penstock.load(tmp_path / "one.penstock")
    again.save(str(tmp_path / "two.penstock"))
    one, two = ((tmp_path / name).read_bytes() for name in ("one.penstock", "two.penstock"))
    assert one == two
    assert again.size == len(one)
    assert again.examples == model.examples
    assert repr(again) == f"<Model 'late' version '1', {model.digest[:12]}>"


def test_a_file_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(
        penstock.ArtifactError, match=r"none.penstock` cannot be read: No such file"
    ):
        penstock.load(tmp_path / "none.penstock")
    with pytest.raises(penstock.ArtifactError, match="cannot be read: Is a directory"):
        penstock.load(tmp_path)
    wrong = tmp_path / "wrong.penstock"
    wrong.write_bytes(b"nothing of the kind")
    with pytest.raises(penstock.ArtifactError, match=r"wrong\.penstock`: "):
        penstock.load(wrong)


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "late.penstock"
    path.write_bytes(b"before")

    def fail(*_):
        raise OSError(28, "No space left on device")

    for name in ("replace", "fsync"):
        with monkeypatch.context() as patched:
            patched.setattr(files.os, name, fail)
            with pytest.raises(penstock.PenstockError) as caught:
                toys.late().save(path)
        message = (
            f"`{path}` cannot be written: No space left on device; check the folder and the disk"
        )
        assert str(caught.value) == message
        assert path.read_bytes() == b"before"
        assert os.listdir(tmp_path) == ["late.penstock"]


def test_a_write_that_is_interrupted_leaves_what_was_there(tmp_path):
    path = tmp_path / "late.csv"
    path.write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt), files.whole_file(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["late.csv"]


def test_a_folder_that_is_not_there_is_reported(tmp_path):
    with pytest.raises(
        penstock.PenstockError, match="cannot be written: No such file or directory"
    ):
        toys.late().save(tmp_path / "no" / "late.penstock")
    with pytest.raises(penstock.PenstockError, match="cannot be written: Is a directory"):
        toys.late().save(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")
def test_permissions_and_links_stay_as_they_were(tmp_path):
    path, link = tmp_path / "late.penstock", tmp_path / "link.penstock"
    mask = os.umask(0o027)
    try:
        toys.late().save(path)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o600)
    link.symlink_to(path)
    toys.late(examples=False).save(link)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert penstock.load(path).examples == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name")
def test_a_pipe_is_written_as_it_is(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    model = toys.late()
    model.save(pipe)
    reader.join()
    assert len(read[0]) == model.size
    assert stat.S_ISFIFO(pipe.stat().st_mode)
