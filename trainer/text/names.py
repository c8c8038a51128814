"""Words that are not read as they stand: abbreviations, initials, capitals, Roman numerals, addresses of the net, names with digits."""

from __future__ import annotations

import re

from trainer.text import dictionary, numerals
from trainer.text.abbreviations import (
    BEFORE_NUMBER,
    PHRASES,
    SAID,
    SPELT,
    STARTERS,
    STREETS,
    TITLES,
    WEEKDAYS,
)
from trainer.text.quantities import code_parts

URL = re.compile(r"(?:(?:https?|ftp)://|www\.)[^\s<>\"]{1,300}(?<=[\w/=&#%-])", re.IGNORECASE)
EMAIL = re.compile(r"[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}")
_TOP_LEVEL = frozenset(
    "com org net edu gov mil int info biz name pro xyz online shop store site tech cloud blog wiki news live dev app ai io eu"
    " ac ad ae af ag al am ao ar at au aw az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv"
    " cy cz de dj dk dm do dz ec ee eg er es et fi fj fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gt gu gw gy hk hn hr ht hu id ie il"
    " im in iq ir is it je jm jo jp ke kg kh ki km kn kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms"
    " mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg"
    " sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws"
    " ye yt za zm zw".split()
)
"""Endings of host names that are in use (IANA's list of country codes and the common others)."""
DOMAIN = re.compile(
    rf"(?:[A-Za-z0-9-]{{1,63}}\.){{1,4}}(?:{'|'.join(sorted(_TOP_LEVEL, key=len, reverse=True))})"
    r"(?:/(?:[^\s<>\"]{0,300}(?<=[\w/=&#%-]))?)?(?![\w.@]\w|\w)"
)
FILE_NAME = re.compile(
    r"(?:[A-Za-z0-9_-]{1,60}\.(?:pdf|txt|py|js|csv|json|html?|xml|zip|exe|docx?|xlsx?|jpe?g|png|gif|mp3|mp4|wav|flac|md|cpp|rs|go)"
    r"|[A-Za-z0-9_-]{2,60}\.[ch])(?!\w)"
)
NUMBERED = re.compile(
    r"(?P<word>[A-Za-z]+)(?:\.\s*(?=#?\d|(?P<roman>[IVXLC]+|[ivxlc]+)(?![A-Za-z']|\.[A-Za-z]))|\s(?=#?\d))"
)
LOWER_ROMAN = re.compile(r"(?P<numeral>[ivxlc]+)(?:[-–](?P<until>[ivxlc]+))?(?![A-Za-z0-9'])")
BRACKETED_ROMAN = re.compile(r"(?<=\))\((?P<numeral>[ivx]{2,})\)")
TITLE = re.compile(rf"(?P<word>{'|'.join(sorted(TITLES, key=len, reverse=True))})(?P<stop>\.?)(?=\s+[A-Z\"'])")
STREET = re.compile(rf"(?P<word>{'|'.join(sorted(STREETS, key=len, reverse=True))})(?:\.|(?=,|$))")
WEEKDAY_RANGE = re.compile(rf"(?P<first>{'|'.join(WEEKDAYS)})\.?\s?[-–]\s?(?P<last>{'|'.join(WEEKDAYS)})\b\.?")
PLACE = re.compile(r"(?P<word>Pt|Rte)\.?\s+(?=[A-Z][a-z]|\d)")
WEEKDAY = re.compile(
    rf"(?P<word>{'|'.join(sorted(WEEKDAYS, key=len, reverse=True))})(?:\.|(?=,? (?:\d|[A-Z][a-z]{{2}}\.? \d)))"
)
PHRASE = re.compile(r"'?[A-Za-z]+(?:[./&'][A-Za-z]+){0,4}[./']?|&c\.")
INITIALS = re.compile(r"(?P<letters>(?:[A-Za-z]\.){2,}(?:[A-Za-z](?![A-Za-z]))?)(?P<ending>'?s(?![A-Za-z]))?")
INITIAL = re.compile(r"(?P<letter>[A-Z])\.(?=\s*[A-Z])")
ROMAN = re.compile(
    r"(?P<numeral>[IVXLCDM]+)(?:[-–](?P<until>[IVXLCDM]+))?(?P<ending>'s)?(?![A-Za-z0-9']|\.[A-Za-z]|-[A-Za-z])"
)
CAPITALS = re.compile(r"(?P<letters>[A-Z]{2,}|[A-Z](?=s\b|'s\b|&[A-Z]))(?P<ending>'?s)?(?![A-Za-z0-9]|'[A-Z])")
SINGLE = re.compile(r"[A-Z](?![A-Za-z0-9'])")

