"""Penstock beside other engines: one script per comparison, every contender measured in turn in one run."""
