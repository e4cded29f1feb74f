"""Three-term recurrences x(k+1) = g A x(k) − h x(k−1) with a lattice operator A, several steps per sweep.

The operator lives on flat arrays. An edge class with flat shift F contributes
``(A x)[i] += into[i − F] x[i − F] + outof[i] x[i + F]``, where ``into[j]`` is the rate j → j + F and ``outof[j]`` the
rate j + F → j; both are zero where the edge does not exist, so that rows need no ends and every loop is one long
vector loop. A sweep takes several steps while a window of the arrays stays in the first-level cache: step j trails
step j − 1 by the largest shift. Blocks, one for each thread, carry halos deep enough for a whole sweep and
recompute them, so that threads meet once a sweep.
"""

from __future__ import annotations

from numba import njit, prange

CONTRACT = {"contract"}


@njit(cache=True, fastmath=CONTRACT, error_model="numpy")
def _step_diagonal(x, out, diagonal, lo, hi, g, h):
    centre = x[lo:hi]
    new = out[lo:hi]
    rate = diagonal[lo:hi]
    for i in range(hi - lo):
        new[i] = g * (rate[i] * centre[i]) - h * new[i]


@njit(cache=True, fastmath=CONTRACT, error_model="numpy")
def _step_line(x, out, diagonal, into, outof, lo, hi, g, h):
    """Diagonal and the edges to the next cell in memory."""
    near = x[lo - 1 : hi + 1]
    new = out[lo:hi]
    rate = diagonal[lo:hi]
    left = into[lo - 1 : hi - 1]
    right = outof[lo:hi]
    for i in range(hi - lo):
        total = rate[i] * near[i + 1] + left[i] * near[i] + right[i] * near[i + 2]
        new[i] = g * total - h * new[i]


@njit(cache=True, fastmath=CONTRACT, error_model="numpy")
def _step_plane(x, out, diagonal, into, outof, far_into, far_outof, shift, lo, hi, g, h):
    """Diagonal, the edges to the next cell in memory and one class of longer edges."""
    near = x[lo - 1 : hi + 1]
    above = x[lo - shift : hi - shift]
    below = x[lo + shift : hi + shift]
    new = out[lo:hi]
    rate = diagonal[lo:hi]
    left = into[lo - 1 : hi - 1]
    right = outof[lo:hi]
    down = far_into[lo - shift : hi - shift]
    up = far_outof[lo:hi]
    for i in range(hi - lo):
        total = rate[i] * near[i + 1] + left[i] * near[i] + right[i] * near[i + 2]
        total += down[i] * above[i] + up[i] * below[i]
        new[i] = g * total - h * new[i]


@njit(cache=True, fastmath=CONTRACT, error_model="numpy")
def _step_plane_and_sum(x, out, diagonal, into, outof, far_into, far_outof, shift, lo, hi, g, h, total, a, b):
    """`_step_plane` and `_accumulate` in one loop, for the most common stencil: a tenth faster."""
    near = x[lo - 1 : hi + 1]
    above = x[lo - shift : hi - shift]
    below = x[lo + shift : hi + shift]
    new = out[lo:hi]
    rate = diagonal[lo:hi]
    left = into[lo - 1 : hi - 1]
    right = outof[lo:hi]
    down = far_into[lo - shift : hi - shift]
    up = far_outof[lo:hi]
    sums = total[lo:hi]
    for i in range(hi - lo):
        change = rate[i] * near[i + 1] + left[i] * near[i] + right[i] * near[i + 2]
        change += down[i] * above[i] + up[i] * below[i]
        value = g * change - h * new[i]
        new[i] = value
        sums[i] += a * near[i + 1] + b * value


