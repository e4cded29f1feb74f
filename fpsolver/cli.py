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

# Paths are judged where they are opened, with a message that says what to do.
PATH = click.Path(path_type=Path, readable=False)
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
@click.argument("study", type=PATH)
@click.option("-o", "--output", type=PATH, help="HDF5 file to write [default: STUDY's name .h5, here].")
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
@click.argument("results", type=PATH)
@click.option("-o", "--output", type=PATH, help="Folder for the PNG files [default: RESULTS's name _plots].")
@click.option("--overwrite", is_flag=True, help="Replace plots that are there.")
def plot(results: Path, output: Path | None, overwrite: bool) -> None:
    """Draw what the result file RESULTS holds, as PNG files."""
    with _one_message():
        from fpsolver.plotting import plot_results

        for path in plot_results(results, output, overwrite=overwrite):
            click.echo(str(path))


@main.command()
@click.argument("results", type=PATH, required=False)
@click.option("--verify", is_flag=True, help="Read every array of RESULTS and compare the checksums.")
def info(results: Path | None, verify: bool) -> None:
    """Say what this installation is, or what the result file RESULTS holds."""
    with _one_message():
        from fpsolver.report import describe_file, describe_installation

        if results is None:
            click.echo(describe_installation())
            return
        from fpsolver.storage.results import open_results

        with open_results(results) as store:
            click.echo(describe_file(store))
            if verify:
                click.echo(f"\n{store.verify()} arrays read, every checksum fits")


if __name__ == "__main__":
    main()
