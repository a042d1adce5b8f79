"""What every answer of every model must hold, checked from outside.

Nothing of the answering code is used here, so that a fault in it cannot hide itself. Each breach is
a line that says what is wrong with which sentence or citation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from rag.sentences import sentence_spans
from rag.tokens import count_tokens
from rag.types import Answer, Article, Citation, Sentence

Articles = Mapping[str, Article]  # by id, with the text that is served to readers

MAX_QUOTE_SENTENCES = 2
MAX_WORDS_EXTRACTIVE, MAX_WORDS = 120, 400
MAX_NEAREST = 3
MAX_PASSAGE_TOKENS = 256
MAX_LABEL_WORDS = 8  # of a speaker's name before an exact sentence

_MARK = re.compile("[\"'“”„‟«»‘’‚‛`]")
_MARKER = re.compile(r"\[(\d+)\]")
_SINGLE = re.compile(r"(?<!\w)[‘'](?=[^\W\d])(.+?)(?<=\S)[’'](?!\w)")
_DENIAL = re.compile(
    r"articles?\b.*(n['’]t|\bnot?\b|\bnothing\b)|\b(not?|none|nothing)\b.*articles?"
)


def promise_breaches(answer: Answer, articles: Articles) -> list[str]:
    """Every breach of the public promises on an answer; `articles` holds those that it cites."""
    return [
        *_status_breaches(answer),
        *_sentence_breaches(answer),
        *_numbering_breaches(answer),
        *(breach for c in answer.citations for breach in _citation_breaches(c, articles)),
        *_quotation_breaches(answer, articles),
        *_exactness_breaches(answer, articles),
        *_passage_breaches(answer, articles),
    ]


def quotation_validity(answer: Answer, articles: Articles) -> float | None:
    """The share of an answer's quotations that are verbatim, None if it has none.

    They are its citations, whose offsets must give the quote, and the spans in quotation marks.
    """
    good = [_offsets_hold(citation, articles) for citation in answer.citations]
    cited = _cited_texts(answer, articles)
    good += [_is_verbatim(span, cited) for s in answer.sentences for span in quoted_spans(s.text)]
    return sum(good) / len(good) if good else None


def quoted_spans(sentence: str) -> list[str]:
    """What stands inside quotation marks; an unpaired mark reaches to the end it faces."""
    spans: list[str] = []
    opened: int | None = None
    closed = 0
    for i, mark in enumerate(sentence):
        if mark not in '"“”„«»':
            continue
        if opened is None and _opens(sentence, i):
            opened = i + 1
        elif not _opens(sentence, i):
            spans.append(sentence[closed if opened is None else opened : i])
            opened, closed = None, i + 1
    if opened is not None:
        spans.append(sentence[opened:])
    spans += [match.group(1) for match in _SINGLE.finditer(sentence)]
    return [span.strip() for span in spans if span.strip()]


def _opens(sentence: str, i: int) -> bool:
    if sentence[i] != '"':
        return sentence[i] in "“„«"
    return i == 0 or sentence[i - 1].isspace() or sentence[i - 1] in "([{—–-‘'“"


def _status_breaches(answer: Answer) -> Iterator[str]:
    words = len(_MARKER.sub(" ", answer.text).split())
    limit = MAX_WORDS_EXTRACTIVE if answer.model == "extractive" else MAX_WORDS
    if words > limit:
        yield f"the answer has {words} words, more than {limit}"
    if answer.status == "answered" and not answer.sentences:
        yield "answered without a sentence"
    if answer.status == "abstained":
        if answer.sentences or answer.citations:
            yield "abstained, yet with sentences or citations"
        if not _DENIAL.search(answer.text.lower()):
            yield f"abstained without saying that the articles don't say: {answer.text!r}"
        if len(answer.nearest) > MAX_NEAREST:
            yield f"{len(answer.nearest)} nearest passages, more than {MAX_NEAREST}"


def _sentence_breaches(answer: Answer) -> Iterator[str]:
    """Offsets, and that nothing but the sentence's own markers stands between sentences."""
    for i, sentence in enumerate(answer.sentences):
        if answer.text[sentence.start : sentence.end] != sentence.text:
            yield f"sentence {i}: its offsets don't give its text"
        if sentence.support not in ("exact", "supported"):
            yield f"sentence {i}: unknown support {sentence.support!r}"
        if not sentence.citations:
            yield f"sentence {i}: no citation"
        following = answer.sentences[i + 1 : i + 2]
        after = answer.text[sentence.end : following[0].start if following else None]
        if "".join(after.split()) != "".join(f"[{n}]" for n in sentence.citations):
            yield f"sentence {i}: {after!r} stands after it, its citations are {sentence.citations}"
    if answer.sentences and answer.text[: answer.sentences[0].start].strip():
        yield "text before the first sentence"


