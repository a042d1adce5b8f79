"""When two names mean the same: short forms, countries and their demonyms, misspellings."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from rag.text.wording import FUNCTION_WORDS, fold, words

if TYPE_CHECKING:
    from spellchecker import SpellChecker

TITLES = frozenset(
    "mr mrs ms miss dr sir dame lord lady president premier prime minister secretary general "
    "chancellor king queen prince princess pope cardinal bishop senator congressman congresswoman "
    "representative governor mayor judge justice professor prof director chief executive officer "
    "ceo chairman chairwoman chair chairperson leader spokesman spokeswoman spokesperson "
    "ambassador envoy captain coach commander colonel major lieutenant sergeant admiral inspector "
    "foreign external internal affairs defence defense finance interior home energy health trade "
    "education state union opposition party deputy vice former acting ex lawyer attorney head "
    "manager founder editor surgeon doctor ministry department office agency council committee "
    "government official police court commission analyst union team".split()
)
"""Words before a name, or for the one who bears it, that are no part of the name."""

# Metonyms and short forms that the country tables lack; folded name → country.
_METONYMS = {
    "kremlin": "russia",
    "moscow": "russia",
    "kiev": "ukraine",
    "washington": "united states",
    "white house": "united states",
    "pentagon": "united states",
    "downing street": "united kingdom",
    "whitehall": "united kingdom",
    "westminster": "united kingdom",
    "delhi": "india",
    "tel aviv": "israel",
    "elysee": "france",
    "brussels": "european union",
    "capitol hill": "united states",
    "state department": "united states",
    "knesset": "israel",
    "bundestag": "germany",
    "lok sabha": "india",
}
# Offices that only one country has.
_OFFICES = {
    "external affairs": "india",
    "taoiseach": "ireland",
    "secretary of state": "united states",
    "chancellor of the exchequer": "united kingdom",
    "chief cabinet secretary": "japan",
}
_DEMONYMS = {
    "america": "united states",
    "u.s": "united states",
    "u.s.a": "united states",
    "u.k": "united kingdom",
    "britain": "united kingdom",
    "burma": "myanmar",
    "burmese": "myanmar",
    "briton": "united kingdom",
    "e.u": "european union",
    "eu": "european union",
    "european union": "european union",
    "argentine": "argentina",
    "emirati": "united arab emirates",
    "saudi": "saudi arabia",
    "turkiye": "turkey",
    "korean": "south korea",
    "swiss": "switzerland",
    "spaniard": "spain",
    "dane": "denmark",
    "swede": "sweden",
    "pole": "poland",
    "turk": "turkey",
    "uae": "united arab emirates",
}
# The dictionary spells as Americans do.
_BRITISH = (("our", "or"), ("is", "iz"), ("ys", "yz"), ("lled", "led"), ("lling", "ling"),
            ("tre", "ter"), ("ence", "ense"), ("ogue", "og"), ("ae", "e"), ("oe", "e"))  # fmt: skip
_AMBIGUOUS = frozenset(
    {
        "us",
        "polish",
        "turkey",
        "pole",
        "in",
        "no",
        "it",
        "is",
        "at",
        "be",
        "to",
        "so",
        "me",
        "am",
        "as",
    }
)

_HYPHEN = re.compile(r"[-‑]")


def name_words(text: str, metonyms: bool = True) -> frozenset[str]:
    """The folded words of a text, and `@country` for each country that it names.

    A country is named by its name, demonym or abbreviation; with `metonyms` also by its capital
    or seat of power ("Moscow", "the White House").
    """
    tokens = words(text)
    found = {fold(token) for token in tokens}
    found |= {part for token in found for part in _HYPHEN.split(token)}
    for size in (1, 2, 3):
        for i in range(len(tokens) - size + 1):
            country = _country(" ".join(tokens[i : i + size]), metonyms)
            if country:
                found.add("@" + country)
    return frozenset(found)


def is_mentioned(name: str, mentioned: Collection[str], metonyms: bool = True) -> bool:
    """Whether `name` is meant by a text with these `name_words`.

    A country by any of its names, anything else by all of its words but function words; where a
    person's surname alone suffices, give `surname(name)`.
    """
    country = _country(name, metonyms)
    if country and "@" + country in mentioned:
        return True
    parts = [fold(word) for word in words(name)]
    parts = [part for part in parts if part not in FUNCTION_WORDS] or parts
    return bool(parts) and all(_in(part, mentioned) for part in parts)


def place_of(name: str) -> str | None:
    """The country that a name, demonym, abbreviation, capital or seat of power stands for."""
    return _country(name, True)


def countries_of(speaker: str) -> frozenset[str]:
    """`@country` for each country that a speaker's name, title or office stands for."""
    named = {word for word in name_words(speaker) if word[0] == "@"}
    offices = {"@" + country for office, country in _OFFICES.items() if office in fold(speaker)}
    return frozenset(named or offices)


def surname(name: str) -> str:
    """The last word of a person's name: what later mentions use."""
    parts = words(name)
    return parts[-1] if parts else name


