"""`make demo`: from a table of flights to an answer over HTTP, by the commands of penstock."""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas

FOLDER = Path("build") / "demo"
RECIPE = Path(__file__).with_name("late.toml")
SHOWN = ("carrier", "origin", "dest", "hour", "wind_gust", "visib")
SECONDS_TO_START = 30


def main(folder: Path = FOLDER) -> None:
    """The whole story, in the order in which a data scientist lives it."""
    from demo import data

    story = Story(folder)
    story.step("1  data", "a year of flights from New York, with weather and planes")
    rows = data.load("time_hour")
    holdout = data.split(rows).holdout
    row = data.first_row(holdout)
    _write(folder, rows, holdout)
    story.look(f"{len(rows):,} flights; {rows['late'].mean():.0%} came more than 15 minutes late")

    story.step("2  profile", "what is in the table, what is odd, what training will need")
    page = folder / "profile.html"
    story.run("profile", folder / "flights.parquet", "--target", "late", "--html", page)
    story.look(f"{page} shows the same, drawn")

    story.step(
        "3  train", "by a recipe; judged on the last fifth of the year, which it has not seen"
    )
    story.run("train", folder / "late.toml")
    story.look(
        f"{folder / 'report.html'} in a browser: how good it is, what matters, where it fails",
        f"{folder / 'late.toml'} is yours to change: train again",
    )

    story.step("4  verify", "the artifact holds rows with the answers of LightGBM; run them")
    artifact = folder / "late.penstock"
    story.run("verify", artifact)
    story.look("an artifact needs no LightGBM, no scikit-learn and no pandas to predict")

    story.step("5  predict", f"one flight, then {len(holdout):,} of them")
    story.run("predict", artifact, json.dumps({name: row[name] for name in SHOWN}))
    story.run("predict", artifact, folder / "holdout.csv", "-o", folder / "predictions.parquet")
    story.look(
        "columns that are not sent are missing values, as in training; misspelt ones are refused"
    )

    story.step("6  serve", "over HTTP")
    _serve(story, artifact, row)
    story.look(
        f"{story.word} serve {artifact} has a page to try the model at http://127.0.0.1:8080",
        f"{story.word} inspect {artifact} tells what is in it",
    )


def _write(folder: Path, rows: "pandas.DataFrame", holdout: "pandas.DataFrame") -> None:
    """All that the commands read."""
    folder.mkdir(parents=True, exist_ok=True)
    rows.to_parquet(folder / "flights.parquet", index=False)
    holdout.to_csv(folder / "holdout.csv", index=False)
    shutil.copy(RECIPE, folder / RECIPE.name)


class Story:
    """Tells each step, runs its commands, and says what to look at."""

    def __init__(self, folder: Path) -> None:
        from rich.console import Console

        self.console = Console(highlight=False, soft_wrap=True)
        self.folder = folder
        program = Path(sys.executable).parent / "penstock"
        here = program.is_relative_to(Path.cwd())
        self.word = str(program.relative_to(Path.cwd())) if here else "penstock"

    def step(self, name: str, about: str) -> None:
        """The heading of a step."""
        self.console.print(f"\n[bold cyan]{name}[/]  {about}")

    def look(self, *lines: str) -> None:
        """What is worth a look."""
        for line in lines:
            self.console.print(f"[green]→[/] {line}")

    def command(self, *arguments: object) -> list[str]:
        """A command to run, shown so that it can be copied."""
        words = [str(each) for each in arguments]
        shown = (f"'{word}'" if "{" in word else word for word in words)
        self.console.print(f"[bold]$ {self.word} {' '.join(shown)}[/]", markup=True)
        return [sys.executable, "-m", "penstock", *words]

    def run(self, *arguments: object) -> None:
        """Runs a command; what it prints is the reader's. One that fails ends the demo."""
        start = time.monotonic()
        done = subprocess.run(self.command(*arguments), check=False)
        if done.returncode:
            sys.exit(done.returncode)
        self.console.print(f"[dim]{time.monotonic() - start:.1f} s[/]")


def _serve(story: Story, artifact: Path, row: dict[str, object]) -> None:
    """Starts the gateway, asks it once, and stops it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = story.command("serve", artifact, "--port", port, "--log-level", "error")
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        _ready(url, server)
        body = json.dumps(row)
        asking = f"$ curl {url}/v1/models/late/predict --data '{body}'"
        story.console.print(asking, style="bold", markup=False)
        start = time.perf_counter()
        answer = _asked(f"{url}/v1/models/late/predict", body.encode())
        milliseconds = (time.perf_counter() - start) * 1e3
        story.console.print(json.dumps(answer), markup=False)
        story.console.print(f"[dim]{milliseconds:.1f} ms[/]")
    finally:
        server.terminate()
        server.wait(SECONDS_TO_START)


def _ready(url: str, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/readyz", timeout=1).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    sys.exit(f"error: the gateway did not answer at {url} within {SECONDS_TO_START} s")


def _asked(url: str, body: bytes) -> Any:
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=SECONDS_TO_START) as answer:
        return json.load(answer)


if __name__ == "__main__":
    try:
        main()
    except ModuleNotFoundError as missing:
        sys.exit(f"error: module `{missing.name}` is not installed here; run `make demo`")
