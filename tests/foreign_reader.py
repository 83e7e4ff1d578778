"""A reader of artifacts written from docs/format.md alone; it shares no line with Penstock.

Slow and plain: `zipfile`, `json`, numpy and the safetensors library. Patterns, times and a few
operators are left out.
"""

import hashlib
import io
import json
import zipfile

import numpy as np
from safetensors.numpy import load as load_tensors

ZERO = 1.0000000180025095e-35
SPELLED = {"Infinity": np.inf, "-Infinity": -np.inf, "NaN": np.nan}


class Refused(Exception):
    """The row is refused."""


class Reader:
    def __init__(self, data):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
        self.manifest = json.loads(entries["manifest.json"])
        self.digest = hashlib.sha256(entries["manifest.json"]).hexdigest()
        assert self.manifest["min_reader"] <= 1
        for name, entry in self.manifest["entries"].items():
            assert hashlib.sha256(entries[name]).hexdigest() == entry["sha256"]
            assert len(entries[name]) == entry["size"]
        self.tensors = load_tensors(entries["tensors.safetensors"])
        examples = json.loads(entries["examples.json"])
        self.examples = list(zip(examples["rows"], examples["expected"], strict=True))

    def predict(self, row):
        """The outputs by name; `Refused` for a row that the schema or the graph refuses."""
        values = {
            f"field:{field['name']}": [self.value(field, row.get(field["name"]))]
            for field in self.manifest["schema"]["inputs"]
            if field["type"] != "ignored"
        }
        with np.errstate(all="ignore"):
            for node in self.manifest["graph"]["nodes"]:
                inputs = [values[name] for name in node["inputs"]]
                fields = {name: self.array(field) for name, field in node["fields"].items()}
                values[node["name"]] = OPERATORS[node["operator"]](fields, *inputs)
        answer = {}
        for output in self.manifest["schema"]["outputs"]:
            answer |= SHAPES[output["kind"]](output, values[output["node"]])
        return answer

    def verify(self):
        """How many examples there are; each is answered as the source library answered."""
        for row, expected in self.examples:
            try:
                answer = self.predict(row)
            except Refused:
                answer = {"error": None}
            assert answer.keys() == expected.keys(), (row, answer, expected)
            for name in expected.keys() - {"error"}:
                assert self.equal(name, answer[name], expected[name]), (row, answer, expected)
        return len(self.examples)

    def equal(self, name, left, right):
        outputs = self.manifest["schema"]["outputs"]
        named = (output for output in outputs if output["name"] == name)
        output = next(named, None) or next(o for o in outputs if o["kind"] == "features")
        if output["kind"] == "label" or isinstance(left, str):
            return left == right
        pairs = zip(left, right, strict=True) if isinstance(left, list) else [(left, right)]
        return all(close(number(x), number(y), output["tolerance"]) for x, y in pairs)

    def array(self, field):
        if not isinstance(field, dict):
            return field
        if "tensor" in field:
            return self.tensors[field["tensor"]]
        joined = self.tensors[f"{field['text']}.bytes"].tobytes()
        ends = self.tensors[f"{field['text']}.ends"]
        return [bytes(part).decode() for part in ranges(list(joined), ends)]

    def value(self, field, value):
        """Steps 1 to 4 of "How a value is read"."""
        value = typed(field, value)
        if value is INVALID or outside(field, value):
            refuse_if(field["on_invalid" if value is INVALID else "on_range"] == "refuse")
            clips = value is not INVALID and field["on_range"] == "clip"
            value = clip(field, value) if clips else None
        if value is not None and not is_nan(value) and self.is_unseen(field, value):
            refuse_if(field["on_unseen"] == "refuse")
            value = None if field["on_unseen"] == "missing" else value
        if value is None or is_nan(value):
            refuse_if(field["on_missing"] == "refuse")
            value = field["replacement"]
            value = np.nan if value is None and field["type"] != "text" else value
        return value

    def is_unseen(self, field, value):
        if field["levels"] is not None:
            return value not in field["levels"]
        if field["type"] != "text" or field["on_unseen"] == "allow":
            return False
        nodes = [node for node in self.manifest["graph"]["nodes"] if self.encodes(node, field)]
        levels = [self.array(node["fields"]["levels"]) for node in nodes]
        return bool(levels) and all(value not in some for some in levels)

    def encodes(self, node, field):
        # Enough for graphs in which each encoder reads the columns that flow into it untouched.
        return node["operator"] == "encode_text" and f"field:{field['name']}" in self.sources(node)

    def sources(self, node):
        nodes = {other["name"]: other for other in self.manifest["graph"]["nodes"]}
        found = set(node["inputs"])
        for name in node["inputs"]:
            found |= self.sources(nodes[name]) if name in nodes else set()
        return found


