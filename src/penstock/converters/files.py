"""Model files of boosters, as `penstock.convert` takes them: without the libraries, but for `.cbm`.

A file says all that a prediction needs. The proof asks the library itself: without it, convert with
`verify=False`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

from penstock.converters import catboost_json, ubjson, xgboost_json
from penstock.converters.catboost_trees import leaf_values
from penstock.errors import ConvertError

__all__ = ["READERS", "CatBoostDocument", "LightGBMText", "XGBoostDocument", "read"]


@dataclass(frozen=True)
class CatBoostDocument:
    """A model that CatBoost has saved (`save_model`) as `.json`, or as `.cbm` and has read."""

    document: Mapping[str, Any] = field(repr=False)
    data: bytes = field(repr=False)
    format: str = "json"

    def predict(self, data: Any, **keywords: Any) -> Any:
        """What CatBoost answers."""
        return self._estimator.predict(data, **keywords)

    @cached_property
    def _estimator(self) -> Any:
        _check_installed("catboost")
        model = _catboost(self.data, self.format)
        if self.format == "json":
            # CatBoost's reader of JSON misses the last bit of some numbers.
            model.set_leaf_values(leaf_values(self.document))
            model.set_scale_and_bias(*self.document["scale_and_bias"])
        return model


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
        if saved < VECTORS <= installed and _has_vector_leaves(self.document):
            raise ConvertError(
                f"the file was written by XGBoost {saved[0]}.{saved[1]} with leaves of several "
                f"values (`multi_output_tree`), on which {xgboost.__version__} crashes; install "
                '`"xgboost<3.2"` for the proof, or convert without one (`verify=False`, on the '
                "command line --no-verify)"
            )
        booster = xgboost.Booster()
        booster.load_model(bytearray(self.data))
        return booster


# From 3.2 on leaves of several values are laid out otherwise, and others end the process.
VECTORS = (3, 2)


def _has_vector_leaves(document: Mapping[str, Any]) -> bool:
    trees = document["learner"]["gradient_booster"].get("model", {}).get("trees", ())
    return any(tree["tree_param"]["size_leaf_vector"] not in ("0", "1") for tree in trees)


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


def _json(data: bytes) -> CatBoostDocument | XGBoostDocument:
    if b'"scale_and_bias"' in data:
        # Not decoded as for XGBoost, whose numbers are f32.
        document = catboost_json.decode(data)
        if "scale_and_bias" in document:
            return CatBoostDocument(document, data)
    return XGBoostDocument(xgboost_json.decode(data), data)


def _catboost(data: bytes, format: str) -> Any:
    """CatBoost's own model of a file."""
    import catboost

    with TemporaryDirectory() as folder:
        path = Path(folder) / f"model.{format}"
        path.write_bytes(data)
        try:
            return catboost.CatBoost().load_model(str(path), format=format)
        except Exception as error:
            raise ConvertError(f"CatBoost cannot load the file: {error}") from None


def _cbm(data: bytes) -> CatBoostDocument:
    from importlib.util import find_spec

    if find_spec("catboost") is None:
        raise ConvertError(
            "a `.cbm` file is read by CatBoost, which is not installed; install `catboost`, or "
            'save the model as JSON (`save_model("model.json", format="json")`)'
        )
    model = _catboost(data, "cbm")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        return CatBoostDocument(catboost_json.decode(path.read_bytes()), data, "cbm")


def _ubj(data: bytes) -> XGBoostDocument:
    if data.startswith(b"binf"):
        _refuse_binary()
    document = ubjson.decode(data)
    if not isinstance(document, dict):
        raise ConvertError("the file is a UBJSON document, and no model of XGBoost")
    return XGBoostDocument(document, data)


def _by_contents(data: bytes) -> LightGBMText | XGBoostDocument:
    """Names that people give to files of XGBoost and of LightGBM alike."""
    if data.startswith(b"tree\n"):
        return _text(data)
    if data.startswith((b'{"', b"{\n")):
        return XGBoostDocument(xgboost_json.decode(data), data)
    if data.startswith(b"{"):
        return _ubj(data)
    _refuse_binary()


def _refuse_binary() -> NoReturn:
    raise ConvertError(
        "the file is neither a text of LightGBM nor a document of XGBoost; if it is of XGBoost's "
        "old binary format, which ended with 3.1, an older version writes one that converts: "
        '`pip install "xgboost<3.1"`, then '
        '`xgboost.Booster(model_file="old.bin").save_model("model.json")` in Python'
    )


# End of a file's name to what reads it.
READERS: Mapping[str, Callable[[bytes], Any]] = {
    ".bin": _by_contents,
    ".cbm": _cbm,
    ".json": _json,
    ".model": _by_contents,
    ".txt": _text,
    ".ubj": _ubj,
}


def read(name: str, data: bytes) -> CatBoostDocument | LightGBMText | XGBoostDocument:
    """The model in a file of this name, ready for `penstock.convert`."""
    for ending, reader in READERS.items():
        if name.endswith(ending):
            model: CatBoostDocument | LightGBMText | XGBoostDocument = reader(data)
            return model
    endings = "`, `".join(READERS)
    raise ConvertError(
        f"`{name}` is no model file; files that are have names that end in `{endings}`"
    )
