"""The processor's functions for a device, from the same Python source.

A thread of a device has one trajectory: a block of one lane. What `fpsolver.kernels.cpu` does to blocks is therefore
compiled again with ``LANES = 1``, down to the last formula. Numba would translate the functions that are called from
device code by itself, but takes "contract" among their options for leave to do everything that is fast: sums reordered,
denormal numbers dropped. Contraction alone is what a device does without being asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import FunctionType, ModuleType
from typing import Any

from numba import cuda

OURS = "fpsolver.kernels"


class Translation:
    """Device functions of functions that were written for the processor.

    Parameters
    ----------
    names : mapping of str to object
        Global names that mean something else on the device, in every function that is translated.
    """

    def __init__(self, names: Mapping[str, Any]):
        self._names = dict(names)
        self._functions: dict[Any, Any] = {}
        self._modules: dict[str, ModuleType] = {}

    def __call__(self, function: Callable[..., Any]) -> Any:
        """Return the device function of a Python function or of what Numba made of one, and of all that it calls."""
        source: Any = getattr(function, "py_func", function)
        if source not in self._functions:
            options = getattr(function, "targetoptions", {})
            # The simulator keeps warnings here: a thread's first must not add to what other threads walk through.
            scope = {"__warningregistry__": {}, **source.__globals__}
            copy = FunctionType(source.__code__, scope, source.__name__, source.__defaults__, source.__closure__)
            self._functions[source] = cuda.jit(device=True, inline=options.get("inline", "never"))(copy)
            for name in source.__code__.co_names:
                if name in scope:
                    scope[name] = self._value(self._names.get(name, scope[name]))
        return self._functions[source]

    def _value(self, value: Any) -> Any:
        """Return what stands for the value of a global name."""
        if isinstance(value, ModuleType):
            return self._module(value) if value.__name__.startswith(OURS) else value
        return self(value) if _is_ours(value) else value

    def _module(self, module: ModuleType) -> ModuleType:
        """Return the module with its functions translated; generated code calls them by way of it."""
        if module.__name__ not in self._modules:
            copy = self._modules[module.__name__] = ModuleType(module.__name__)
            for name, value in vars(module).items():
                if not name.startswith("__") and not isinstance(value, ModuleType):
                    setattr(copy, name, self._value(self._names.get(name, value)))
        return self._modules[module.__name__]


def _is_ours(value: Any) -> bool:
    source = getattr(value, "py_func", value)
    return isinstance(source, FunctionType) and source.__module__.startswith(OURS)
