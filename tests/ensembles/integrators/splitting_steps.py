"""A step of the underdamped splittings in plain NumPy, written from the letters of their names."""

from __future__ import annotations

import numpy as np


def step(scheme, x, v, z, gradient, dt, temperature, friction, mass):
    """Return (x, v, heat) after one step; x and v are (..., d), and z (..., m, d) for m letters O in the scheme."""
    share = {letter: dt / scheme.count(letter) for letter in "bao"}
    c = np.exp(-friction * share["o"])
    heat, used = 0.0, 0
    for letter in scheme:
        if letter == "b":
            v = v - share["b"] * gradient(x) / mass
        elif letter == "a":
            x = x + share["a"] * v
        else:
            new = c * v + np.sqrt((1 - c**2) * temperature / mass) * z[..., used, :]
            heat = heat + 0.5 * np.sum(mass * (v**2 - new**2), axis=-1)
            v, used = new, used + 1
    return x, v, heat