def same_person(one: str, other: str) -> bool:
    """Whether `one` names who `other` names, or one of several: by an equal surname without a
    contradicting first name, or by nothing but a title of theirs."""
    ours = [w for w in words(one) if fold(w) not in FUNCTION_WORDS]
    parts = re.split(r"\band\b|,|&", other) if not re.search(r"\band\b|,|&", one) else [other]
    return any(
        _same(ours, [w for w in words(part) if fold(w) not in FUNCTION_WORDS]) for part in parts
    )


def _same(ours: list[str], theirs: list[str]) -> bool:
    if not ours or not theirs:
        return False
    a, b = [fold(w) for w in ours], [fold(w) for w in theirs]
    if a[-1].removesuffix("s") in TITLES or ours[-1].islower():
        return set(a) <= set(b)
    if a[-1] != b[-1]:
        return False
    first, second = _first_name(ours), _first_name(theirs)
    if not first or not second or first == second:
        return True
    return first[0] == second[0] and 1 in {len(first.rstrip(".")), len(second.rstrip("."))}


def _first_name(name: list[str]) -> str | None:
    """The word before a surname, folded, unless it is a title or a country."""
    word = name[-2] if len(name) > 1 else ""
    is_name = word[:1].isupper() and fold(word) not in TITLES and not _country(word, True)
    return fold(word) if is_name else None


def correct_spelling(text: str, vocabulary: Mapping[str, str]) -> str:
    """`text` with misspelt words replaced, by the nearest of the vocabulary (folded → written),
    else by a dictionary's where only letters are swapped or doubled.

    A word is misspelt when neither the vocabulary nor an English dictionary has it; words under
    five letters are left alone. At most one edit for each four letters is bridged.
    """
    candidates = [word for word in vocabulary if len(word) > 3 and word.isalpha()]

    def corrected(match: re.Match[str]) -> str:
        word = fold(match.group())
        if len(word) < 5 or word in vocabulary or is_known_word(word):
            return match.group()
        nearest = _nearest(word, candidates)
        return vocabulary[nearest] if nearest else _untwisted(word) or match.group()

    return re.sub(r"[^\W\d_]+", corrected, text)


def _nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate within one edit for each four letters; ties go to the alphabet."""
    from rapidfuzz.distance import OSA

    limit = max(1, len(word) // 4)
    near = ((OSA.distance(word, other, score_cutoff=limit), other) for other in candidates)
    best = min((pair for pair in near if pair[0] <= limit), default=None)
    return best[1] if best else None


def _untwisted(word: str) -> str | None:
    """The dictionary word that differs only by two swapped letters or a doubled one."""
    forms = [word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)]
    forms += [word[:i] + word[i + 1 :] for i in range(len(word) - 1) if word[i] == word[i + 1]]
    return next((form for form in forms if form in _speller()), None)


def is_known_word(word: str) -> bool:
    """Whether an English dictionary has the word, in its American or British spelling."""
    key, speller = fold(word), _speller()
    return key in speller or any(
        key.replace(british, american) in speller for british, american in _BRITISH
    )


def _in(part: str, mentioned: Collection[str]) -> bool:
    """Whether a folded word, or its singular or plural, is among the mentioned ones."""
    forms: Iterable[str] = (part, part.removesuffix("s"), part + "s", part.replace(".", ""))
    return any(form in mentioned for form in forms)


@lru_cache(maxsize=50_000)
def _country(name: str, metonyms: bool) -> str | None:
    key = fold(name)
    if key in _AMBIGUOUS and not (name.isupper() or (len(key) > 2 and name[0].isupper())):
        return None
    strict, loose = _tables()
    for form in (key, key.removeprefix("the "), key.removesuffix("s"), key.removesuffix(".")):
        if form in strict:
            return strict[form]
        if metonyms and form in loose:
            return loose[form]
    return None


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[str, str], dict[str, str]]:
    """(names, demonyms and abbreviations → country; capitals and metonyms → country)."""
    from countryinfo import all_countries

    strict: dict[str, str] = {}
    loose: dict[str, str] = {}
    infos = [country.info() for country in all_countries()]
    for info in infos:
        country = fold(info["name"]).removeprefix("the ")
        strict.setdefault(country, country)
        for alias in info.get("altSpellings") or ():
            if len(alias) > 3 or alias in {"US", "USA", "UK"}:
                strict.setdefault(fold(alias), country)
        capital = info.get("capital") or ()
        for city in [capital] if isinstance(capital, str) else capital:
            loose.setdefault(fold(city), country)
    peopled = sorted(infos, key=lambda info: -(info.get("population") or 0))
    for info in peopled:  # "Indian" is of India, not of the British Indian Ocean Territory
        for demonym in (info.get("demonym") or "").split(","):
            if demonym:
                strict.setdefault(fold(demonym.strip()), fold(info["name"]).removeprefix("the "))
    return strict | _DEMONYMS, loose | _METONYMS


@lru_cache(maxsize=1)
def _speller() -> SpellChecker:
    from spellchecker import SpellChecker

    return SpellChecker()