@njit(cache=True, fastmath=CONTRACT, error_model="numpy")
def _step_cube(x, out, diagonal, into, outof, middle, far, lo, hi, g, h):
    """Diagonal, the edges to the next cell in memory and two classes of longer edges, as on a grid of three axes."""
    near = x[lo - 1 : hi + 1]
    above = x[lo - middle : hi - middle]
    below = x[lo + middle : hi + middle]
    far_above = x[lo - far : hi - far]
    far_below = x[lo + far : hi + far]
    new = out[lo:hi]
    rate = diagonal[lo:hi]
    left, right = into[0, lo - 1 : hi - 1], outof[0, lo:hi]
    down, up = into[1, lo - middle : hi - middle], outof[1, lo:hi]
    far_down, far_up = into[2, lo - far : hi - far], outof[2, lo:hi]
    for i in range(hi - lo):
        total = rate[i] * near[i + 1] + left[i] * near[i] + right[i] * near[i + 2]
        total += down[i] * above[i] + up[i] * below[i]
        total += far_down[i] * far_above[i] + far_up[i] * far_below[i]
        new[i] = g * total - h * new[i]


@njit(cache=True, fastmath=CONTRACT, error_model="numpy")
def _step_pair(x, out, diagonal, into, outof, shift, lo, hi, g, h):
    """Diagonal and two classes of edges whose shifts are neighbours, s and s + 1."""
    centre = x[lo:hi]
    above = x[lo - shift - 1 : hi - shift]
    below = x[lo + shift : hi + shift + 1]
    new = out[lo:hi]
    rate = diagonal[lo:hi]
    down = into[0, lo - shift : hi - shift]
    up = outof[0, lo:hi]
    far_down = into[1, lo - shift - 1 : hi - shift - 1]
    far_up = outof[1, lo:hi]
    for i in range(hi - lo):
        total = rate[i] * centre[i] + down[i] * above[i + 1] + up[i] * below[i]
        total += far_down[i] * above[i] + far_up[i] * below[i + 1]
        new[i] = g * total - h * new[i]


@njit(cache=True, fastmath=CONTRACT, error_model="numpy")
def _add_edges(x, out, into, outof, shift, lo, hi, g):
    above = x[lo - shift : hi - shift]
    below = x[lo + shift : hi + shift]
    new = out[lo:hi]
    down = into[lo - shift : hi - shift]
    up = outof[lo:hi]
    for i in range(hi - lo):
        new[i] += g * (down[i] * above[i] + up[i] * below[i])


@njit(cache=True, fastmath=CONTRACT, error_model="numpy")
def _accumulate(total, x, new, lo, hi, a, b):
    sums = total[lo:hi]
    first = x[lo:hi]
    second = new[lo:hi]
    for i in range(hi - lo):
        sums[i] += a * first[i] + b * second[i]


@njit(cache=True, fastmath=CONTRACT, error_model="numpy")
def _step(x, out, diagonal, into, outof, shifts, lo, hi, g, h):
    """One step on the cells lo ≤ i < hi; a unit shift, if there is one, comes first in `shifts`."""
    classes = len(shifts)
    if classes == 2 and shifts[0] > 1 and shifts[1] == shifts[0] + 1:
        _step_pair(x, out, diagonal, into, outof, shifts[0], lo, hi, g, h)
        done = 2
    elif classes == 0 or shifts[0] != 1:
        _step_diagonal(x, out, diagonal, lo, hi, g, h)
        done = 0
    elif classes == 1:
        _step_line(x, out, diagonal, into[0], outof[0], lo, hi, g, h)
        done = 1
    elif classes == 3:
        _step_cube(x, out, diagonal, into, outof, shifts[1], shifts[2], lo, hi, g, h)
        done = 3
    else:
        _step_plane(x, out, diagonal, into[0], outof[0], into[1], outof[1], shifts[1], lo, hi, g, h)
        done = 2
    for e in range(done, classes):
        _add_edges(x, out, into[e], outof[e], shifts[e], lo, hi, g)