def _numbering_breaches(answer: Answer) -> Iterator[str]:
    used = list(dict.fromkeys(n for s in answer.sentences for n in s.citations))
    listed = [citation.number for citation in answer.citations]
    if used != list(range(1, len(used) + 1)):
        yield f"citations are not numbered in order of first use: {used}"
    if sorted(used) != listed:
        yield f"sentences use the citations {used}, listed are {listed}"
    known = set(listed)
    if any(not known.issuperset(side) for conflict in answer.conflicts for side in conflict.sides):
        yield "a conflict names a citation that is not listed"


def _citation_breaches(citation: Citation, articles: Articles) -> Iterator[str]:
    name = f"citation {citation.number}"
    article = articles.get(citation.article_id)
    if article is None:
        yield f"{name}: there is no article {citation.article_id!r}"
        return
    if not _offsets_hold(citation, articles):
        yield f"{name}: its offsets don't give its quote {citation.quote!r}"
    start, end = citation.start, citation.end
    sentences = sum(s.start < end and start < s.end for s in sentence_spans(article.text))
    if sentences > MAX_QUOTE_SENTENCES:
        yield f"{name}: quotes {sentences} sentences, more than {MAX_QUOTE_SENTENCES}"
    if not article.text[:start].endswith(citation.prefix):
        yield f"{name}: its prefix does not stand before the quote"
    if not article.text[end:].startswith(citation.suffix):
        yield f"{name}: its suffix does not stand after the quote"
    for field in ("title", "outlet", "author", "published_at", "url"):
        if getattr(citation, field) != getattr(article, field):
            yield f"{name}: {field} is {getattr(citation, field)!r}, not the article's"


def _offsets_hold(citation: Citation, articles: Articles) -> bool:
    article = articles.get(citation.article_id)
    if article is None or not 0 <= citation.start < citation.end:
        return False
    return article.text[citation.start : citation.end] == citation.quote


def _quotation_breaches(answer: Answer, articles: Articles) -> Iterator[str]:
    cited = _cited_texts(answer, articles)
    for i, sentence in enumerate(answer.sentences):
        for span in quoted_spans(sentence.text):
            if not _is_verbatim(span, cited):
                yield f"sentence {i}: {span!r} is in quotation marks but in no cited article"


def _cited_texts(answer: Answer, articles: Articles) -> list[str]:
    ids = dict.fromkeys(citation.article_id for citation in answer.citations)
    return [_one_style(articles[id_].text) for id_ in ids if id_ in articles]


def _is_verbatim(span: str, texts: list[str]) -> bool:
    return any(_one_style(span) in text for text in texts)


def _one_style(text: str) -> str:
    return " ".join(_MARK.sub("'", text).split())


def _exactness_breaches(answer: Answer, articles: Articles) -> Iterator[str]:
    """An exact sentence is a quote of its own, at most with a name from the article before it."""
    by_number = {citation.number: citation for citation in answer.citations}
    for i, sentence in enumerate(answer.sentences):
        quotes = [by_number[n] for n in sentence.citations if n in by_number]
        if sentence.support == "exact" and not any(
            _is_exact(sentence, c, articles) for c in quotes
        ):
            yield f"sentence {i}: called exact, but is none of its quotes: {sentence.text!r}"


def _is_exact(sentence: Sentence, citation: Citation, articles: Articles) -> bool:
    text, quote = _bare(sentence.text), _bare(citation.quote)
    if not quote or not text.endswith(quote):
        return False
    label = text.removesuffix(quote).strip()
    if not label:
        return True
    article = articles.get(citation.article_id)
    known = re.findall(r"\w+", article.text.casefold()) if article else ()
    names = re.findall(r"\w+", label.casefold())
    return label.endswith(":") and len(names) <= MAX_LABEL_WORDS and set(names) <= set(known)


def _bare(text: str) -> str:
    return " ".join(_MARK.sub("", text).split())


def _passage_breaches(answer: Answer, articles: Articles) -> Iterator[str]:
    for passage in answer.nearest:
        if count_tokens(passage.text) > MAX_PASSAGE_TOKENS:
            yield f"nearest passage {passage.rank}: more than {MAX_PASSAGE_TOKENS} tokens"
        article = articles.get(passage.article_id)
        if article and article.text[passage.start : passage.end] != passage.text:
            yield f"nearest passage {passage.rank}: its offsets don't give its text"
