"""From a prompt template, a question and its evidence to the messages that an LLM is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import yaml
from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from rag.errors import PromptError
from rag.tokens import count_tokens
from rag.types import Article, Evidence, Passage, PromptVersion, Question

_FILE = re.compile(r"([a-z][a-z0-9_]*)\.([0-9][0-9a-z]*)\.j2")
_PARTS = re.compile(r"---\n(.*?)\n---\n(.*)", re.DOTALL)
_BLOCKS = ("system", "user")
_BRACKETED_LABEL = re.compile(r"\[\s*A?\s*(\d{1,3})\s*\]", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_ESCAPE = re.compile(r"\\(?:[nrt]|u[0-9a-f]{4})")  # of JSON and Python; no part of a word
_CHAT_MARKS = re.compile(r"\[(/?INST)\]", re.IGNORECASE)

Messages = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """Messages as (role, content), and the chunk ids, best first, behind each label in them."""

    messages: Messages
    labels: Mapping[str, tuple[str, ...]]

    def without_echo(self, text: str) -> str:
        """The text without what it repeats of the messages, from three words in a row on, and the
        word after them: endpoints put what they were sent into their errors, escaped and cut off.
        """
        said = " ".join(_WORD.findall(" ".join(content for _, content in self.messages)))
        words = list(_WORD.finditer(_ESCAPE.sub(lambda mark: " " * len(mark[0]), text)))
        echoed: set[int] = set()
        for i in range(len(words) - 2):
            run = " ".join(word.group() for word in words[i : i + 3])
            if f" {run} " in f" {said} ":
                echoed.update(range(i, i + 4))
        kept, at = "", 0
        for i, word in enumerate(words):
            if i in echoed:
                kept += "…" if i - 1 in echoed else text[at : word.start()] + "…"
                at = word.end()
        return re.sub("…+", "…", kept) + text[at:] if echoed else text


@dataclass(frozen=True, slots=True)
class LabelledPassage:
    """A passage as templates see it: plain data that can neither close its tag nor cite."""

    label: str
    text: str
    title: str
    outlet: str
    date: str

    @property
    def heading(self) -> str:
        """What is known of the article, in one line; empty where nothing is."""
        return ", ".join(part for part in (self.outlet, self.date, self.title) if part)


class PromptTemplate:
    """A template file: YAML front matter (name, version, description), a system and a user block.

    The blocks see `question`, `passages` (`LabelledPassage`s, best first) and `as_of`.
    """

    def __init__(self, version: PromptVersion, description: str, template: Template) -> None:
        self.version = version
        self.description = description
        self._template = template

    def render(self, question: Question, evidence: Evidence, budget_tokens: int) -> RenderedPrompt:
        """The messages for a question; passages, best first, as the budget allows, at least one.

        Those of an article that overlap, or that only white space parts, are one, which stands
        where the best of them would. Raises `PromptError` if the template uses what it is not
        given.
        """
        stretches = _within(budget_tokens, evidence)
        passages = [stretch.labelled(f"A{n}") for n, stretch in enumerate(stretches, start=1)]
        values = {
            "question": question.text,
            "passages": passages,
            "as_of": question.as_of or evidence.understood.as_of,
        }
        labels = {
            labelled.label: tuple(passage.chunk_id for passage in stretch.passages)
            for labelled, stretch in zip(passages, stretches, strict=True)
        }
        return RenderedPrompt(self.fill(values), labels)

    def fill(self, values: Mapping[str, object]) -> Messages:
        """The messages with these values in the blocks. Raises `PromptError` if one is missing."""
        return tuple((block, self._block(block, values)) for block in _BLOCKS)

    def _block(self, name: str, values: Mapping[str, object]) -> str:
        context = self._template.new_context(dict(values))
        try:
            text = "".join(self._template.blocks[name](context))
        except TemplateError as error:
            raise PromptError(
                f"prompt {self.version.name}.{self.version.version}: {error}"
            ) from error
        return re.sub(r"\n{3,}", "\n\n", text).strip()


def load_prompt(
    name: str, version: str | None = None, folder: Traversable | None = None
) -> PromptTemplate:
    """The template `<name>.<version>.j2`, of the newest version unless one is named.

    It is looked for in the package `prompts`, or in `folder`. Raises `PromptError`, which lists
    what there is, if it is missing, and says what is wrong with a malformed one.
    """
    folder = folder or files("prompts")
    found = sorted(
        (match.groups() for entry in folder.iterdir() if (match := _FILE.fullmatch(entry.name))),
        key=lambda prompt: (prompt[0], [int(part) for part in re.findall(r"\d+", prompt[1])]),
    )
    versions = [known for title, known in found if title == name]
    if not versions or version not in (None, *versions):
        there = ", ".join(".".join(prompt) for prompt in found) or "none"
        wanted = name if version is None else f"{name}.{version}"
        raise PromptError(f"there is no prompt {wanted}; there are: {there}")
    file = f"{name}.{version or versions[-1]}.j2"
    return _parsed(file, (folder / file).read_text(encoding="utf-8"))


def _parsed(file: str, text: str) -> PromptTemplate:
    parts = _PARTS.fullmatch(text.replace("\r\n", "\n"))
    if parts is None:
        raise PromptError(f"prompt {file} has no front matter between two lines of ---")
    try:
        matter = yaml.safe_load(parts[1])
        template = _ENVIRONMENT.from_string(parts[2])
    except (yaml.YAMLError, TemplateError) as error:
        raise PromptError(f"prompt {file} cannot be read: {error}") from error
    fields = matter if isinstance(matter, dict) else {}
    missing = [field for field in ("name", "version", "description") if not fields.get(field)]
    missing += [f"block {block}" for block in _BLOCKS if block not in template.blocks]
    if missing:
        raise PromptError(f"prompt {file} lacks: {', '.join(missing)}")
    version = PromptVersion(str(fields["name"]), str(fields["version"]))
    if f"{version.name}.{version.version}.j2" != file:
        raise PromptError(f"prompt {file} calls itself {version.name}.{version.version}")
    return PromptTemplate(version, str(fields["description"]), template)


_ENVIRONMENT = SandboxedEnvironment(
    autoescape=False, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


class _Stretch:
    """A piece of an article, and the passages that make it up, best first."""

    def __init__(self, article: Article, passages: Iterable[Passage]) -> None:
        self.article = article
        self.passages = sorted(passages, key=lambda passage: passage.rank)
        self.start = min(passage.start for passage in self.passages)
        self.end = max(passage.end for passage in self.passages)
        shown = self.labelled("A1")
        self.tokens = count_tokens(f"[{shown.label}] {shown.heading}\n{shown.text}\n")

    def labelled(self, label: str) -> LabelledPassage:
        known = (self.article.title, self.article.outlet, self.article.published_at)
        text = self.article.text[self.start : self.end]
        return LabelledPassage(label, as_data(text), *map(_line, known))

    def touches(self, other: _Stretch) -> bool:
        """Whether both are of one article, with nothing but white space between them."""
        if self.article.id != other.article.id:
            return False
        first, second = sorted((self, other), key=lambda stretch: stretch.start)
        return not self.article.text[first.end : second.start].strip()


def _within(budget_tokens: int, evidence: Evidence) -> list[_Stretch]:
    """What the first passages make up, as long as its headings and texts fit the budget; the
    first passage in any case."""
    chosen: list[_Stretch] = []
    for passage in evidence.passages:
        grown = _joined(chosen, _Stretch(evidence.articles[passage.article_id], [passage]))
        if chosen and sum(stretch.tokens for stretch in grown) > budget_tokens:
            break
        chosen = grown
    return chosen


def _joined(stretches: Sequence[_Stretch], new: _Stretch) -> list[_Stretch]:
    """The stretches with a new one, in the order of their best passages."""
    joining = [stretch for stretch in stretches if stretch.touches(new)]
    if joining:
        new = _Stretch(new.article, [p for stretch in [*joining, new] for p in stretch.passages])
    apart = (stretch for stretch in stretches if stretch not in joining)
    return sorted([*apart, new], key=lambda stretch: stretch.passages[0].rank)


def as_data(text: str) -> str:
    """What others wrote, unable to close its tag, to end the chat's turn or to pose as a label."""
    text = _CHAT_MARKS.sub(r"(\1)", text.replace("<", "&lt;"))
    return _BRACKETED_LABEL.sub(r"(\1)", text).strip()


def _line(text: str | None) -> str:
    """Metadata as one line of data."""
    return " ".join(as_data(text or "").split())
