"""What can go wrong: one base error, and its kinds. Each says what, where, and what to do."""


class DatelineError(Exception):
    """Base of every error that Dateline raises on purpose; its text is meant for the user."""


class SettingsError(DatelineError):
    """A setting is missing or has a value that cannot be used."""


class ArticleError(DatelineError):
    """One article or file cannot be taken in.

    `source` names the file (and line) or the identity, `reason` says why and what to do.
    """

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source}: {reason}")
        self.source = source
        self.reason = reason


class NotFoundError(DatelineError):
    """Nothing is stored under the given id."""


class RepeatDiffersError(DatelineError):
    """A request came under the Idempotency-Key of another one."""


class UnderWayError(DatelineError):
    """The same request, by its Idempotency-Key, is being worked on."""


class BusyError(DatelineError):
    """Too much of the same is being worked on or waits for it."""


class LibraryError(DatelineError):
    """The library cannot be read or written."""


class LibraryInUseError(LibraryError):
    """Another process holds the data directory."""


class RemoteError(DatelineError):
    """The server that holds the data directory could not do what it was asked, or be asked."""


class ModelMismatchError(LibraryError):
    """The library was embedded with another model than the settings name."""


class EmbeddingError(DatelineError):
    """The embedding model cannot be loaded or used."""


class RerankingError(DatelineError):
    """The reranker cannot be loaded or used; the order of the search can stand in."""


class CrossEncoderError(DatelineError):
    """A sentence-transformers CrossEncoder cannot be loaded, or is none."""


class EntailmentError(DatelineError):
    """The entailment model cannot be loaded or used; what it should have judged is withheld."""


class IndexUnavailableError(DatelineError):
    """The vector index cannot be opened, read or written; exact search can stand in."""


class PromptError(DatelineError):
    """A prompt template is missing or malformed."""


class LanguageModelError(DatelineError):
    """The LLM endpoint failed, timed out or sent what nobody can read.

    `outage`: the fault is not that of the request, so the next one is likely to meet it too.
    """

    def __init__(self, text: str, outage: bool = False) -> None:
        super().__init__(text)
        self.outage = outage


class DeadlineError(DatelineError):
    """An answer took longer than it may."""


class ShuttingDownError(DatelineError):
    """The service ends before an answer does."""