_CAREFUL = frozenset(
    {"max.", "al.", "min.", "v.", "tel.", "temp.", "ca.", "cf.", "est.", "misc.", "ie.", "eg.", "ltd", "jr"}
)
"""With a capital these are names or ordinary words."""
_LAST_WORDS = frozenset(
    {"etc.", "&c.", "inc.", "ltd.", "co.", "corp.", "jr.", "sr.", "esq.", "bros.", "al.", "dept.", "govt."}
)
"""Phrases without inner full stops that may stand at the end of a sentence."""
_COUNTED = frozenset(
    "w.w vol fig sec art pt tab bk eq pp p chap"
    " chapter part act scene volume book section article appendix phase type war class grade stage level title figure table bowl mark apollo"
    " canto lesson unit step round mach vol ch no number amendment corps gemini corollary theorem".split()
)
_PAGES = frozenset("p pp ch chap vol sec fig".split())
_BEFORE_ROMAN = frozenset("vol vols no nos ch chap sec sect art fig figs pt pts tab bk eq p pp".split())
_RULERS = frozenset(
    "henry louis george edward richard charles james john william elizabeth mary philip frederick francis ferdinand leopold napoleon peter"
    " catherine nicholas alexander ivan pius paul benedict gregory leo innocent clement boniface urban margaret christian gustav otto"
    " ramses ramesses thutmose ptolemy darius xerxes cleopatra albert victor umberto alfonso pedro carlos felipe wilhelm karl maximilian"
    " constantine david robert harald haakon olaf stephen baldwin conrad rudolf sigismund mehmed selim murad".split()
)
_HELD_BY_RULERS = frozenset("king queen pope emperor empress tsar czar prince saint kaiser sultan pharaoh".split())
_SIGNS = {
    ".": "dot",
    "/": "slash",
    "-": "dash",
    "_": "underscore",
    "@": "at",
    "+": "plus",
    "?": "question mark",
    "=": "equals",
    "&": "and",
}
_ADDRESS_PART = re.compile(r"[A-Za-z]+|\d+|[./@+?=&_-]")
_LONGEST_ADDRESS = 80
_WORDS_WITH_S = frozenset({"As", "Is", "Us"})
_GRADES_BEFORE = re.compile(r"\b(?:straight|two|three|four|five|six|seven|several|\d) $", re.IGNORECASE)
_GRADES_AFTER = re.compile(r",? (?:and|or) [A-Z]s\b")
_VOWEL = re.compile(r"[AEIOUY]")
_SAYABLE = re.compile(r"(?!.*(?:[AEIOUY]{3}|[^AEIOUY]{3}))(?=.*[AEIOU]).{4,}")


def url(match: re.Match[str], _before: str) -> str:
    """`https://www.example.com/a` -> "W W W dot example dot com slash a"; what is long is cut to the host."""
    address = re.sub(r"^[a-z]+://", "", match[0], flags=re.IGNORECASE).rstrip(".,;:!?)'/*_")
    if len(address) > _LONGEST_ADDRESS:
        address = re.split(r"[/?#]", address, maxsplit=1)[0][:_LONGEST_ADDRESS]
    return address_words(address) or "address"


def address_words(address: str) -> str:
    """Parts of a host, a path or a mail address with the names of the signs between them."""
    return " ".join(_SIGNS.get(part) or _address_part(part) for part in _ADDRESS_PART.findall(address))


def email(match: re.Match[str], _before: str) -> str:
    """`jo.doe@example.com` -> "jo dot doe at example dot com"."""
    return address_words(match[0].rstrip("."))


def numbered(match: re.Match[str], _before: str) -> str | None:
    """`No. 5` -> "number" (five), `pp. 3-4` -> "pages"; without a full stop only `No 5`."""
    word = match["word"]
    if "." not in match[0] and word not in ("No", "Nos", "Nr"):
        return None
    if match["roman"] and not counts_roman(word, match["roman"]):
        return None
    return BEFORE_NUMBER.get(word.lower())


