"""From a prompt template, a question and its evidence to the messages that an LLM is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import groupby

import yaml
from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from rag.errors import PromptError
from rag.tokens import count_tokens
from rag.types import Evidence, Passage, PromptVersion, Question, Turn

_FILE = re.compile(r"([a-z][a-z0-9_]*)\.([0-9][0-9a-z]*)\.j2")
_PARTS = re.compile(r"---\n(.*?)\n---\n(.*)", re.DOTALL)
_BLOCKS = ("system", "user")
_MAX_TURNS = 6
_MAX_TURN_CHARS = 1000
_CITATION_MARKS = re.compile(r"\s*\[\d+\]")
_BRACKETED_LABEL = re.compile(r"\[\s*A?\s*(\d{1,3})\s*\]", re.IGNORECASE)
_CHAT_MARKS = re.compile(r"\[(/?INST)\]", re.IGNORECASE)

Messages = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """Messages as (role, content), and the chunk id behind each label that the model sees."""

    messages: Messages
    labels: Mapping[str, str]


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

        Raises `PromptError` if the template uses what it is not given.
        """
        passages = _within(budget_tokens, evidence.passages)
        values = {
            "question": question.text,
            "passages": passages,
            "as_of": question.as_of or evidence.understood.as_of,
        }
        system, user = (self._block(name, values) for name in _BLOCKS)
        turns = [("system", system), *_earlier(question.history), ("user", user)]
        labels = {
            labelled.label: passage.chunk_id
            for labelled, passage in zip(passages, evidence.passages, strict=False)
        }
        return RenderedPrompt(_alternating(turns), labels)

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


def _within(budget_tokens: int, passages: Sequence[Passage]) -> list[LabelledPassage]:
    """The first passages whose headings and texts fit the budget; the first one in any case."""
    chosen: list[LabelledPassage] = []
    for number, passage in enumerate(passages, 1):
        labelled = LabelledPassage(
            f"A{number}",
            _data(passage.text),
            *(_line(part) for part in (passage.title, passage.outlet, passage.published_at)),
        )
        budget_tokens -= count_tokens(f"[{labelled.label}] {labelled.heading}\n{labelled.text}\n")
        if chosen and budget_tokens < 0:
            break
        chosen.append(labelled)
    return chosen


def _data(text: str) -> str:
    """An article's text, unable to close its tag, to end the chat's turn or to pose as a label."""
    text = _CHAT_MARKS.sub(r"(\1)", text.replace("<", "&lt;"))
    return _BRACKETED_LABEL.sub(r"(\1)", text).strip()


def _line(text: str | None) -> str:
    """Metadata as one line of data."""
    return " ".join(_data(text or "").split())


def _earlier(history: Sequence[Turn]) -> Messages:
    """The last turns of the conversation, short, and without the markers of their citations."""
    return tuple(
        (turn.role, _CITATION_MARKS.sub("", turn.content)[:_MAX_TURN_CHARS])
        for turn in history[-_MAX_TURNS:]
        if turn.content.strip()
    )


def _alternating(turns: Sequence[tuple[str, str]]) -> Messages:
    """The turns with neighbours of one role joined, the first after the system's being a user's.

    The chat templates of some models reject anything else.
    """
    joined = [
        (role, "\n\n".join(content for _, content in group))
        for role, group in groupby(turns, key=lambda turn: turn[0])
    ]
    if joined[1][0] == "assistant":
        del joined[1]
    return tuple(joined)
