"""The verifier as a detector of falsehoods: `python -m evals.detector`, `make eval-verifier`.

Makes falsehoods and true paraphrases of the sentences of articles, by a seed, has each verified
among the passages of an answer, and prints how many falsehoods of each kind are found and how many
paraphrases of each kind are withheld. A file `support.jsonl` (FaithBench) is judged instead.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from evals.datasets import GOLD, SEEDS
from evals.falsehoods import MAKERS as FALSEHOODS
from evals.falsehoods import made_false
from evals.metrics import estimate
from evals.paraphrases import MAKERS as PARAPHRASES
from evals.paraphrases import paraphrases
from evals.specimens import Fact, Material, Specimen, read_material, stems_of
from rag.language import SpacyAnalyser
from rag.readers import read_articles
from rag.types import Article, Claim

WRONG_ID = "wrong id"


@dataclass(frozen=True, slots=True)
class Result:
    """A specimen, whether it was judged rightly, why, and how long that took."""

    specimen: Specimen
    right: bool
    support: str | None
    reason: str
    ms: float


def specimens(
    material: Material, others: Sequence[Material], rng: random.Random, each: int
) -> Iterator[Specimen]:
    """At most `each` specimens of each kind of each fact of an article."""
    for fact in material.facts:
        for kind in FALSEHOODS:
            for text in made_false(kind, fact, material, others, rng)[:each]:
                yield _specimen(kind, False, text, fact, material)
        for kind in PARAPHRASES:
            made = paraphrases(kind, fact, material)
            rng.shuffle(made)
            for text in made[:each]:
                yield _specimen(kind, True, text, fact, material)
        yield from _wrongly_cited(fact, material, rng)


def _specimen(kind: str, true: bool, text: str, fact: Fact, material: Material) -> Specimen:
    return Specimen(
        kind,
        true,
        text,
        fact.chunk_ids[0],
        frozenset(fact.chunk_ids),
        material.article.id,
        fact.span,
        fact.text,
    )


def _wrongly_cited(fact: Fact, material: Material, rng: random.Random) -> Iterator[Specimen]:
    """The sentence itself, with the id of a passage that has it not."""
    found = material.verifier.readings
    wrong = [
        r.passage.chunk_id
        for r in found
        if not any(
            len(fact.stems & stems_of(r.text(i, i))) > 0.6 * len(fact.stems) for i in r.inside
        )
    ]
    if wrong:
        yield Specimen(
            WRONG_ID,
            False,
            fact.text,
            rng.choice(wrong),
            frozenset(fact.chunk_ids),
            material.article.id,
            fact.span,
            fact.text,
        )


def judge(specimen: Specimen, material: Material) -> Result:
    verifier = material.verifier
    began = time.perf_counter()
    verdict = verifier.verify(verifier.settle(Claim(specimen.text, (specimen.cited,))))
    ms = 1000 * (time.perf_counter() - began)
    if specimen.kind == WRONG_ID:
        right = all(quote.passage.chunk_id != specimen.cited for quote in verdict.quotes)
    else:
        right = (verdict.support is not None) == specimen.true
    return Result(specimen, right, verdict.support, verdict.reason, ms)


def main() -> None:
    p = argparse.ArgumentParser()
    p.add_argument("path", nargs="*", type=Path)
    p.add_argument("--articles", type=int)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--misses", type=Path)
    o = p.parse_args()
    found = [
        a
        for a in read_articles(
            o.path or [GOLD / "news" / "articles.jsonl", SEEDS],
            max_file_bytes=10**9,
            max_article_chars=10**7,
        )
        if isinstance(a, Article)
    ]
    rng = random.Random(o.seed)
    rng.shuffle(found)
    found = found[: o.articles]
    an = SpacyAnalyser()
    mats = [read_material(a, found, an, rng) for a in found]
    results = []
    for m in mats:
        others = rng.sample(mats, min(5, len(mats)))
        others = [x for x in others if x is not m]
        for s in specimens(m, others, rng, 1):
            results.append(judge(s, m))
    kinds = {}
    for r in results:
        kinds.setdefault((r.specimen.true, r.specimen.kind), []).append(r.right)
        kinds.setdefault((r.specimen.true, "all"), []).append(r.right)
    for (t, k), v in sorted(kinds.items()):
        print(("shown" if t else "found"), k, f"{sum(v)}/{len(v)} {sum(v) / len(v):.3f}")
    import numpy as np

    ms = [r.ms for r in results]
    print(
        "ms",
        np.quantile(ms, [0.5, 0.95, 0.99]),
        "reading",
        np.quantile([m.reading_s * 1000 / len(m.verifier.readings) for m in mats], [0.5, 0.95]),
    )
    if o.misses:
        o.misses.write_text(
            "".join(
                f"{'T' if r.specimen.true else 'F'} {r.specimen.kind} | {r.specimen.text}\n   ORIG {r.specimen.original}\n   {r.support} {r.reason}\n"
                for r in results
                if not r.right
            )
        )
        Path(str(o.misses) + ".all").write_text(
            "".join(
                f"{'T' if r.specimen.true else 'F'} {r.specimen.kind} | {r.specimen.text}\n   ORIG {r.specimen.original}\n   {r.support} {r.reason}\n"
                for r in results
            )
        )


if __name__ == "__main__":
    main()
