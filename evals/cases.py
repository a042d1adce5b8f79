"""Gold questions: what is asked, what counts as right, and where it is written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, StringConstraints, ValidationError, model_validator

from rag.errors import DatelineError
from rag.types import Role, Turn

Half = Literal["tune", "report"]
Conflicting = Literal["changed", "disagree", "none"]
NonEmpty = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class GoldError(DatelineError):
    """A gold file cannot be used; the text names the file and line."""


@dataclass(frozen=True, slots=True)
class GoldEvidence:
    """An article that answers the question (its file name or id), and where known the words."""

    article: str
    quote: str | None = None


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A question with its accepted answers; an unanswerable one has none, and no evidence.

    With a `history`, it is a follow-up: `standalone` asks the same without it. Whatever wording it
    is condensed into has all the words in `mentions`, and none of those in `omits`.
    `conflict` says whether the articles differ on it, and how; None where that is not known.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    evidence: tuple[GoldEvidence, ...]
    answerable: bool
    category: str
    as_of: str | None = None
    history: tuple[Turn, ...] = ()
    standalone: str | None = None
    mentions: tuple[str, ...] = ()
    omits: tuple[str, ...] = ()
    conflict: Conflicting | None = None


class _EvidenceLine(BaseModel):
    article: NonEmpty
    quote: NonEmpty | None = None


class _TurnLine(BaseModel):
    role: Role
    content: NonEmpty


class _QuestionLine(BaseModel):
    """One line of a gold file; other keys are ignored."""

    id: NonEmpty
    question: NonEmpty
    answers: list[NonEmpty]
    evidence: list[_EvidenceLine]
    answerable: bool
    category: NonEmpty
    as_of: NonEmpty | None = None
    history: list[_TurnLine] = []
    standalone: NonEmpty | None = None
    mentions: list[NonEmpty] = []
    omits: list[NonEmpty] = []
    conflict: Literal["changed", "disagree"] | None = None

    @model_validator(mode="after")
    def _answerable_means_answers(self) -> _QuestionLine:
        if self.answerable and not self.answers:
            raise ValueError("an answerable question needs an accepted answer")
        if not self.answerable and (self.answers or self.evidence):
            raise ValueError("an unanswerable question has neither answers nor evidence")
        if self.history and not self.standalone:
            raise ValueError("a follow-up needs its standalone question")
        return self

    def gold(self) -> GoldQuestion:
        evidence = dict.fromkeys(GoldEvidence(e.article, e.quote) for e in self.evidence)
        return GoldQuestion(
            id=self.id,
            question=self.question,
            answers=tuple(self.answers),
            evidence=tuple(evidence),
            answerable=self.answerable,
            category=self.category,
            as_of=self.as_of,
            history=tuple(Turn(turn.role, turn.content) for turn in self.history),
            standalone=self.standalone,
            mentions=tuple(self.mentions),
            omits=tuple(self.omits),
            conflict=self.conflict or ("none" if "conflict" in self.model_fields_set else None),
        )


def load_cases(path: Path) -> tuple[GoldQuestion, ...]:
    """The questions of a gold file (JSON lines), in its order; `GoldError` names the bad line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise GoldError(f"{path}: cannot be read: {error}") from error
    cases: dict[str, GoldQuestion] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        case = _parse(line, f"{path}:{number}")
        if case.id in cases:
            raise GoldError(f"{path}:{number}: the id {case.id!r} is already taken")
        cases[case.id] = case
    if not cases:
        raise GoldError(f"{path}: holds no questions")
    return tuple(cases.values())


def split(case_id: str) -> Half:
    """The half that a question belongs to, by the parity of its id's SHA-256: never by choice."""
    return "tune" if hashlib.sha256(f"split {case_id}".encode()).digest()[-1] % 2 == 0 else "report"


def resolve_articles(
    cases: Iterable[GoldQuestion], sources: dict[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Article ids of the evidence, by the name the gold file uses, and the names without one.

    `sources` maps article ids to the files that they were read from; a name is an id, or the end
    of exactly one such path. Raises `GoldError` where a name fits several articles.
    """
    by_file: dict[str, set[str]] = {}
    for article_id, source in sources.items():
        parts = Path(source).parts  # a name may be any end of the path
        for start in range(len(parts)):
            by_file.setdefault("/".join(parts[start:]), set()).add(article_id)
    found: dict[str, str] = {}
    missing: list[str] = []
    for name in dict.fromkeys(e.article for case in cases for e in case.evidence):
        matches = {name} if name in sources else by_file.get(name, set())
        if len(matches) > 1:
            raise GoldError(f"the evidence {name!r} fits several articles: {sorted(matches)}")
        if matches:
            found[name] = matches.pop()
        else:
            missing.append(name)
    return found, missing


def _parse(line: str, where: str) -> GoldQuestion:
    try:
        return _QuestionLine.model_validate_json(line).gold()
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}" if e["loc"] else e["msg"]
            for e in error.errors()
        )
        raise GoldError(f"{where}: {problems}") from error
