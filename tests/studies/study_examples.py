"""A small study that the tests change."""

from __future__ import annotations

# Ornstein–Uhlenbeck: everything is known in closed form.
GOOD = """\
title = "a parabola"
[landscape]
expression = "k*x**2/2"
parameters = { k = 1.0 }
[dynamics]
temperature = 0.5
mobility = 1.0
[grid.x]
lower = -6.0
upper = 6.0
cells = 120
[initial]
kind = "gaussian"
mean = [1.0]
covariance = [[0.25]]
[evolve]
times = [0.0, 0.5, 2.0]
[stationary]
[spectrum]
k = 3
[first_passage]
target = "x >= 2"
start = [0.0]
"""
