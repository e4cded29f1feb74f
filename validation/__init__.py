"""Runnable studies in which theory and numerics meet: each returns its numbers as data, and the tests run them."""
