"""An examination of the converters by plain comparison: see `tests/examination/judging.py`."""