def counts_roman(word: str, following: str) -> bool:
    """Whether `following` after the abbreviation `word.` is a Roman numeral: `Vol. II`, `pp. iv`, but not in `No. I won't`."""
    if word.lower() not in _BEFORE_ROMAN or numerals.roman(following.upper()) is None:
        return False
    if following.islower():
        return word.lower() in _PAGES
    return len(following) > 1 or (following == "I" and word.istitle() and word != "No") or following in ("V", "X")


def lower_roman(match: re.Match[str], _before: str, previous: str) -> str | None:
    """`pp. iv–xii` -> "four to twelve"; None where no page or chapter stands before it."""
    values = [numerals.roman(text.upper()) for text in (match["numeral"], match["until"]) if text]
    if previous.lower() not in _PAGES or None in values:
        return None
    return " to ".join(numerals.cardinal(str(value)) for value in values)


def bracketed_roman(match: re.Match[str], _before: str) -> str | None:
    """`4(a)(ii)` -> "two"."""
    value = numerals.roman(match["numeral"].upper())
    return None if value is None else f", {numerals.cardinal(str(value))} ,"


def place(match: re.Match[str], _before: str) -> str | None:
    """`Pt. Reyes` -> "point", `Rte. 66` -> "route"."""
    digit = match.string[match.end()].isdigit()
    if match["word"] == "Rte":
        return "route"
    return None if digit else "point"


def title(match: re.Match[str], before: str, previous: str) -> str | None:
    """`Dr. Smith` -> "doctor"; only Mr, Mrs, Ms, Dr and St may lack the full stop."""
    word = match["word"]
    if not match["stop"] and word not in ("Mr", "Mrs", "Ms", "Dr", "St"):
        return None
    if word == "St" and before and previous in ("Main", "High", "Wall", "Bond", "Baker", "Oxford"):
        return STREETS[word]
    return TITLES[word]


def street(match: re.Match[str], previous: str) -> str | None:
    """`Main St.` -> "street"; only after a name or an ordinal."""
    named = previous[:1].isupper() and previous not in STARTERS
    return STREETS[match["word"]] if named or re.fullmatch(r"\d+(?:st|nd|rd|th)?", previous) else None


def weekday(match: re.Match[str], _before: str) -> str | None:
    """`Mon.` -> "monday"; `Sat` and `Sun` only before a date."""
    stands_last = match.end() == len(match.string.rstrip())
    return None if stands_last and match["word"] in ("Sun", "Sat", "Wed") else WEEKDAYS[match["word"]]


def weekday_range(match: re.Match[str], _before: str) -> str:
    """`Mon-Fri` -> "monday to friday"."""
    return f"{WEEKDAYS[match['first']]} to {WEEKDAYS[match['last']]}"


def phrase(match: re.Match[str]) -> tuple[str, int] | None:
    """`e.g.` -> ("for example", where it ends)."""
    for text in dict.fromkeys((match[0], match[0].rstrip("."))):
        spoken = PHRASES.get(text.lower())
        careful = text.lower() in _CAREFUL and not text.islower()
        last = match.start() + len(text) >= len(match.string.rstrip("\"')] "))
        unclear = last and text.endswith(".") and text.count(".") == 1 and text.lower() not in _LAST_WORDS
        if spoken and not careful and not unclear:
            return spoken, match.start() + len(text)
    return None


def initials(match: re.Match[str], _before: str) -> str:
    """`U.S.A.` -> "U S A"."""
    return spelt(match["letters"].replace(".", ""), match["ending"] or "")


def initial(match: re.Match[str], _before: str) -> str:
    """`J. Smith` -> "J"."""
    return match["letter"]


