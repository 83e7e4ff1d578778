"""Model files of LightGBM and XGBoost, as `penstock.convert` takes them: without the libraries.

A file says all that a prediction needs. The proof asks the library itself: without it, convert with
`verify=False`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from penstock.converters import ubjson, xgboost_json
from penstock.errors import ConvertError

__all__ = ["READERS", "LightGBMText", "XGBoostDocument", "read"]


@dataclass(frozen=True)
class LightGBMText:
    """A model that LightGBM has saved (`save_model`, `model_to_string`)."""

    text: str = field(repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it was trained on, as LightGBM spells them."""
        lines = self.text.partition("\nTree=")[0].splitlines()
        names = [line.partition("=")[2] for line in lines if line.startswith("feature_names=")]
        return tuple(names[0].split(" ")) if names else ()

    def model_to_string(self) -> str:
        """The text, as a booster answers."""
        return self.text

    def predict(self, data: Any, **keywords: Any) -> Any:
        """What LightGBM answers."""
        return self._booster.predict(data, **keywords)

    @cached_property
    def _booster(self) -> Any:
        _check_installed("lightgbm")
        import lightgbm

        return lightgbm.Booster(model_str=self.text)


@dataclass(frozen=True)
class XGBoostDocument:
    """A model that XGBoost has saved (`save_model`) as `.json` or `.ubj`, read into `document`."""

    document: Mapping[str, Any] = field(repr=False)
    data: bytes = field(repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it was trained on, where the file says."""
        learner = self.document.get("learner")
        names = learner.get("feature_names") if isinstance(learner, Mapping) else None
        return tuple(map(str, names)) if isinstance(names, (list, tuple)) else ()

    def predict(self, data: Any, **keywords: Any) -> Any:
        """What XGBoost answers, for a `DMatrix`."""
        return self._booster.predict(data, **keywords)

    @cached_property
    def _booster(self) -> Any:
        _check_installed("xgboost")
        import xgboost

        saved, installed = (
            tuple(int(part) for part in version[:2])
            for version in (self.document["version"], xgboost.__version__.split("."))
        )
        if saved > installed:
            raise ConvertError(
                f"the file was written by XGBoost {saved[0]}.{saved[1]}, and "
                f"{xgboost.__version__} is installed, which may read it wrong; upgrade it for the "
                "proof, or convert without one (`verify=False`, on the command line --no-verify)"
            )
        booster = xgboost.Booster()
        booster.load_model(bytearray(self.data))
        return booster


def _check_installed(library: str) -> None:
    from importlib.util import find_spec

    if find_spec(library) is None:
        raise ConvertError(
            f"`{library}` is not installed, and the proof asks it; install it, or convert without "
            "a proof (`verify=False`, on the command line --no-verify)"
        )


def _text(data: bytes) -> LightGBMText:
    try:
        return LightGBMText(data.decode())
    except UnicodeDecodeError as error:
        raise ConvertError(f"the file is no text of LightGBM: {error}") from None


def _json(data: bytes) -> XGBoostDocument:
    return XGBoostDocument(xgboost_json.decode(data), data)


def _ubj(data: bytes) -> XGBoostDocument:
    document = ubjson.decode(data)
    if not isinstance(document, dict):
        raise ConvertError("the file is a UBJSON document, and no model of XGBoost")
    return XGBoostDocument(document, data)


# End of a file's name to what reads it.
READERS: Mapping[str, Callable[[bytes], Any]] = {".json": _json, ".txt": _text, ".ubj": _ubj}


def read(name: str, data: bytes) -> LightGBMText | XGBoostDocument:
    """The model in a file of this name, ready for `penstock.convert`."""
    for ending, reader in READERS.items():
        if name.endswith(ending):
            model: LightGBMText | XGBoostDocument = reader(data)
            return model
    endings = "`, `".join(READERS)
    raise ConvertError(
        f"`{name}` is no model file; files that are have names that end in `{endings}`"
    )
