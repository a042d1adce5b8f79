"""Speed, as ratios to a baseline of the same run: `make bench`, `python -m evals.bench --help`."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from evals.bench_ingest import bench_ingest
from evals.bench_search import bench_search


def main() -> None:
    """Measure, and print the ratios."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench", description=__doc__)
    parser.add_argument("--only", choices=["ingest", "search"], help="measure one of the two")
    parser.add_argument(
        "--articles",
        nargs="+",
        type=Path,
        default=[],
        metavar="PATH",
        help="what ingest is measured with; else sentences of seeds/ in random order",
    )
    parser.add_argument("--limit", type=int, help="take in only so many articles")
    parser.add_argument(
        "--chunks",
        type=int,
        default=50_000,
        help="size of the library that is searched, 1,000 or more",
    )
    parser.add_argument(
        "--library", type=Path, metavar="FOLDER", help="where it is kept, to be used again"
    )
    options = parser.parse_args()
    if options.only != "search":
        asyncio.run(bench_ingest(options.articles, options.limit))
    if options.only != "ingest":
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(bench_search(options.chunks, options.library or Path(folder)))


if __name__ == "__main__":
    main()
