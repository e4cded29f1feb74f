"""SGD in few bits: weights on a lattice of representable values, as an exact Markov chain and as a simulation.

A step rounds θ − ηL'(θ) + ηξ to a multiple of the spacing q, to the nearest one or at random so that the mean is kept
(stochastic rounding); what falls outside the representable range saturates at its ends, as fixed-point numbers do.
With rounding to the nearest a step of less than half a spacing is lost: noiseless descent stalls where η|L'| < q/2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fpsolver.errors import InputError, suggest

if TYPE_CHECKING:
    from fpsolver.generators.chain import ChainGenerator
    from fpsolver.landscapes import Landscape

ROUNDINGS = ("nearest", "stochastic")
MOST_VALUES = 10**7
"""Representable values up to which a lattice is made: more than 23 bits."""


@dataclass(frozen=True, eq=False)
class QuantisedSGD:
    """SGD with Gaussian gradient noise on a lattice, in one dimension.

    Parameters
    ----------
    landscape : Landscape
        In one variable.
    learning_rate : float
        η.
    variance : float
        C, of the minibatch gradient; zero for plain descent.
    spacing : float
        q.
    lower, upper : float
        Ends of the representable range, rounded inwards to multiples of q.
    rounding : {"nearest", "stochastic"}
        Of the updated weight.

    Raises
    ------
    InputError
        If a value is out of range, or the landscape has more than one variable.

    Examples
    --------
    >>> import fpsolver as fp
    >>> coarse = QuantisedSGD(fp.Landscape("x**2/2"), 0.11, 0.0, spacing=0.25, lower=-2.0, upper=2.0)
    >>> coarse.run([2.0], steps=1000).tolist(), coarse.stalled.tolist()[-1]
    ([1.0], 1.0)
    """

    landscape: Landscape
    learning_rate: float
    variance: float
    spacing: float
    lower: float
    upper: float
    rounding: str = "nearest"

    def __post_init__(self) -> None:
        if self.landscape.dimension != 1:
            raise InputError(f"{self.landscape!r} has {self.landscape.dimension} variables; the lattice chain has one")
        for name, least in (("learning_rate", 0.0), ("spacing", 0.0), ("variance", -np.nextafter(0.0, 1.0))):
            value = float(getattr(self, name))
            if not (np.isfinite(value) and value > least):
                raise InputError(f"{name} = {value!r} must be finite and {'not negative' if least else 'positive'}")
        if self.rounding not in ROUNDINGS:
            raise InputError(
                f"rounding = {self.rounding!r} is not one of {', '.join(ROUNDINGS)}{suggest(self.rounding, ROUNDINGS)}"
            )
        if not abs(self.upper - self.lower) <= MOST_VALUES * self.spacing:
            raise InputError(
                f"[{self.lower:g}, {self.upper:g}] in multiples of {self.spacing:g} is not at most {MOST_VALUES:.0e} "
                "values; make the spacing wider or the range narrower"
            )
        if len(self._numbers) < 2:
            raise InputError(f"fewer than two multiples of {self.spacing:g} lie in [{self.lower:g}, {self.upper:g}]")

    @property
    def _numbers(self) -> np.ndarray:
        slack = 1e-9  # so that ends that are multiples themselves are not lost to rounding
        first, last = np.ceil(self.lower / self.spacing - slack), np.floor(self.upper / self.spacing + slack)
        return np.arange(first, last + 1.0)

    @property
    def lattice(self) -> np.ndarray:
        """The representable values, ascending."""
        return self.spacing * self._numbers

    @property
    def means(self) -> np.ndarray:
        """θ − ηL'(θ) on the lattice."""
        return self.lattice - self.learning_rate * self.landscape.gradient(self.lattice[:, None])[:, 0]

    @property
    def stalled(self) -> np.ndarray:
        """Lattice values that noiseless descent to the nearest does not leave: η|L'| < q/2 (halves round up)."""
        return self.lattice[np.floor(self.means / self.spacing + 0.5) == self._numbers]

    def transition_matrix(self) -> np.ndarray:
        """Return the probabilities of one step, element (i, j) from value j to value i; columns sum to one.

        With the normal distribution function Φ, P = Φ((x + q/2 − m)/s) − Φ((x − q/2 − m)/s) for rounding to the
        nearest, with s = η√C, and (s/q)[G(z + q/s) − 2G(z) + G(z − q/s)], G(z) = zΦ(z) + φ(z), for stochastic rounding.
        """
        deviation = self.learning_rate * np.sqrt(self.variance)
        if deviation == 0.0:
            return self._noiseless_matrix()
        z = (self.lattice[:, None] - self.means) / deviation
        width = self.spacing / deviation
        at, up_to = (_nearest, _nearest_up_to) if self.rounding == "nearest" else (_hat, _hat_up_to)
        # Both weights are even in z; on its negative side no digits are lost in the tails.
        matrix = at(-np.abs(z), width)
        matrix[0], matrix[-1] = up_to(z[0], width), up_to(-z[-1], width)
        return matrix / matrix.sum(axis=0)

    def _noiseless_matrix(self) -> np.ndarray:
        numbers, target = self._numbers, self.means / self.spacing
        below = np.floor(target + (0.5 if self.rounding == "nearest" else 0.0))
        share = target - below if self.rounding == "stochastic" else np.zeros_like(target)
        matrix, columns = np.zeros((len(numbers), len(numbers))), np.arange(len(numbers))
        for value, weight in ((below, 1.0 - share), (below + 1.0, share)):
            rows = np.clip(value - numbers[0], 0, len(numbers) - 1).astype(int)
            np.add.at(matrix, (rows, columns), weight)
        return matrix

    def generator(self) -> ChainGenerator:
        """Return the chain as a generator K − 1 on a grid whose cells are the representable values; a step takes 1.

        All solvers take it: `fpsolver.evolve`, `stationary`, `spectrum`, first passage and committor. A density on it
        is a probability over q.
        """
        import scipy.sparse as sparse

        from fpsolver.generators.chain import ChainGenerator
        from fpsolver.grids import Axis, Grid

        half = 0.5 * self.spacing
        lattice = self.lattice
        axis = Axis(lattice[0] - half, lattice[-1] + half, len(lattice), boundary="reflecting")
        axes: dict[str, Any] = {self.landscape.variables[0]: axis}
        grid = Grid(**axes)
        matrix, nothing = self.transition_matrix(), np.zeros(len(lattice))
        staying = matrix.diagonal().copy()
        rates = sparse.csr_array(matrix - np.diag(staying))
        return ChainGenerator(grid, self, "lattice", (), nothing, None, (), rates, staying, nothing)

    def run(self, start: Any, steps: int, *, seed: int = 0) -> np.ndarray:
        """Return simulated weights after so many steps.

        Parameters
        ----------
        start : array_like, shape (n,)
            Where each begins; rounded to the lattice.
        steps : int
            How many.
        seed : int
            Of the noise.
        """
        rng, q = np.random.default_rng(seed), self.spacing
        lowest, highest = self.lattice[[0, -1]]
        theta = np.clip(q * np.round(np.asarray(start, dtype=float) / q), lowest, highest)
        for _ in range(steps):
            slope = self.landscape.gradient(theta[:, None])[:, 0]
            moved = theta - self.learning_rate * (slope + np.sqrt(self.variance) * rng.standard_normal(len(theta)))
            noise = rng.random(len(theta)) if self.rounding == "stochastic" else 0.5
            theta = np.clip(q * np.floor(moved / q + noise), lowest, highest)
        return theta


def _nearest(z: np.ndarray, width: float) -> np.ndarray:
    """Return the probability of the value at z standard deviations from the mean, `width` of them apart."""
    return _normal(z + 0.5 * width) - _normal(z - 0.5 * width)


def _nearest_up_to(z: np.ndarray, width: float) -> np.ndarray:
    """Return the probability of that value and all below."""
    return _normal(z + 0.5 * width)


def _hat(z: np.ndarray, width: float) -> np.ndarray:
    """Return the mean of (1 − |y − z|/width)₊ over normal y, the weights of stochastic rounding."""
    return np.maximum(_ramp(z + width) - 2.0 * _ramp(z) + _ramp(z - width), 0.0) / width


def _hat_up_to(z: np.ndarray, width: float) -> np.ndarray:
    """Return the sum of these weights at z and all values below."""
    return (_ramp(z + width) - _ramp(z)) / width


def _normal(z: np.ndarray) -> np.ndarray:
    from scipy.special import ndtr

    return ndtr(z)


def _ramp(z: np.ndarray) -> np.ndarray:
    """Return G(z) = zΦ(z) + φ(z), the mean of (z − y)₊."""
    return z * _normal(z) + np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