INVALID = object()


def refuse_if(condition):
    if condition:
        raise Refused


def is_nan(value):
    return isinstance(value, float) and value != value


def number(value):
    return float(np.nan if value is None else SPELLED.get(value, value))


def typed(field, value):
    if value is None or is_nan(value):
        return None
    if field["type"] == "text":
        return value if isinstance(value, str) else INVALID
    if isinstance(value, str):
        value = SPELLED.get(value, INVALID) if field["type"] == "number" else INVALID
    if value is INVALID or (isinstance(value, int) and abs(value) > 2**53):
        return INVALID
    if field["type"] == "boolean" and value not in (0, 1):
        return INVALID
    return single(value) if field["precision"] == "f32" else float(value)


def outside(field, value):
    if value is None or isinstance(value, str) or value is INVALID or is_nan(value):
        return False
    low, high = field["minimum"], field["maximum"]
    return (
        (np.isinf(value) and field["infinite"] == "refuse")
        or (low is not None and value < low)
        or (high is not None and value > high)
    )


def clip(field, value):
    low, high = field["minimum"], field["maximum"]
    value = max(value, -np.inf if low is None else low)
    value = min(value, np.inf if high is None else high)
    refuse_if(np.isinf(value))
    return value


def close(left, right, tolerance):
    if left == right or (left != left and right != right):
        return True
    return abs(left - right) <= tolerance * max(abs(left), abs(right), 1)


def ranges(values, ends):
    starts = [0, *ends[:-1]]
    return [values[start:end] for start, end in zip(starts, ends, strict=True)]


def single(value):
    return float(np.float32(value))


def rounded(values, precision):
    return [single(value) if precision == "f32" else float(value) for value in values]


# -- outputs --

SHAPES = {
    "label": lambda output, value: {output["name"]: output["levels"][value[0]]},
    "number": lambda output, value: {output["name"]: value[0]},
    "numbers": lambda output, value: {output["name"]: list(value)},
    "features": lambda output, value: dict(zip(output["names"], value, strict=True)),
}

# -- operators --

ARITHMETIC = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide}


def concat(fields, *inputs):
    return [element for value in inputs for element in value]


def select(fields, x):
    return [x[index] for index in fields["indices"]]


def impute(fields, x):
    missing = fields["missing"]
    hits = [is_nan(e) if missing is None else e == missing for e in x]
    return [r if hit else e for e, hit, r in zip(x, hits, fields["replacements"], strict=True)]


def impute_text(fields, x):
    pairs = zip(x, fields["replacements"], strict=True)
    return [r if e == fields["missing"] else e for e, r in pairs]


def indicate_missing(fields, x):
    missing = fields["missing"]
    return [float(e is None or is_nan(e) if missing is None else e == missing) for e in x]


def require(fields, x):
    for element in x:
        if element is None or is_nan(element):
            refuse_if(not fields["missing"])
        elif not isinstance(element, str):
            infinite = np.isinf(rounded([element], fields["precision"])[0])
            refuse_if(infinite and not fields["infinite"])
    return x


def arithmetic(fields, x):
    function = ARITHMETIC[fields["function"]]
    return rounded(function(x, fields["operands"]), fields["precision"])


def call(name, x):
    x = np.asarray(x, dtype=float)
    return (
        1 / (1 + np.exp(-x)) if name == "sigmoid" else np.asarray(getattr(np, name, lambda x: x)(x))
    )


def map_(fields, x):
    return rounded(call(fields["function"], x), fields["precision"])


def link(fields, x):
    scaled = np.asarray(x) * fields["scale"]
    return rounded(call(fields["function"], scaled), fields["precision"])


