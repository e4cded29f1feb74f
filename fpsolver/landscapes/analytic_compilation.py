"""Numba compilation of functions of complex arguments, with integer powers by multiplication.

Numba takes complex powers through logarithm and angle. For a negative base the angle π is rounded, which leaves an
imaginary part of 1e-16 that the complex step would take for a derivative. Here every ``a ** n`` with integer n
becomes a product before types are inferred.
"""

from __future__ import annotations

import operator
from typing import Any

from numba import njit, types
from numba.core import ir
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.untyped_passes import IRProcessing
from numba.extending import overload


def power(a: Any, b: Any) -> Any:
    """Return a**b; compiled code takes integer powers by multiplication."""
    return a**b


@njit(error_model="numpy")
def _integer_power(a, n):
    result = a * 0.0 + 1.0
    for _ in range(abs(n)):
        result *= a
    return result if n >= 0 else 1.0 / result


@overload(power, inline="never")
def _power(a, b):
    if isinstance(a, types.Complex) and isinstance(b, types.Integer):
        return lambda a, b: _integer_power(a, b)
    return lambda a, b: a**b


@register_pass(mutates_CFG=False, analysis_only=False)
class PowerPass(FunctionPass):
    """Replace the operator ** by a call of `power`."""

    _name = "fpsolver_power"

    def __init__(self):
        FunctionPass.__init__(self)

    def run_pass(self, state):
        """Rewrite the statements of all blocks; say whether any was."""
        changed = False
        for block in state.func_ir.blocks.values():
            body = []
            for statement in block.body:
                if isinstance(statement, ir.Assign) and _is_power(statement.value):
                    value: Any = statement.value
                    loc = statement.loc
                    name = ir.Var(block.scope, f"$power_{id(statement)}", loc)
                    body.append(ir.Assign(ir.Global("power", power, loc), name, loc))
                    statement = ir.Assign(ir.Expr.call(name, [value.lhs, value.rhs], (), loc), statement.target, loc)
                    changed = True
                body.append(statement)
            block.body = body
        if changed:
            state.func_ir._definitions = _definitions(state.func_ir)
        return changed


def _is_power(value: Any) -> bool:
    if not isinstance(value, ir.Expr) or value.op not in ("binop", "inplace_binop"):
        return False
    return value.fn is operator.pow or (value.op == "inplace_binop" and value.immutable_fn is operator.pow)


def _definitions(func_ir: Any) -> Any:
    from numba.core.ir_utils import build_definitions

    return build_definitions(func_ir.blocks)


class AnalyticCompiler(CompilerBase):
    """Numba's compiler with `PowerPass` in front."""

    def define_pipelines(self):
        """Put the pass behind the construction of the intermediate representation."""
        pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
        pipeline.add_pass_after(PowerPass, IRProcessing)
        pipeline.finalize()
        return [pipeline]
