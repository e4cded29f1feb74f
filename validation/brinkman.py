"""The slowest odd mode of the Klein–Kramers operator, spectral in position and velocity, for symmetric landscapes.

In Hermite functions of v, with s = √(T/m), the amplitudes a_n(x) of p/√(Gibbs density) obey Brinkman's hierarchy

    ∂_t a_n = −nγ a_n − √n R a_{n−1} + √(n+1) Rᵀ a_{n+1},    R = s (∂_x + L'/2T).

Here ∂_x acts on sinc functions. Where L(−x) = L(x) the hierarchy leaves functions that are odd under (x, v) → (−x, −v)
to themselves: odd in x for even n, even in x for odd n. The Gibbs state is not among them, so that the slowest of them
is found by elimination from n = N − 1 down and inverse iteration, at a cost of N dense blocks.

Elimination leaves A_n = nγ + Y_nᵀ Y_n, positive definite, and A_0 = Y_0ᵀ Y_0. The singular values of Y_0 are the square
roots of what is wanted: a rate of 1e-17 keeps four digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import brentq

from fpsolver.errors import ConvergenceError, MethodError
from fpsolver.landscapes import Landscape

# Half the axis ends where the Gibbs density has fallen by e^{−37} = 1e-16.
_DEPTH = 37.0
# Sinc functions stand √T times this apart: a quarter of the width of a well with L'' = 2, which they resolve to 1e-16,
# or closer where N Hermite functions make finer structure, as 1/√N.
_SPACING, _STRUCTURE = 0.3, 2.2
_STEPS = 200


@dataclass(frozen=True, eq=False)
class OddKineticMode:
    """The slowest mode that is odd under (x, v) → (−x, −v), of a symmetric landscape in one dimension.

    Parameters
    ----------
    landscape : Landscape
        With L(−x) = L(x).
    temperature, friction : float
        T in units of loss, and the rate γ.
    functions : int
        Number N of Hermite functions.
    points : int, optional
        Number of sinc functions on x > 0; by default enough for N.
    mass : float
        Mass m.

    Raises
    ------
    MethodError
        If the landscape is not symmetric, or there are fewer than 2 functions.
    ConvergenceError
        If no real rate is slower than all others, when it is asked for.

    Examples
    --------
    >>> from fpsolver.landscapes import double_well
    >>> round(OddKineticMode(double_well(), temperature=0.1, friction=0.5, functions=40).rate, 8)
    0.02658078
    """

    landscape: Landscape
    temperature: float
    friction: float
    functions: int
    points: int | None = None
    mass: float = 1.0

    def __post_init__(self) -> None:
        x = np.linspace(0.1, self.end, 16)[:, None]
        if not np.allclose(self.landscape.value(x), self.landscape.value(-x), rtol=1e-12, atol=1e-12):
            raise MethodError(f"{self.landscape!r} is not symmetric about x = 0; use the Hermite generator on a grid")
        if self.functions < 2:
            raise MethodError(f"functions = {self.functions!r}: give at least 2 Hermite functions")

    @cached_property
    def end(self) -> float:
        """Where the axis ends."""
        x = np.linspace(0.0, 1.0, 65)[:, None]
        level = float(self.landscape.value(x).min()) + _DEPTH * self.temperature
        outside = 1.0
        while self.landscape.value([outside]) < level:
            outside *= 1.5
        return float(brentq(lambda at: float(self.landscape.value([at])) - level, outside / 1.5, outside))

    @cached_property
    def positions(self) -> np.ndarray:
        """Centres of the sinc functions on x > 0, of which there are mirror images."""
        spacing = np.sqrt(self.temperature) * min(_SPACING, _STRUCTURE / np.sqrt(self.functions))
        count = int(np.ceil(self.end / spacing)) if self.points is None else self.points
        return (np.arange(count) + 0.5) * self.end / count

    @cached_property
    def raising(self) -> tuple[np.ndarray, np.ndarray]:
        """R from functions odd in x to even ones, and from even to odd."""
        x = self.positions
        step, index = x[1] - x[0], np.arange(len(x))

        def derivative(distance: np.ndarray) -> np.ndarray:
            sign = np.where(distance % 2 == 0, 1.0, -1.0)
            return np.divide(sign, distance * step, out=np.zeros_like(sign), where=distance != 0)

        near, far = derivative(np.subtract.outer(index, index)), derivative(np.add.outer(index, index) + 1)
        force = np.diag(0.5 * self.landscape.gradient(x[:, None])[:, 0] / self.temperature)
        speed = np.sqrt(self.temperature / self.mass)
        return speed * (near - far + force), speed * (near + far + force)

    @cached_property
    def _factors(self) -> tuple[list[np.ndarray], np.ndarray]:
        """Cholesky factors of A_1 … A_{N−1}, and Y_0."""
        block = (self.functions - 1) * self.friction * np.eye(len(self.positions))
        factors = [block] * self.functions
        for n in reversed(range(self.functions - 1)):
            factors[n + 1] = cho_factor(block, lower=True, overwrite_a=True, check_finite=False)[0]
            lowered = np.sqrt(n + 1.0) * solve_triangular(factors[n + 1], self.raising[n % 2], lower=True)
            block = lowered.T @ lowered + n * self.friction * np.eye(len(self.positions))
        return factors, lowered

    @cached_property
    def _lowest(self) -> tuple[np.ndarray, np.ndarray]:
        """Singular values of Y_0 and their right vectors as rows."""
        _, singular, modes = np.linalg.svd(self._factors[1])
        return singular, modes

    @property
    def rounding(self) -> float:
        """Bound on the relative error of the rate by rounding, 2nε times the condition of Y_0 with n sinc functions."""
        singular = self._lowest[0]
        return float(2.0 * len(singular) * np.finfo(float).eps * singular[0] / singular[-1])

    @cached_property
    def rate(self) -> float:
        """The rate λ, real: by inverse iteration with the quotient that is stationary for (x, v) → (x, −v) adjoints."""
        factors, (singular, modes) = self._factors[0], self._lowest
        sign = np.where(np.arange(self.functions) % 2 == 0, 1.0, -1.0)[:, None]
        state = np.zeros((self.functions, len(self.positions)))
        state[0], last = modes[-1], np.inf
        for _ in range(_STEPS):
            solved = self._solved(state, factors, modes / singular[:, None])
            rate = float(np.sum(sign * solved * state) / np.sum(sign * solved * solved))
            if abs(rate - last) <= 1e-12 * abs(rate):
                return rate
            state, last = solved / np.linalg.norm(solved), rate
        raise ConvergenceError(
            f"inverse iteration did not settle in {_STEPS} steps at friction = {self.friction:g}: no slowest odd mode "
            "stands alone, as between the wells of a double well; the slowest ones may be a complex pair"
        )

    def _solved(self, right: np.ndarray, factors: list[np.ndarray], scaled_modes: np.ndarray) -> np.ndarray:
        """Return a with −W a = right."""
        b = right.copy()
        for n in reversed(range(1, self.functions)):
            b[n - 1] += np.sqrt(n) * self.raising[(n - 1) % 2].T @ cho_solve((factors[n], True), b[n])
        b[0] = scaled_modes.T @ (scaled_modes @ b[0])
        for n in range(1, self.functions):
            b[n] = cho_solve((factors[n], True), b[n] - np.sqrt(n) * self.raising[(n - 1) % 2] @ b[n - 1])
        return b