def encode(fields, x):
    coded = []
    columns = (ranges(fields[name], fields["ends"]) for name in ("levels", "codes"))
    others = fields["missing_codes"], fields["unseen_codes"]
    for element, levels, codes, missing, unseen in zip(x, *columns, *others, strict=True):
        known = dict(zip(levels, codes, strict=True))
        is_missing = element is None or is_nan(element)
        code = missing if is_missing else known.get(element, unseen)
        refuse_if(code == -2)
        coded.append(int(code))
    return coded


def one_hot(fields, x):
    pairs = zip(x, fields["widths"], strict=True)
    return [float(code == at) for code, width in pairs for at in range(width)]


def lookup(fields, x):
    triples = zip(x, ranges(fields["values"], fields["ends"]), fields["absent"], strict=True)
    return [v[code] if 0 <= code < len(v) else absent for code, v, absent in triples]


def linear(fields, x):
    coefficients = fields["coefficients"].reshape(-1, len(x))
    return list(coefficients @ np.array(x) + fields["intercepts"])


def trees(fields, x):
    total = np.float32 if fields["accumulate"] == "f32" else np.float64
    sums = [total(start) for start in fields["start"]]
    leaves = fields["leaves"]
    root = 0
    for end, output in zip(fields["ends"], fields["outputs"], strict=True):
        row = leaves[walk(fields, root, x)]
        for at, leaf in enumerate(row):
            sums[output + at] = sums[output + at] + total(leaf)
        root = end
    return [float(total(float(value) / fields["divisor"])) for value in sums]


def walk(fields, root, x):
    """The row of the leaf that this tree leads to."""
    at = root
    while fields["features"][at] >= 0:
        element = x[fields["features"][at]]
        element = single(element) if fields["precision"] == "f32" else element
        test = category_goes_left if fields["flags"][at] & 1 else number_goes_left
        side = "left" if test(fields, at, element) else "right"
        at = root + fields[side][at]
    return fields["left"][at]


def category_goes_left(fields, at, x):
    missing_left = bool(fields["flags"][at] & 2)
    if np.isnan(x):
        return missing_left
    words = ranges(fields["set_words"], fields["set_ends"])[int(fields["thresholds"][at])]
    category = np.trunc(x)
    if category < 0 or category >= 32 * len(words):
        return {"left": True, "right": False, "missing": missing_left}[fields["other_category"]]
    word, bit = divmod(int(category), 32)
    return bool(int(words[word]) >> bit & 1)


def number_goes_left(fields, at, x):
    what_is_missing = fields["flags"][at] >> 2
    if abs(x) <= ZERO and fields["flush_zero"]:
        x = 0.0
    if np.isnan(x) and what_is_missing == 0:
        x = 0.0
    if np.isnan(x) or (abs(x) <= ZERO and what_is_missing == 1):
        return bool(fields["flags"][at] & 2)
    threshold = fields["thresholds"][at]
    return x < threshold if fields["comparison"] == "less" else x <= threshold


def sigmoid_f32(fields, x):
    x = np.array(x, dtype=np.float32)
    one = np.float32(1)
    return list(one / (np.exp(np.minimum(-x, np.float32(88.7))) + one + np.float32(1e-16)))


def softmax(fields, x):
    kind = np.float32 if fields["precision"] == "f32" else np.float64
    x = np.array(x, dtype=kind)
    exponentials = np.exp(x - x.max())
    return list(exponentials / kind(exponentials.astype(float).sum()))


def complement(fields, x):
    return [*rounded([1 - x[0]], fields["precision"]), x[0]]


def proportion(fields, x):
    total = sum(x)
    return [element / total if total else 1 / len(x) for element in x]


def argmax(fields, x):
    return [int(np.argmax(np.nan_to_num(x, nan=-np.inf, posinf=np.inf, neginf=-np.inf)))]


def above(fields, x):
    return [int(element > fields["threshold"]) for element in x]


OPERATORS = {
    "above": above,
    "argmax": argmax,
    "arithmetic": arithmetic,
    "complement": complement,
    "concat": concat,
    "encode_number": encode,
    "encode_text": encode,
    "impute": impute,
    "impute_text": impute_text,
    "indicate_missing": indicate_missing,
    "linear": linear,
    "link": link,
    "lookup": lookup,
    "map": map_,
    "one_hot": one_hot,
    "proportion": proportion,
    "require": require,
    "select": select,
    "sigmoid_f32": sigmoid_f32,
    "softmax": softmax,
    "trees": trees,
}
