"""Loops compiled by Numba for the CPU; each has a counterpart of the same name where a GPU version exists."""