def roman(match: re.Match[str], previous: str, before_previous: str) -> str | None:
    """`Chapter IV` -> "four", `Henry VIII` -> "the eighth"; None if no numeral is meant."""
    text = match["numeral"]
    value = numerals.roman(text)
    if value is None or not previous:
        return None
    ending = "s" if match["ending"] else ""
    after = match.string[match.end() : match.end() + 12]
    if {previous.lower(), previous.lower().removesuffix("s")} & _COUNTED:
        until = numerals.roman(match["until"] or "")
        if until:
            return f"{numerals.cardinal(str(value))} to {numerals.cardinal(str(until))}"
        titled = previous[0].isupper() and not re.match(
            r" (?:am|have|had|think|know|want|mean|guess|love|hate)\b", after
        )
        meant = len(text) > 1 or text in "VX" or (text == "I" and (titled or not re.match(r" [a-z]", after)))
        return numerals.cardinal(str(value)) if meant else None
    if previous.lower() in _RULERS and previous[0].isupper():
        held = before_previous.lower() in _HELD_BY_RULERS or before_previous.lower() in _RULERS
        first = not match.string[: match.start()].strip().removesuffix(previous).strip() and re.match(
            r" (?:was|were|had|did|made)\b", after
        )
        third = re.match(
            r"[,.;)]|$| (?:of|is|has|died|ruled|reigned|abdicated|succeeded|became|himself|herself)\b", after
        )
        sure = len(text) > 1 or text in "VX" or held or first or third
        return f"the {numerals.ordinal(str(value))}" + ("'s" if ending else "") if sure else None
    if (
        previous[0].isupper()
        and not previous.isupper()
        and previous not in STARTERS
        and len(text) > 1
        and re.fullmatch("[IVX]+", text)
    ):
        return numerals.cardinal(str(value))
    return None


def capitals(match: re.Match[str], *, shouted: bool) -> str | None:
    """`FBI` -> "F B I", `NASA` -> "nasa"; in a text all in capitals a word is taken for a word."""
    letters, ending = match["letters"], match["ending"] or ""
    if match[0] in _WORDS_WITH_S and not shouted and not _is_grade(match):
        return match[0].lower()
    if letters in SAID and not shouted:
        return SAID[letters] + ending.replace("'", "")
    known = dictionary.contains(letters.lower())
    if known and (shouted or letters not in SPELT) and len(letters) > 1:
        return letters.lower() + ending
    if (
        _VOWEL.search(letters)
        and letters not in SPELT
        and (len(letters) > (4 if shouted else 6) or _SAYABLE.fullmatch(letters))
    ):
        return letters.lower() + ending
    return spelt(letters, ending)


def _is_grade(match: re.Match[str]) -> bool:
    """`straight As`, `two As`, `As and Bs`: the letter's name in the plural."""
    return bool(_GRADES_BEFORE.search(match.string[: match.start()]) or _GRADES_AFTER.match(match.string, match.end()))


def single(match: re.Match[str], *, starts: bool) -> str:
    """A capital alone is the letter's name, except the words I and A."""
    follows_mark = starts or match.string[max(0, match.start() - 2) : match.start()].strip(" (") in (
        '"',
        "'",
        ":",
        "—",
        ",",
    )
    article = (
        match[0] == "A" and follows_mark and re.match(r"\s+[A-Za-z0-9]", match.string[match.end() : match.end() + 3])
    )
    return match[0].lower() if article or match[0] == "I" else match[0]


def code(match: re.Match[str], _before: str) -> str:
    """`BBC2` -> "B B C two", `mp3` -> "M P three", `A380` -> "A three eighty"."""
    return " ".join(numerals.code(part) if part.isdigit() else _code_letters(part) for part in code_parts(match[0]))


def code_words(text: str) -> str:
    """The letters and digits behind a decimal: `ax` -> "A X", `V6` -> "V six", `beta` -> "beta"."""
    return " ".join(
        numerals.code(part)
        if part.isdigit()
        else (part.lower() if len(part) > 3 and dictionary.contains(part.lower()) else spelt(part))
        for part in code_parts(text)
    )


def spelt(letters: str, ending: str = "") -> str:
    """`"CD", "s"` -> "C Ds": capitals alone are read as names of letters."""
    return " ".join(letters.upper()) + ending


def _code_letters(letters: str) -> str:
    short = letters.isupper() and len(letters) == 2
    if short or len(letters) == 1 or not dictionary.contains(letters.lower()) or letters in SPELT:
        return letters.lower() if len(letters) > 3 and _VOWEL.search(letters.upper()) else spelt(letters)
    return letters.lower()


def _address_part(part: str) -> str:
    if part.isdigit():
        return numerals.code(part)
    if len(part) == 1 or (len(part) < 4 and not dictionary.contains(part.lower())):
        return spelt(part)
    return part.lower() if _VOWEL.search(part.upper()) else spelt(part)
