"""Solvers: plain functions that take a generator and return results."""
