"""What the other servers serve: the same pipeline, as their documentation shows it."""
