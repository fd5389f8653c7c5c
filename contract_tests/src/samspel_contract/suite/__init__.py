"""The tests themselves. They belong to the suite: a plugin contributes none."""
