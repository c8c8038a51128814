"""One written sentence -> the words that are spoken, with the pauses between them.

A scanner: at each place the first rule that knows what stands there says it. A rule gives plain lower-case words; a capital alone stands for the
name of a letter, a lone comma for a pause.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from trainer.text import abbreviations, codes, dates, dictionary, durations, homographs, names, quantities

Rule = tuple[re.Pattern[str], Callable[[re.Match[str], str], str | None]]
Spoken = tuple[str, str]
"""A word and the mark after it ("" if none)."""

ORDER = ("", ",", ".", "!", "?")
"""Of several marks after one word the last in this order counts."""

_NUMBER_RULES: tuple[Rule, ...] = (
    (names.URL, names.url),
    (names.EMAIL, names.email),
    (names.DOMAIN, names.url),
    (codes.ADDRESS, codes.address),
    (codes.CARD, codes.card),
    (quantities.TELEPHONE, quantities.telephone),
    (dates.ISO, dates.iso),
    (dates.NUMERIC, dates.numeric),
    (dates.DAY_FIRST, dates.day_first),
    (durations.SEVERAL, durations.several),
    (dates.CLOCK, dates.clock),
    (dates.HOUR, dates.hour),
    (quantities.MONEY, quantities.money),
    (dates.YEARS, dates.years),
    (codes.CHAIN, codes.chain),
    (codes.POSTCODE, codes.postcode),
    (quantities.COORDINATE, quantities.coordinate),
    (quantities.FEET, quantities.feet),
    (dates.YEAR_WITH_ERA, dates.year_with_era),
    (quantities.SCIENTIFIC, quantities.scientific),
    (quantities.QUANTITY, quantities.quantity),
    (quantities.SCALED, quantities.scaled),
    (codes.DECIMAL_CODE, codes.decimal_code),
    (dates.DECADE, dates.decade),
    (quantities.ORDINAL, quantities.ordinal),
    (quantities.FULL_STOP_THOUSANDS, quantities.full_stop_thousands),
    (quantities.GROUPS, quantities.groups),
    (quantities.BY, quantities.by),
    (quantities.TIMES, quantities.times),
    (quantities.FIXED, quantities.fixed),
    (quantities.FRACTION, quantities.fraction),
    (quantities.FACTORIAL, quantities.factorial),
    (quantities.RATIO, quantities.ratio),
    (quantities.RANGE, quantities.spread),
    (quantities.NUMBERED, quantities.numbered),
    (dates.YEAR, dates.year),
    (quantities.PLAIN, quantities.plain),
    (names.FILE_NAME, names.url),
    (names.BRACKETED_ROMAN, names.bracketed_roman),
    (quantities.CODE, names.code),
)
_LETTER_RULES: tuple[Rule, ...] = (
    (names.URL, names.url),
    (names.EMAIL, names.email),
    (names.DOMAIN, names.url),
    (names.FILE_NAME, names.url),
    (codes.ADDRESS, codes.address),
    (codes.VERSION, codes.version),
    (codes.NAMED_DECIMAL, codes.named_decimal),
    (codes.LETTERED_CHAIN, codes.lettered_chain),
    (quantities.NAMED_MONEY, quantities.money),
    (names.PLACE, names.place),
    (codes.STATE, codes.state),
    (dates.MONTH_FIRST, dates.month_first),
    (dates.MONTH_AND_YEAR, dates.month_and_year),
    (dates.MONTH_ALONE, dates.month_alone),
    (dates.ERA_WITH_YEAR, dates.era_with_year),
    (names.WEEKDAY_RANGE, names.weekday_range),
    (names.WEEKDAY, names.weekday),
    (names.NUMBERED, names.numbered),
)
_LATER_LETTER_RULES: tuple[Rule, ...] = (
    (names.INITIALS, names.initials),
    (names.INITIAL, names.initial),
    (quantities.CODE, names.code),
)
_APOSTROPHE_RULES: tuple[Rule, ...] = ((dates.SHORT_DECADE, dates.short_decade), (dates.SHORT_YEAR, dates.short_year))

_WORD = re.compile(r"'(?:em|cause|til|tis|twas|bout|round|n)(?![A-Za-z])|[A-Za-z]+(?:'[A-Za-z]+)*", re.IGNORECASE)
_POSSESSIVE = re.compile(r"(?<=[0-9.])'s(?![A-Za-z])", re.IGNORECASE)
_PREFIXED = re.compile(r"(re|co|pre|un|non|anti|multi|semi)-([a-z]+)(?![A-Za-z-])", re.IGNORECASE)
_RESPELT = frozenset(
    {"re-sign", "re-cover", "re-form", "re-lease", "re-mark", "re-present", "re-sent", "co-op", "un-ionized"}
)
_CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_PAUSE = re.compile(r"([-=*_~#])\1+|\s-(?=\s)|[—|]|\s–(?=\s)|->|=>|<-")
_DOTS = re.compile(r"…|\.{2,}")
_SKIPPED = re.compile(r"\((?:s|es)\)|\[\d{1,3}\]", re.IGNORECASE)
_MARKS = {**dict.fromkeys(",;:()[]{}", ","), "?": "?", "!": "!"}
_SIGNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"&"), "and"),
    (re.compile(r"@"), "at"),
    (re.compile(r"(?<=\b[A-G])#(?!\w)"), "sharp"),
    (re.compile(r"#(?=[A-Za-z])"), "hashtag"),
    (re.compile(r"[=]+"), "equals"),
    (re.compile(r"(?<=[\d\s)])\+(?=[\s\d(]|$)|(?<=[A-Za-z+])\+"), "plus"),
    (re.compile(r"(?<=\d)\*(?=\d)|(?<=\s)[*×](?=\s)|×"), "times"),
    (re.compile(r"÷|(?<=\d )/(?= \d)"), "divided by"),
    (re.compile(r"(?<=[\w²³)] )-(?= [\w(])|(?<=[\da-z])-(?=\d+\s?=)"), "minus"),
    (re.compile(r"(?<=[A-Za-z\d)])\^(?=[A-Za-z\d(])"), "to the power of"),
    (re.compile(r"(?<=\d)/(?=[a-z]{3})"), "per"),
    (re.compile(r"²"), "squared"),
    (re.compile(r"³"), "cubed"),
    (re.compile(r"%"), "percent"),
    (re.compile(r"°"), "degrees"),
    (re.compile(r"£"), "pounds"),
    (re.compile(r"€"), "euros"),
    (re.compile(r"¥"), "yen"),
    (re.compile(r"₹"), "rupees"),
    (re.compile(r"¢"), "cents"),
    (re.compile(r"\$(?!\w)"), "dollars"),
    (re.compile(r"±"), "plus or minus"),
    (re.compile(r"≈"), "is about"),
    (re.compile(r"≤"), "is at most"),
    (re.compile(r"≥"), "is at least"),
    (re.compile(r"(?<=\s)<(?=\s)"), "is less than"),
    (re.compile(r"(?<=\s)>(?=\s)"), "is greater than"),
)
_CLOSING = " \n\"')]}*_"


def spoken(sentence: str) -> list[Spoken]:
    """Words of one cleaned sentence with the mark after each; empty if it has none."""
    scanner = _Scanner(sentence)
    while scanner.position < len(sentence):
        scanner.step()
    return [(word, mark) for word, mark in scanner.words]


class _Scanner:
    """Where the reading stands, and what has been said so far."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.words: list[Spoken] = []
        self.previous = self.before_previous = ""  # as they were written
        self.shouted = sum(map(str.isupper, text)) > 8 and not any(map(str.islower, text))

    def step(self) -> None:
        """Read what stands at the position and move on, by at least one character."""
        character = self.text[self.position]
        if character in " \n" and not _PAUSE.match(self.text, self.position):
            self.position += 1
        elif character.isalpha():
            self._letters()
        elif not (self._numbers(character) or self._apostrophe(character) or self._punctuation() or self._sign()):
            self.position += 1

    def _letters(self) -> None:
        if self._apply(_LETTER_RULES) or self._abbreviation() or self._apply(_LATER_LETTER_RULES) or self._capital():
            return
        self._word()

    def _numbers(self, character: str) -> bool:
        return (character.isdigit() or character in "$£€¥₹+-.~<>≈±≤≥√#(") and self._apply(_NUMBER_RULES)

    def _apostrophe(self, character: str) -> bool:
        if character != "'":
            return False
        if self.words and (ending := _POSSESSIVE.match(self.text, self.position)):
            word, mark = self.words[-1]
            self.words[-1] = (word + ending[0].lower(), mark)
            self.position = ending.end()
            return True
        if self._apply(_APOSTROPHE_RULES) or self._abbreviation():
            return True
        if _WORD.match(self.text, self.position):
            self._word()
            return True
        return False

    def _apply(self, rules: tuple[Rule, ...]) -> bool:
        before = self.words[-1][0] if self.words else ""
        for pattern, rule in rules:
            match = pattern.match(self.text, self.position)
            if match and (said := rule(match, before)) is not None:
                self._say(said, match.end())
                return True
        return False

    def _abbreviation(self) -> bool:
        before = self.words[-1][0] if self.words else ""
        for pattern, rule in (
            (names.STREET, partial(self._street)),
            (names.TITLE, partial(names.title, before=before, previous=self.previous)),
            (names.ROMAN, partial(names.roman, previous=self.previous, before_previous=self.before_previous)),
            (names.LOWER_ROMAN, partial(names.lower_roman, _before=before, previous=self.previous)),
        ):
            match = pattern.match(self.text, self.position)
            if match and (said := rule(match)) is not None:
                self._say(said, match.end())
                return True
        match = names.PHRASE.match(self.text, self.position)
        found = names.phrase(match) if match else None
        if found:
            self._say(*found)
        return found is not None

    def _street(self, match: re.Match[str]) -> str | None:
        if match["word"] in ("St", "Dr") and re.match(
            r"\s+[A-Z]|\s+h\.\s?c\.", self.text[match.end() : match.end() + 8]
        ):
            return None  # a saint or a doctor
        return names.street(match, self.previous)

    def _capital(self) -> bool:
        match = names.SINGLE.match(self.text, self.position)
        if match:
            self._say(names.single(match, starts=self.shouted or not self.words), match.end())
            return True
        match = names.CAPITALS.match(self.text, self.position)
        if match:
            self._say(names.capitals(match, shouted=self.shouted) or "", match.end())
        return match is not None

    def _word(self) -> None:
        prefixed = _PREFIXED.match(self.text, self.position)
        if (
            prefixed
            and prefixed[0].lower() not in _RESPELT
            and dictionary.contains((prefixed[1] + prefixed[2]).lower())
        ):
            self._say((prefixed[1] + prefixed[2]).lower(), prefixed.end())
            return
        match = _WORD.match(self.text, self.position)
        assert match is not None
        self._say(_cased(match[0]), match.end())

    def _punctuation(self) -> bool:
        text, position = self.text, self.position
        if match := _SKIPPED.match(text, position):
            self.position = match.end()
            return True
        if text[position] in "-–" and self._joins_numbers():
            self._say("to", position + 1)
            return True
        if match := _DOTS.match(text, position):
            self._mark("," if text[match.end() :].strip(_CLOSING + ".…") else ".")
        elif not _minus(text, position) and (match := _PAUSE.match(text, position)):
            self._mark(",")
        elif text[position] == ".":
            self._full_stop()
            return True
        elif text[position] in _MARKS:
            self._mark(_MARKS[text[position]])
            self.position += 1
            return True
        if match:
            self.position = match.end()
        return match is not None

    def _joins_numbers(self) -> bool:
        """Whether the dash here stands between two times, days or amounts, as in `9am-5pm`."""
        spread = (
            self.text[self.position + 1 : self.position + 2].isdigit()
            and self.text[self.position - 1 : self.position].isalnum()
        )
        return spread and self.previous[:1].isdigit() and (":" in self.previous or self.previous[-1].isalpha())

    def _full_stop(self) -> None:
        """The end of a sentence, or else: a pause in `1. First`, "dot" in `.NET`, nothing after an abbreviation that no rule knows."""
        before, after = self.text[self.position - 1 : self.position], self.text[self.position + 1 : self.position + 2]
        if after.isalpha() and not before.strip():
            self._say("dot", self.position + 1)
            return
        if not after.isspace() or not self.text[self.position + 1 :].strip(_CLOSING):
            self._mark("," if after.islower() else ".")
        elif len(self.words) < 4 and self.previous.isdigit():
            self._mark(",")
        self.position += 1

    def _sign(self) -> bool:
        start = self.position + (self.text[self.position] == " ")
        for pattern, said in _SIGNS:
            if match := pattern.match(self.text, start):
                self._say(said, match.end())
                return True
        return False

    def _say(self, said: str, end: int) -> None:
        """Append words, and the full stop that an abbreviation at the end of the sentence shares with it."""
        written = self.text[self.position : end]
        for part in said.split():
            if part == ",":
                self._mark(",")
            else:
                self.words.append((part, ""))
        if written.endswith(".") and not self.text[end : end + 40].strip(_CLOSING):
            self._mark(".")
        if said:
            self.before_previous, self.previous = self.previous, written.strip(" .")
        self.position = end

    def _mark(self, mark: str) -> None:
        if self.words:
            word, old = self.words[-1]
            self.words[-1] = (word, max(old, mark, key=ORDER.index))


def _minus(text: str, position: int) -> bool:
    """Whether the dash between blanks here is a minus: numbers or single letters on both sides and an equals sign near."""
    before, after = text[max(0, position - 30) : position], text[position : position + 30]
    if re.match(r"\s-\s\d+(?:\.\d+)?\s?=", after):
        return True
    term = re.search(r"(?:^|[\s(=])[\d.]*[a-z]?(?:\^\d|[²³])?\)?$", before) and before[-1:] not in ("", " ", "=")
    return bool(term) and "=" in before + after and re.match(r"\s-\s(?:\d|[a-z]\b|\()", after) is not None


def _cased(word: str) -> str:
    """A word in lower case; one with capitals inside that the dictionary lacks, in its parts: `YouTube` -> "you tube"."""
    lower = word.lower()
    if word in abbreviations.MIXED:
        return abbreviations.MIXED[word]
    if lower in homographs.NAMES and word[1:].islower():
        return word
    if word[1:] == word[1:].lower() or "'" in word or dictionary.contains(lower) or len(word) > 60:
        return lower
    return " ".join(
        part.lower() if len(part) > 1 and not part.isupper() else names.spelt(part) for part in _CAMEL.findall(word)
    )
