"""The command line: ``fpsolver run``, ``plot`` and ``info``.

Exit codes: 0 done, 1 a task failed, 2 bad input. What the commands need is imported when they run, so that
``fpsolver --help`` is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@contextmanager
def _one_message() -> Iterator[None]:
    """Turn what a user can get wrong into one message and exit code 2, and a task that fails into exit code 1."""
    from fpsolver.errors import ConvergenceError, InputError, NumericalError, StorageError

    try:
        yield
    except (InputError, StorageError) as error:
        _leave(str(error), 2)
    except (ConvergenceError, NumericalError, MemoryError) as error:
        _leave(str(error) or "out of memory; use fewer cells or frames", 1)
    except KeyboardInterrupt:
        _leave("interrupted; frames that were saved are in the .partial folder", 1)


def _leave(message: str, code: int) -> None:
    click.echo(message, err=True)
    sys.exit(code)


@click.group(context_settings=CONTEXT)
@click.version_option(package_name="fpsolver", message="%(prog)s %(version)s")
def main() -> None:
    """Densities of parameters under noise: define the landscape once, ask for evolution, equilibrium, rates."""


@main.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="HDF5 file to write [default: STUDY's name .h5, here]."
)
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Replace an entry: dynamics.temperature=0.2."
)
@click.option("--overwrite", is_flag=True, help="Replace an existing file once the new one is complete.")
@click.option("--plots/--no-plots", default=None, help="Draw the plots too [default: as the study says].")
@click.option("-q", "--quiet", is_flag=True, help="No summary and no progress bar.")
def run(
    study: Path, output: Path | None, overrides: tuple[str, ...], overwrite: bool, plots: bool | None, quiet: bool
) -> None:
    """Run the study file STUDY and write its results."""
    with _one_message():
        from fpsolver.studies.execution import run_study
        from fpsolver.studies.study import load_study

        checked = load_study(study, overrides)
        path = output or Path(study.stem + ".h5")
        drawing = checked.section("output").plots if plots is None else plots
        if drawing:
            from fpsolver.plotting import check_folder, default_folder

            check_folder(default_folder(path), overwrite=overwrite)
        if not quiet:
            for message in checked.warnings:
                click.echo(f"warning: {message}", err=True)
        outcome = run_study(checked, path, overwrite=overwrite, progress=not quiet)
        drawn: list[Path] = []
        if drawing:
            from fpsolver.plotting import plot_results

            drawn = plot_results(path, overwrite=overwrite)
        if not quiet:
            from fpsolver.report import summary

            click.echo(summary(checked, outcome, drawn))


@main.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder for the PNG files [default: RESULTS's name _plots]."
)
@click.option("--overwrite", is_flag=True, help="Replace plots that are there.")
def plot(results: Path, output: Path | None, overwrite: bool) -> None:
    """Draw what the result file RESULTS holds, as PNG files."""
    with _one_message():
        from fpsolver.plotting import plot_results

        for path in plot_results(results, output, overwrite=overwrite):
            click.echo(str(path))


@main.command()
@click.argument("results", type=click.Path(path_type=Path), required=False)
@click.option("--verify", is_flag=True, help="Read every array of RESULTS and compare the checksums.")
def info(results: Path | None, verify: bool) -> None:
    """Say what this installation is, or what the result file RESULTS holds."""
    with _one_message():
        if results is None:
            click.echo(_installation())
        else:
            click.echo(_contents(results, verify))


def _installation() -> str:
    """Return versions, device, threads and the folder of compiled code."""
    import platform

    from fpsolver.landscapes.source_cache import cache_folder
    from fpsolver.storage.provenance import machine, threads, version, versions

    here = machine()
    rows = [
        ("fpsolver", version("fpsolver") or "not installed (run from a checkout)"),
        ("python", platform.python_version()),
    ]
    rows += [(name, number or "not installed") for name, number in versions().items()]
    rows += [
        ("device", f"cpu: {here['processor']}, {here['cores']} cores"),
        ("threads", str(threads())),
        ("system", here["system"]),
        ("cache", str(cache_folder())),
    ]
    return "\n".join(f"{name:<12}{value}" for name, value in rows)


def _contents(path: Path, verify: bool) -> str:
    from fpsolver.report import describe_file
    from fpsolver.storage.results import open_results

    with open_results(path) as store:
        groups = []
        for group in store.groups:
            lines = []
            for name in store.names(group):
                shape = store.shape(f"{group}/{name}")
                lines.append(f"{name:<28} {' × '.join(f'{dim} {length}' for dim, length in shape.items())}")
            groups.append((group, lines))
        text = describe_file(store.attributes, groups)
        if verify:
            text += f"\n\n{store.verify()} arrays read, every checksum fits"
        return text


if __name__ == "__main__":
    main()
