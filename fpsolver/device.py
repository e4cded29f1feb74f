"""Where loops run: on the processor or on an NVIDIA device. Nothing else above the kernels knows the difference."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from fpsolver.errors import DeviceError, MethodError, suggest

DEVICES = ("cpu", "gpu")


def launcher(device: str, name: str) -> ModuleType:
    """Return the module of `fpsolver.kernels` called `name` for a device.

    Parameters
    ----------
    device : {"cpu", "gpu"}
        Where to run.
    name : str
        Module, the same for both.

    Raises
    ------
    DeviceError
        If there is no such device, or no NVIDIA device can be used here.
    MethodError
        If the module was not written for the device.

    Examples
    --------
    >>> launcher("cpu", "polynomial").__name__
    'fpsolver.kernels.cpu.polynomial'
    """
    if device not in DEVICES:
        raise DeviceError(f"device = {device!r} is not one of {', '.join(DEVICES)}{suggest(str(device), DEVICES)}")
    if device == "gpu":
        _require_cuda()
    module = f"fpsolver.kernels.{device}.{name}"
    if find_spec(module) is None:
        raise MethodError(f'the kernels called "{name}" do not run on device = "{device}"; choose device = "cpu"')
    return import_module(module)


def _require_cuda() -> None:
    from numba import cuda

    if not cuda.is_available():
        raise DeviceError(
            'device = "gpu" needs an NVIDIA device with its driver, and none is usable here; install fpsolver[cuda12] '
            'or fpsolver[cuda13] where there is one, or choose device = "cpu"'
        )
