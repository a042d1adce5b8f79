"""Metadata as text, YAML or JSON → a mapping."""

from __future__ import annotations

import json

import yaml

from rag.errors import ArticleError

METADATA_BYTES = 64 * 1024  # the most that a sidecar or front matter may have

_YAML_NULLS = ("", "~", "null", "Null", "NULL")


def json_object(text: str, source: str) -> dict[str, object]:
    """The JSON object that a text is; raises `ArticleError`."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ArticleError(source, f"is not valid JSON: {error.msg} ({where})") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; a deep nest
        raise ArticleError(source, f"is JSON that cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise ArticleError(source, 'is not a JSON object like {"title": "…", "text": "…"}')
    return value


class _MetadataLoader(yaml.BaseLoader):
    """YAML whose scalars are the text that was written, or null.

    So an id of 007, an outlet named No and a date arrive as they stand in the file. Without
    tags nothing can be constructed, and without aliases nothing can multiply.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases are not allowed", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        plain = isinstance(node, yaml.ScalarNode) and node.style is None
        if plain and node.value in _YAML_NULLS:
            return None
        return super().construct_object(node, deep)


def yaml_mapping(text: str, source: str) -> dict[str, object]:
    """The mapping that a YAML text is, empty for an empty text; raises `ArticleError`."""
    try:
        value = yaml.load(text, Loader=_MetadataLoader)
    except yaml.MarkedYAMLError as error:
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise ArticleError(source, f"is not valid YAML: {error.problem}{line}") from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ArticleError(source, f"is YAML that cannot be read: {reason}") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ArticleError(source, "is not a mapping; write lines like `title: …`")
    return value
