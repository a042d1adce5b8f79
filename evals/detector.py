"""The verifier as a detector of falsehoods: `python -m evals.detector`, `make eval-verifier`.

Makes falsehoods and true paraphrases of the sentences of articles, by a seed, verifies each among
the passages of an answer, and prints how many falsehoods of each kind are found and how many
paraphrases of each kind are withheld. Judged summaries (`….jsonl` with `claim`) are called
supported or not instead, beside plain baselines.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from evals.datasets import GOLD, SEEDS
from evals.faithbench import SYSTEMS, Detection, compare, labels, load_summaries, score_summaries
from evals.falsehoods import MAKERS as FALSEHOODS
from evals.falsehoods import made_false
from evals.metrics import Estimate, estimate
from evals.paraphrases import MAKERS as PARAPHRASES
from evals.paraphrases import paraphrases
from evals.specimens import Fact, Material, Specimen, read_material, stems_of
from rag.embedding import SentenceTransformerEmbedder
from rag.errors import DatelineError
from rag.language import SpacyAnalyser
from rag.ports import LanguageAnalyser
from rag.readers import read_articles
from rag.settings import load_settings
from rag.types import Article, Claim
from rag.verification.reading import Reading

WRONG_ID = "wrong id"
STRANGERS = 5
"""Articles whose names are drawn on."""


class DetectorError(DatelineError):
    """There is nothing to make falsehoods of."""


@dataclass(frozen=True, slots=True)
class Result:
    """A specimen, whether it was judged rightly, the reason given, and the CPU milliseconds."""

    specimen: Specimen
    right: bool
    reason: str
    ms: float


@dataclass(frozen=True, slots=True)
class Report:
    """What was found of each kind of falsehood, and withheld of each kind of paraphrase; the CPU
    time in milliseconds as (median, 95th percentile), of reading for each passage."""

    found: dict[str, Estimate]
    withheld: dict[str, Estimate]
    verify_ms: tuple[float, float]
    read_ms: tuple[float, float]
    misses: tuple[Result, ...]


def main() -> None:
    """Measure, and print what was found."""
    options = _parser().parse_args()
    try:
        if options.path and options.path[0].name == "support.jsonl":
            _report_summaries(options.path[0], options.json)
        else:
            report = measure(_articles(options), SpacyAnalyser(), options.seed)
            print(_as_json(report) if options.json else _as_text(report, options.misses))
    except DatelineError as error:
        raise SystemExit(str(error)) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evals.detector", description=__doc__)
    parser.add_argument(
        "path", nargs="*", type=Path, help="articles, or support.jsonl; else the built-in articles"
    )
    parser.add_argument("--limit", type=int, help="only so many articles, drawn by the seed")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn")
    parser.add_argument("--json", action="store_true", help="one JSON document, with every miss")
    parser.add_argument("--misses", action="store_true", help="print what was judged wrongly")
    return parser


def _articles(options: argparse.Namespace) -> list[Article]:
    """The articles of the paths, or the built-in ones, in an order drawn by the seed."""
    settings = load_settings()
    folders = [path / "articles.jsonl" for path in options.path]
    named = [f if f.is_file() else path for f, path in zip(folders, options.path, strict=True)]
    read = read_articles(
        named or [GOLD / "news" / "articles.jsonl", SEEDS],
        max_file_bytes=settings.max_file_mb * 1_000_000,
        max_article_chars=settings.max_article_chars,
    )
    found = [article for article in read if isinstance(article, Article)]
    random.Random(options.seed).shuffle(found)
    return found[: options.limit]


def measure(articles: Sequence[Article], analyser: LanguageAnalyser, seed: int) -> Report:
    """Make falsehoods and paraphrases of all that the articles say, and judge each.

    Raises `DetectorError` where there is nothing to make them of.
    """
    rng = random.Random(seed)
    materials = [read_material(article, articles, analyser, rng) for article in articles]
    results = []
    for material in materials:
        others = [m for m in materials if m is not material]
        strangers = rng.sample(others, min(STRANGERS, len(others)))
        results += [judge(s, material) for s in specimens(material, strangers, rng)]
    if not results:
        raise DetectorError("no sentence was found to make falsehoods of; name English articles")
    reading = [1000 * m.reading_s / len(m.verifier.readings) for m in materials]
    return Report(
        found=_estimates(results, true=False),
        withheld=_estimates(results, true=True),
        verify_ms=_percentiles([result.ms for result in results]),
        read_ms=_percentiles(reading),
        misses=tuple(result for result in results if not result.right),
    )


def specimens(
    material: Material, strangers: Sequence[Material], rng: random.Random
) -> Iterator[Specimen]:
    """At most one specimen of each kind of each fact of an article."""
    for fact in material.facts:
        for kind in FALSEHOODS:
            for text in made_false(kind, fact, material, strangers, rng)[:1]:
                yield _specimen(kind, False, text, fact)
        for kind in PARAPHRASES:
            made = paraphrases(kind, fact, material)
            if made:
                yield _specimen(kind, True, rng.choice(made), fact)
        strange = [r.passage.chunk_id for r in material.verifier.readings if not _tells(r, fact)]
        if strange:
            yield Specimen(WRONG_ID, False, fact.text, rng.choice(strange), fact.text)


def _specimen(kind: str, true: bool, text: str, fact: Fact) -> Specimen:
    return Specimen(kind, true, text, fact.chunk_ids[0], fact.text)


def _tells(reading: Reading, fact: Fact) -> bool:
    """Whether a passage has the fact, or one that is like it."""
    told = (stems_of(reading.text(i, i)) for i in reading.inside)
    return any(len(fact.stems & stems) > 0.6 * len(fact.stems) for stems in told)


def judge(specimen: Specimen, material: Material) -> Result:
    """Verify a specimen as a sentence of an answer. A wrong id is found where nothing is cited from
    its passage; anything else false where it is not shown."""
    verifier = material.verifier
    began = time.process_time()
    verdict = verifier.verify(verifier.settle(Claim(specimen.text, (specimen.cited,))))
    ms = 1000 * (time.process_time() - began)
    if specimen.kind == WRONG_ID:
        right = all(quote.passage.chunk_id != specimen.cited for quote in verdict.quotes)
    else:
        right = (verdict.support is not None) == specimen.true
    return Result(specimen, right, verdict.reason, ms)


def _estimates(results: Sequence[Result], true: bool) -> dict[str, Estimate]:
    """By kind: the share found of falsehoods, or withheld of what is true."""
    values: dict[str, list[float]] = {}
    for result in results:
        if result.specimen.true == true:
            value = float(result.right != true)
            for kind in (result.specimen.kind, "all"):
                values.setdefault(kind, []).append(value)
    estimates = {kind: estimate(shares) for kind, shares in sorted(values.items())}
    return {kind: found for kind, found in estimates.items() if found}


def _percentiles(ms: Sequence[float]) -> tuple[float, float]:
    median, high = np.quantile(ms, [0.5, 0.95])
    return float(median), float(high)


def _as_json(report: Report) -> str:
    return json.dumps(asdict(report), ensure_ascii=False, indent=1)


def _as_text(report: Report, misses: bool) -> str:
    lines = []
    for title, table in (
        ("falsehoods found", report.found),
        ("paraphrases withheld", report.withheld),
    ):
        lines.append(f"{title:28} share   95 % interval   count")
        lines += [
            f"  {kind:26} {e.value:.3f}   {e.low:.3f} to {e.high:.3f}  {e.n:5}"
            for kind, e in table.items()
        ]
    lines.append(
        "milliseconds of CPU time, median and 95th percentile: "
        f"a sentence verified {report.verify_ms[0]:.1f}, {report.verify_ms[1]:.1f}; "
        f"a passage read {report.read_ms[0]:.1f}, {report.read_ms[1]:.1f}"
    )
    for miss in report.misses if misses else ():
        s = miss.specimen
        lines.append(f"{s.kind}: {s.text}\n    made of: {s.original}\n    {miss.reason}")
    return "\n".join(lines)


def _report_summaries(path: Path, as_json: bool) -> None:
    """Print how well summaries are told apart, in both ways of counting."""
    summaries = load_summaries(path)
    scores = score_summaries(summaries, SpacyAnalyser(), SentenceTransformerEmbedder())
    found: dict[str, list[Detection]] = {}
    for way in ("worst", "undisputed"):
        counted = np.array([way in labels(summary) for summary in summaries])
        unsupported = np.array([labels(s)[way] for s in summaries if way in labels(s)])
        found[way] = compare({name: v[counted] for name, v in scores.items()}, unsupported)
        if not as_json:
            print(f"{way}: {unsupported.sum()} unsupported, {(~unsupported).sum()} supported")
            print(*map(_line, found[way]), sep="\n")
    if as_json:
        rows = {way: [asdict(d) for d in detections] for way, detections in found.items()}
        print(json.dumps({"systems": SYSTEMS, **rows}, indent=1))


def _line(d: Detection) -> str:
    return (
        f"  {d.system:14} AUROC {d.auroc:.3f}, "
        f"balanced accuracy {d.accuracy:.3f} [{d.low:.3f}, {d.high:.3f}], "
        f"found {d.found:.2f}, spared {d.spared:.2f}; graded ahead by {d.behind:+.3f} "
        f"[{d.behind_low:+.3f}, {d.behind_high:+.3f}]"
    )


if __name__ == "__main__":
    main()
