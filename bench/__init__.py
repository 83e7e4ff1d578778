"""Penstock beside other engines: one script per comparison, contenders take turns in one run."""
