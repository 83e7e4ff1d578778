"""A file that lies gets `ArtifactError`, in bounded time and memory, and never a crash."""

import subprocess
import sys

import pytest

from penstock.errors import ArtifactError
from penstock.model import Model
from tests.hostile.forge import Forgery
from tests.hostile.lies import LIES


def test_the_truth_loads_and_predicts():
    model = Model(Forgery().bytes())
    assert model.predict({"distance": 0.25, "carrier": "UA"}) == {
        "value": {"linear": 2.75, "trees": 1.0}
    }


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_refused_with_a_clear_message(lie):
    with pytest.raises(ArtifactError) as refusal:
        Model(LIES[lie]())
    message = str(refusal.value)
    assert 20 < len(message) < 600
    assert message[0] != "{"


def test_truncated_files_are_refused_at_every_boundary():
    whole = Forgery().bytes()
    for end in range(len(whole)):
        with pytest.raises(ArtifactError):
            Model(whole[:end])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits address space")
def test_lies_take_bounded_memory_and_time():
    # In a process of its own: an allocation beyond the limit ends it, and so does the CPU limit.
    subprocess.run([sys.executable, "-m", "tests.hostile.bounded"], check=True)
