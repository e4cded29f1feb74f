"""Steps and functionals of overdamped dynamics with additive noise in plain NumPy, written from their definitions."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from fpsolver.ensembles.seeds import key_of
from fpsolver.kernels.cpu.noise import normals
from fpsolver.kernels.philox import DYNAMICS


def noise_of(seed, n, steps, d):
    """Standard normals (steps, n, d): draw q = step d + k of each trajectory."""
    k0, k1 = (int(word) for word in key_of(seed))
    return normals(0, n, steps * d, DYNAMICS, k0, k1).reshape(n, steps, d).swapaxes(0, 1)


@dataclass
class Law:
    """Landscape and force as functions of points and time, mobility and diffusion as functions of time."""

    landscape: object
    mobility: object
    diffusion: object
    force: object = field(default=lambda x: np.zeros_like(x))
    parameters: object = field(default=lambda t: {})

    def at(self, t):
        """Return the landscape at a time."""
        return self.landscape.with_parameters(**self.parameters(t))

    def slope(self, x, t):
        """Return ∇L − F."""
        return self.at(t).gradient(x) - self.force(x)


def euler_maruyama(law, x, z, dt, t):
    """x′ = x − M s dt + √(2D dt) z."""
    root = np.linalg.cholesky(2 * dt * law.diffusion(t))
    return x - dt * law.slope(x, t) @ law.mobility(t).T + z @ root.T


def heun(law, x, z, dt, t):
    """Mean of the slopes at the beginning and at the end of an Euler step (Kloeden and Platen 1992, eq. (15.1.1))."""
    root = np.linalg.cholesky(2 * dt * law.diffusion(t))
    guess = euler_maruyama(law, x, z, dt, t)
    mean = 0.5 * (law.slope(x, t) + law.slope(guess, t))
    return x - dt * mean @ law.mobility(t).T + z @ root.T


def leimkuhler_matthews(law, x, z, dt, t):
    """Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34, eq. (1.5); z is this noise and the next."""
    return euler_maruyama(law, x, 0.5 * (z[0] + z[1]), dt, t)


STEPS = {"euler-maruyama": euler_maruyama, "heun": heun, "weak-2": heun, "leimkuhler-matthews": leimkuhler_matthews}


def path(law, x, scheme, dt, steps, seed):
    """Positions (steps + 1, n, d) with the random numbers that the kernels use."""
    ahead = scheme == "leimkuhler-matthews"
    z = noise_of(seed, len(x), steps + ahead, x.shape[1])
    positions = [x]
    for k in range(steps):
        pair = (z[k], z[k + 1]) if ahead else z[k]
        positions.append(STEPS[scheme](law, positions[-1], pair, dt, (k + 0.5) * dt))
    return np.stack(positions)


def log_density(z):
    """Logarithm of the density of standard normals, up to a constant that cancels."""
    return -0.5 * (z**2).sum(axis=-1)


def functionals(law, positions, dt):
    """Work, heat, shadow work and both entropy flows of Euler–Maruyama paths, shape (n,) each."""
    total = dict.fromkeys(("work", "heat", "shadow_work", "entropy_flow", "entropy_flow_midpoint"), 0.0)
    for k, (x, y) in enumerate(pairwise(positions)):
        before, middle, after = k * dt, (k + 0.5) * dt, (k + 1) * dt
        change, slopes = y - x, 0.5 * (law.slope(x, middle) + law.slope(y, middle))
        forced = (0.5 * (law.force(x) + law.force(y)) * change).sum(axis=-1)
        heat = -(slopes * change).sum(axis=-1)
        switched = law.at(middle).value(x) - law.at(before).value(x) + law.at(after).value(y) - law.at(middle).value(y)
        total["work"] += switched + forced
        total["heat"] += heat
        total["shadow_work"] += law.at(middle).value(y) - law.at(middle).value(x) - forced + heat
        mobility, diffusion = law.mobility(middle), law.diffusion(middle)
        inverse = np.linalg.inv(np.linalg.cholesky(2 * dt * diffusion))
        forward = (y - x + dt * law.slope(x, middle) @ mobility.T) @ inverse.T
        back = (x - y + dt * law.slope(y, middle) @ mobility.T) @ inverse.T
        total["entropy_flow"] += log_density(forward) - log_density(back)
        total["entropy_flow_midpoint"] -= ((slopes @ mobility.T @ np.linalg.inv(diffusion).T) * change).sum(axis=-1)
    return total
