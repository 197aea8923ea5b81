"""What was measured, as a table and as a plot."""

import datetime
import os
import platform
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot

from .load import CLIENTS, OF_ALL, OF_SERVICES
from .measuring import Comparison, Figure, Results, Turn

OURS, OTHERS = "#1f6f8b", "#c4c9cf"


def table(results: Results, others: Sequence[Comparison]) -> str:
    """In Markdown: each server, the first of them against the others, and what else was measured."""
    ours, *peers = results.memory
    lines = [
        "# The service beside its peers",
        "",
        f"Measured on {datetime.date.today():%-d %B %Y} by `make bench`, with the newest versions of",
        "what the peers in `benchmarks/peers/` name as their dependencies.",
        f"Python {platform.python_version()} on {os.cpu_count()} cores; one process, 10 connections to one PostgreSQL,",
        f"{CLIENTS} clients that wait for each answer before they ask again.",
        "Each figure is the median of the rounds, with the lowest and the highest in brackets.",
        "Idle clients, streams and memory are measured once.",
        "",
        "| | requests a second | p50, ms | p99, ms | CPU a request, µs | errors |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for request in (*OF_ALL, *OF_SERVICES):
        for name in results.memory:
            if turns := results.turns[name, request]:
                columns = [shown(results.figure(name, request, of)) for of in (throughput, p50, p99, cpu)]
                errors = sum(turn.load.errors for turn in turns)
                lines.append(f"| {request.name}: {name} | {' | '.join(columns)} | {errors} |")
    lines += [
        "",
        f"{ours}, against the others in the same round:",
        "",
        "| | against | throughput | CPU a request | p99 |",
        "| --- | --- | --- | --- | --- |",
    ]
    for request in (*OF_ALL, *OF_SERVICES):
        for peer in peers:
            if results.turns[peer, request]:
                columns = [shown(results.ratio(ours, peer, request, of), 2) for of in (throughput, cpu, p99)]
                lines.append(f"| {request.name} | {peer} | {' | '.join(columns)} |")
    lines += ["", "| otherwise | |", "| --- | --- |"]
    lines += [f"| {other.name} | {shown(other.figure, 2)} {other.unit} |" for other in others]
    lines += ["", "| memory (PSS) after the load | MiB |", "| --- | --- |"]
    lines += [f"| {name} | {mebibytes:.0f} |" for name, mebibytes in results.memory.items()]
    return "\n".join([*lines, ""])


def plot(results: Results, path: Path) -> None:
    """Throughput of each server, as SVG."""
    mpl.rcParams["svg.hashsalt"] = "benchmarks"  # the same figures give the same file
    mpl.rcParams["font.family"] = "sans-serif"
    names = list(results.memory)[::-1]
    drawing, axes = pyplot.subplots(1, len(OF_ALL), figsize=(9, 2.8), sharey=True, layout="constrained")
    for axis, request in zip(axes, OF_ALL, strict=True):
        figures = [results.figure(name, request, throughput) for name in names]
        medians = [figure.median for figure in figures]
        spread = [[f.median - f.least for f in figures], [f.greatest - f.median for f in figures]]
        colours = [OURS if name.startswith("this") else OTHERS for name in names]
        axis.barh(names, medians, xerr=spread, color=colours, error_kw={"elinewidth": 0.8, "ecolor": "#555"})
        axis.set_title(f"{request.name}, requests a second", fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=9)
    drawing.savefig(path, metadata={"Date": None})


def shown(figure: Figure, digits: int = 0) -> str:
    median, least, greatest = (f"{value:.{digits}f}" for value in (figure.median, figure.least, figure.greatest))
    return f"{median} ({least}…{greatest})"


def throughput(turn: Turn) -> float:
    return turn.load.throughput


def p50(turn: Turn) -> float:
    return turn.load.p50


def p99(turn: Turn) -> float:
    return turn.load.p99


def cpu(turn: Turn) -> float:
    return turn.cpu
