"""A study is a function from a typed config to a record."""
