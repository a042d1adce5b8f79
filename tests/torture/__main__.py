"""The command: so many kills, and what they did. Exits 1 where they did harm."""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import chromadb.api.rust  # noqa: F401 (so that the forks need not)

from tests.torture.library import prepare
from tests.torture.run import DEFECTS, TARGETS, Result, Torture


def main() -> int:
    """Kill, and print a line on the way and one at the end."""
    options = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    options.add_argument("--count", type=int, default=100, help="kills; default: 100")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--target", choices=sorted(TARGETS), default="dateline")
    options.add_argument("--kind", action="append", help="of lives; default: all; may be repeated")
    options.add_argument("--defect", choices=DEFECTS, help="plant this one")
    options.add_argument("--first", action="store_true", help="stop at the first fault")
    options.add_argument("--near", default="", help="only at crash points with this in their names")
    options.add_argument("--json", type=Path, help="write the result into this file, too")
    given = options.parse_args()
    logging.disable()  # that an index has to be rebuilt is no news here
    prepare()
    with tempfile.TemporaryDirectory() as folder:
        torture = Torture(
            given.target,
            Path(folder),
            kinds=given.kind or (),
            seed=given.seed,
            defect=given.defect or "",
            near=given.near,
            first=given.first,
        )
        result = torture.run(given.count, _progress())
    print(_told(result), f"({_where()})")
    for fault in result.faults:
        print(f"  {fault.kind}, seed {fault.seed}, at {fault.at or 'any moment'}: {fault.what}")
    if given.json:
        points = sorted(map(list, result.at_points))
        kills = dict(result.kills)  # asdict makes something else of a Counter
        document = {**asdict(result), "kills": kills, "at_points": points, "where": _where()}
        given.json.write_text(json.dumps(document, indent=1))
    return bool(result.faults)


def _progress() -> Callable[[Result], None]:
    shown = 0

    def tell(result: Result) -> None:
        nonlocal shown
        if result.kills.total() >= shown + 50:
            shown = result.kills.total()
            print(_told(result), file=sys.stderr, flush=True)

    return tell


def _told(result: Result) -> str:
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(result.kills.items()))
    return (
        f"{result.kills.total()} kills ({kinds}; at {len(result.at_points)} of {result.points} "
        f"crash points, else at any moment; {result.survived} lives ended before): "
        f"{len(result.faults)} faults in {result.seconds:.0f} s"
    )


def _where() -> str:
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return f"{platform.platform()}, {os.cpu_count()} cores, commit {commit.stdout.strip() or '?'}"


if __name__ == "__main__":
    sys.exit(main())
