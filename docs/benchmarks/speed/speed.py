"""Measure the speed of the package, compared with hand-written loops and libraries.

    python docs/benchmarks/speed/speed.py [--quick] [--only NAME ...] [--threads 1]
        [--device cpu] [--json FILE] [--markdown FILE]

Prints a Markdown table. The exit status is 1 if a bound is not met. The names are read
from the path in the environment variable SKLEARN_MAKEMORE_NAMES, or from beside the
project.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch

sys.path.append(str(Path(__file__).parents[1]))  # where report.py lies

import counting
import processes
import sampling
import scoring
import training
from report import HEADS, figure_row, machine, machine_line, markdown
from workload import Workload

ROWS = {
    "quality": training.lecture_quality,
    "steps": training.steps,
    "epochs": training.epochs,
    "bigram-fit": counting.bigram_fit,
    "ngram-fit": counting.ngram_fit,
    "nltk": counting.ngram_nltk,
    "markovify": counting.ngram_markovify,
    "scoring": scoring.networks,
    "bigram-sample": sampling.bigram,
    "ngram-sample": sampling.ngram,
    "sample": sampling.in_batches,
    "one-at-a-time": sampling.one_at_a_time,
    "search": processes.search,
    "start": processes.start,
    "imports": processes.torch_imports,
    "load": processes.loaded,
}


def all_figures(work, names):
    """Yield the figures of the named rows, in the order of the table."""
    for name, rows in ROWS.items():
        if name in names:
            yield from rows(work)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="use fewer words and steps"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="NAME",
        choices=ROWS,
        default=list(ROWS),
        help=f"rows to measure: {', '.join(ROWS)}",
    )
    # The models compute in one thread, so the baselines do as well.
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    parser.add_argument("--device", default="cpu", help="where the networks compute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all values")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table")
    return parser.parse_args()


def main():
    options = read_options()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    work = Workload.read(options.quick, options.device)
    figures = []
    for figure in all_figures(work, options.only):
        figures.append(figure)
        line = " | ".join(cell for cell in figure_row(figure) if cell)
        print(f"{len(figures):2} {line}", file=sys.stderr, flush=True)
    table = markdown(HEADS, map(figure_row, figures))
    text = f"{machine_line()}\n\n{table}\n"
    print(text, end="")
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")
    if options.json:
        report = {"machine": machine(), "figures": [asdict(one) for one in figures]}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return any(figure.is_met is False for figure in figures)


if __name__ == "__main__":
    sys.exit(main())