@njit(cache=True, nogil=True, error_model="numpy")
def _sweep(x, old, sums, operator, length, lead, reach, closed, steps, k, depth, window):
    """Advance one block from step k by `depth` steps, an even number; `x` and `old` change roles at each."""
    diagonal, into, outof, shifts = operator
    gains, pulls, weights = steps
    low, high = lead, lead + length
    front = low if closed else low - (depth - 1) * reach
    while front - (depth - 1) * reach < high:
        for j in range(depth):
            spread = 0 if closed else (depth - 1 - j) * reach
            lo = max(low - spread, front - j * reach)
            hi = min(high + spread, front + window - j * reach)
            if lo >= hi:
                continue
            if j % 2 == 0:
                _step(x, old, diagonal, into, outof, shifts, lo, hi, gains[k + j], pulls[k + j])
            else:
                g, h, last = gains[k + j], pulls[k + j], len(weights) - 1
                if len(shifts) == 2 and shifts[0] == 1 and last >= 0:
                    a, b = weights[last, k + j - 1], weights[last, k + j]
                    far = shifts[1]
                    _step_plane_and_sum(
                        old, x, diagonal, into[0], outof[0], into[1], outof[1], far, lo, hi, g, h, sums[last], a, b
                    )  # fmt: skip
                    last -= 1
                else:
                    _step(old, x, diagonal, into, outof, shifts, lo, hi, g, h)
                for m in range(last + 1):
                    a, b = weights[m, k + j - 1], weights[m, k + j]
                    if a != 0.0 or b != 0.0:
                        _accumulate(sums[m], old, x, lo, hi, a, b)
        front += window


@njit(cache=True, nogil=True, error_model="numpy")
def run_block(x, old, sums, operator, length, lead, reach, steps, depth, window):
    """Take all steps on a single block with nothing beyond its ends.

    Parameters
    ----------
    x, old : ndarray, shape (lead + length + lead,)
        x(0) and x(−1); x(n) on return, and x(n − 1).
    sums : ndarray, shape (m, lead + length + lead)
        On return increased by the sum over k ≥ 1 of weights[m, k − 1] x(k).
    operator : tuple
        Diagonal of A; rates `into` and `outof`, shape (classes, …); shifts, shape (classes,).
    length, lead, reach : int
        Cells of the block, margin before and after them, and the largest shift.
    steps : tuple
        Gains g, pulls h, each of shape (n,) with n even, and weights, shape (m, n).
    depth, window : int
        Steps a sweep (even), and cells that a step takes at a time.
    """
    n = len(steps[0])
    k = 0
    while k < n:
        taken = min(depth, n - k)
        _sweep(x, old, sums, operator, length, lead, reach, True, steps, k, taken, window)
        k += taken


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_halos(x, length, lead, width, circular):
    """Copy the cells that lie beyond the ends of each block from the blocks that own them."""
    blocks, total = len(x), len(x) * length
    for b in range(blocks):
        for i in range(width):
            before = b * length - 1 - i
            after = (b + 1) * length + i
            if circular or before >= 0:
                owner = before % total
                x[b, lead - 1 - i] = x[owner // length, lead + owner % length]
            if circular or after < total:
                owner = after % total
                x[b, lead + length + i] = x[owner // length, lead + owner % length]


@njit(cache=True, nogil=True, error_model="numpy")
def run_blocks_serially(x, old, sums, operator, length, lead, reach, circular, steps, depth, window):
    """Do what `run_blocks` does on one thread, with the same result."""
    n = len(steps[0])
    k = 0
    while k < n:
        taken = min(depth, n - k)
        _fill_halos(x, length, lead, taken * reach, circular)
        _fill_halos(old, length, lead, taken * reach, circular)
        for b in range(len(x)):
            local = (operator[0][b], operator[1][b], operator[2][b], operator[3])
            _sweep(x[b], old[b], sums[b], local, length, lead, reach, False, steps, k, taken, window)
        k += taken


@njit(cache=True, nogil=True, parallel=True, error_model="numpy")
def run_blocks(x, old, sums, operator, length, lead, reach, circular, steps, depth, window):
    """Take all steps on several blocks of equal length, one thread for each; see `run_block`.

    Arrays have one more leading axis, the block; halos are exchanged once a sweep.
    """
    n = len(steps[0])
    k = 0
    while k < n:
        taken = min(depth, n - k)
        _fill_halos(x, length, lead, taken * reach, circular)
        _fill_halos(old, length, lead, taken * reach, circular)
        for b in prange(len(x)):
            local = (operator[0][b], operator[1][b], operator[2][b], operator[3])
            _sweep(x[b], old[b], sums[b], local, length, lead, reach, False, steps, k, taken, window)
        k += taken
