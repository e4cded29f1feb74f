"""The error function of one double, without branches or calls, so that loops around it are vectorised."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from fpsolver.kernels.elementary import bits_of, double_of, exp
from fpsolver.kernels.options import FORMULA

_SIGN = np.uint64(0x8000000000000000)


@njit(**FORMULA)
def _near(size: Any) -> Any:
    """Return erf(x) for 0 ≤ x ≤ 1."""
    z = size * size
    q = 1.3718218762051456e-08 + z * -7.792387776980085e-10
    q = -1.6208065704722215e-07 + z * q
    q = 1.6447371314258486e-06 + z * q
    q = -1.4924732685547572e-05 + z * q
    q = 0.00012055294691019695 + z * q
    q = -0.0008548325968458515 + z * q
    q = 0.005223977606976882 + z * q
    q = -0.026866170643221454 + z * q
    q = 0.1128379167094491 + z * q
    q = -0.3761263890318354 + z * q
    q = 1.1283791670955126 + z * q
    return size * q


@njit(**FORMULA)
def _scaled_complement(size: Any) -> Any:
    """Return exp(x²) erfc(x) for 1 ≤ x ≤ 6."""
    u = (size - 2.5) / (size + 2.5)
    q = -1.5618686039256232e-06 + u * 8.327210331385733e-08
    q = -2.285345470121994e-06 + u * q
    q = 7.484436050048516e-06 + u * q
    q = 1.8609974584385847e-05 + u * q
    q = -3.417215002659109e-05 + u * q
    q = -0.00012887652696412616 + u * q
    q = 0.00022837955049302398 + u * q
    q = 0.0008759154038376665 + u * q
    q = -0.0026423659272982424 + u * q
    q = -0.003993701164207782 + u * q
    q = 0.039922539074771946 + u * q
    q = -0.1250330523788547 + u * q
    q = 0.2517131932174561 + u * q
    q = -0.3717367339489732 + u * q
    q = 0.21080636406114356 + u * q
    return q


@njit(**FORMULA)
def erf(x: Any) -> Any:
    """Return the error function of x."""
    y = np.float64(x)
    size: Any = abs(y)
    size = 6.0 if size > 6.0 else size
    far = 1.0 - exp(-size * size) * _scaled_complement(size)
    near = _near(size)
    value = far if size > 1.0 else near
    return double_of(bits_of(value) | (bits_of(y) & _SIGN))
