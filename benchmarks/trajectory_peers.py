"""Euler–Maruyama on the quartic well V = x⁴/4 − x²/2 at T = 0.1 in other packages: x′ = x − V′ dt + √(2T dt) z.

Each function returns a call that takes `steps` steps with `n` trajectories, or None where the package is not installed;
what a package does once (compilation) is done before, and not counted. All draw their own normal numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

TEMPERATURE, DT = 0.1, 1e-3
AMPLITUDE = float(np.sqrt(2 * TEMPERATURE * DT))

Call = Callable[[], Any]


def numpy_loop(n: int, steps: int) -> Call:
    """Return the loop over steps that one writes with NumPy."""
    generator = np.random.default_rng(1)

    def call() -> np.ndarray:
        x = np.full(n, -1.0)
        for _ in range(steps):
            x += (x - x**3) * DT + AMPLITUDE * generator.standard_normal(n)
        return x

    return call


def numba_random(n: int, steps: int) -> Call:
    """Return the loop that one writes with Numba, its own generator and all threads."""
    from numba import njit, prange

    @njit(parallel=True, fastmath=True)
    def march(x: np.ndarray, steps: int) -> None:
        for i in prange(len(x)):
            y = x[i]
            for _ in range(steps):
                y += (y - y * y * y) * DT + AMPLITUDE * np.random.standard_normal()  # noqa: NPY002  (the only one that Numba runs in threads)
            x[i] = y

    def call() -> np.ndarray:
        x = np.full(n, -1.0)
        march(x, steps)
        return x

    return call


def jax_scan(n: int, steps: int) -> Call | None:
    """Return JAX's compiled scan over steps, in double precision."""
    try:
        import jax
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)

    def one(x: Any, key: Any) -> tuple[Any, None]:
        return x + (x - x**3) * DT + AMPLITUDE * jax.random.normal(key, x.shape), None

    @jax.jit
    def march(x: Any, key: Any) -> Any:
        return jax.lax.scan(one, x, jax.random.split(key, steps))[0]

    start, key = jax.numpy.full(n, -1.0), jax.random.PRNGKey(1)
    return lambda: march(start, key).block_until_ready()


def diffrax_euler(n: int, steps: int) -> Call | None:
    """Return diffrax's Euler method with its virtual Brownian tree replaced by the faster unsafe path."""
    try:
        import diffrax
        import jax
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    drift = diffrax.ODETerm(lambda t, x, args: x - x**3)

    @jax.jit
    def march(key: Any) -> Any:
        path = diffrax.UnsafeBrownianPath(shape=(n,), key=key)
        noise = diffrax.ControlTerm(lambda t, x, args: diffrax_identity(n), path)
        terms = diffrax.MultiTerm(drift, noise)
        return diffrax.diffeqsolve(
            terms, diffrax.Euler(), 0.0, steps * DT, DT, jax.numpy.full(n, -1.0), max_steps=steps + 1,
            saveat=diffrax.SaveAt(t1=True), adjoint=diffrax.DirectAdjoint(),
        ).ys  # fmt: skip

    key = jax.random.PRNGKey(1)
    return lambda: march(key).block_until_ready()


def diffrax_identity(n: int) -> Any:
    """Return √(2T) on the diagonal, as diffrax takes it."""
    import jax
    import lineax

    return lineax.DiagonalLinearOperator(jax.numpy.full(n, np.sqrt(2 * TEMPERATURE)))


def torchsde_euler(n: int, steps: int) -> Call | None:
    """Return torchsde's Euler method with diagonal noise, in double precision."""
    try:
        import torch
        import torchsde
    except ImportError:
        return None

    class Well(torch.nn.Module):
        noise_type, sde_type = "diagonal", "ito"

        def f(self, t: Any, x: Any) -> Any:
            return x - x**3

        def g(self, t: Any, x: Any) -> Any:
            return torch.full_like(x, float(np.sqrt(2 * TEMPERATURE)))

    start = torch.full((n, 1), -1.0, dtype=torch.float64)
    times = torch.tensor([0.0, steps * DT], dtype=torch.float64)

    def call() -> Any:
        with torch.no_grad():
            return torchsde.sdeint(Well(), start, times, method="euler", dt=DT)

    return call


PEERS: dict[str, tuple[Callable[[int, int], Call | None], int, int]] = {
    "NumPy": (numpy_loop, 100_000, 100),
    "Numba np.random": (numba_random, 100_000, 400),
    "JAX scan": (jax_scan, 100_000, 200),
    "diffrax": (diffrax_euler, 100_000, 50),
    "torchsde": (torchsde_euler, 100_000, 50),
}
"""Name → (call maker, trajectories, steps)."""
