"""What stands in a text and is not said: front matter, tags, speakers, times, notes, hyphens at line ends.

Nothing is taken out here that could be spoken: a parenthesis with a sentence in it stays, and the comparison with what was recognised decides.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from trainer.text import dictionary
from trainer.text.markup import without_markup

_CLOCK = r"(?:\d{1,2}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?"
_FRONT_MATTER = re.compile(
    r"\A(---|\+\+\+)[ \t]*\n(?:(?:[A-Za-z_][\w -]{0,40}\s*[:=].*|[ \t-].*|)\n){1,60}\1[ \t]*(?:\n|\Z)"
)
_HIDDEN = re.compile(r"<(script|style|head|title)\b[^>]*>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_DOCTYPE = re.compile(r"<!DOCTYPE[^>]*>|<\?xml[^>]*\?>", re.IGNORECASE)
_LOOSE_TAG = re.compile(
    r"<(?:unk|noise|sil|silence|laugh|laughter|laughs|cough|music|pause|breath|spoken_noise|foreign)>", re.IGNORECASE
)
_SPEAKER = re.compile(
    rf"^[ \t]*(?:\[?(?:SPEAKER[_ ]?\d{{1,3}}|Speaker[ _]\w{{1,12}}|Narrator|NARRATOR|Reader|READER|Voice \d)\]?)"
    rf"[ \t]*(?:[(\[]?{_CLOCK}[)\]]?)?[ \t]*(?::|-{{1,2}}>?|(?=\n|$))[ \t]*",
    re.MULTILINE,
)
_NAMED = re.compile(r"^[ \t]*(?P<name>[A-Z][\w.'-]{0,20}(?: [A-Z][\w.'-]{0,20}){0,2}):[ \t]+(?=\S)", re.MULTILINE)
_LINE_TIME = re.compile(
    rf"^[ \t]*(?:[(\[]{_CLOCK}(?:\s*(?:-->|-|–)\s*{_CLOCK})?[)\]]|{_CLOCK}(?=[ \t]+\S))[ \t]*:?[ \t]*", re.MULTILINE
)
_INNER_TIME = re.compile(rf"[(\[]{_CLOCK}(?:\s*(?:-->|-|–)\s*{_CLOCK})?[)\]]")
_NOTE_WORDS = (
    r"laugh(?:s|ing|ter)?|chuckl(?:es?|ing)|giggl(?:es?|ing)|applause|clap(?:s|ping)?|cheer(?:s|ing)|music|musical|jingle|song|sing(?:s|ing)"
    r"|hum(?:s|ming)"
    r"|noise|noises|background|static|beep|bell|rings?|cough(?:s|ing)?"
    r"|sneez(?:es?|ing)|sniff(?:s|ing|les?)?|sigh(?:s|ing)?|gasps?|breath(?:s|es|ing)?"
    r"|inhales?|exhales?|yawns?|clears|throat|clearing|groans?|cries|crying|sobs?|whistl(?:es?|ing)|whisper(?:s|ing)"
    r"|pauses?|silence|silent|long pause"
    r"|inaudible|unintelligible|indistinct|crosstalk|cross talk|overlapping|unclear|blank_audio|blank audio|no speech|speaking foreign language"
    r"|foreign language|uh|um|uhm|erm|er|hmm|mm|mhm|sic|sfx|sound effects?"
)
_NOTE = re.compile(
    rf"[\[({{<*♪♫]+\s*(?:(?:the|a|both|loud|loudly|soft|softly|light|upbeat|dramatic|audience|speaker|man|woman|narrator|in|of|his|her|playing|plays"
    rf"|stops?|continues?|{_NOTE_WORDS})[ ,]*)*?(?:{_NOTE_WORDS})(?:\s+(?:playing|plays|stops?|continues?|in|the|background|throat|softly|loudly))*"
    rf"(?:\s+{_CLOCK})?[.!…]?\s*[\])}}>*♪♫]+",
    re.IGNORECASE,
)
_SONG_SIGN = re.compile(r"[♪♫]+")
_SOFT_HYPHEN = re.compile("\u00ad\\s*\\n?\\s*")
_BROKEN = re.compile(r"(?P<first>[A-Za-z]{2,})-[ \t]*\n[ \t]*(?P<last>[a-z]{2,})")
_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+(?=\S)", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*(?:(?:[-*_=~][ \t]*){3,})$", re.MULTILINE)
_LINK_TARGET = re.compile(r"^[ \t]*\[[^\]\n]{1,60}\]:[ \t]*\S+.*$", re.MULTILINE)
_IMAGE = re.compile(r"!\[([^\]\n]{0,200})\]\([^)\n]{0,400}\)")
_LINK = re.compile(r"\[([^\]\n]{1,200})\]\([^)\n]{1,400}\)")
_NUMBERED = re.compile(r"^[ \t]*\d{1,4}[.)][ \t]+(?=\S)", re.MULTILINE)
_IDENTIFIED = re.compile(r"^[ \t]*[\w./-]{1,80}\|(?=[^|\n]+$)", re.MULTILINE)
_FOOTNOTE = re.compile(r"(?<=[\w.,;:!?\"'”])\[(?:\d{1,3}|\*|note \d{1,3})\]")
_PAGE = re.compile(r"^[ \t]*(?:-[ \t]*)?(?:page[ \t]+)?\d{1,4}(?:[ \t]*-)?[ \t]*$", re.MULTILINE | re.IGNORECASE)

Taken = Counter[str]


def clean(text: str, *, cues: bool) -> tuple[str, Taken, dict[str, str]]:
    """(the text, how often what was taken out, an example of each); `cues`: the lines had times, so their beginnings are words."""
    taken: Taken = Counter()
    examples: dict[str, str] = {}

    def out(kind: str, pattern: re.Pattern[str], text: str, put: str | Callable[[re.Match[str]], str] = " ") -> str:
        found = [match[0] for match in pattern.finditer(text)]
        if found:
            taken[kind] += len(found)
            examples.setdefault(kind, " ".join(found[0].split())[:40])
            text = pattern.sub(put, text)
        return text

    text = text if cues else out("front matter", _FRONT_MATTER, text, "")
    text = out("hidden parts of HTML", _HIDDEN, text)
    text = _DOCTYPE.sub(" ", text)
    text = out("notes", _LOOSE_TAG, text)
    bare = without_markup(text)
    if bare != text:
        taken["tags and entities"] += 1
        examples["tags and entities"] = next(
            (match[0][:40] for match in re.finditer(r"<[^<>]{1,200}>|&[#\w]{1,31};", text)), ""
        )
        text = bare
    text = out("soft hyphens", _SOFT_HYPHEN, text, "")
    text = out("words broken at line ends", _BROKEN, text, _joined) if _BROKEN.search(text) else text
    text = out("speakers", _SPEAKER, text, "") if len(_SPEAKER.findall(text)) > 1 else text
    text = out("speakers", _NAMED, text, "") if _is_dialogue(text) else text
    text = out("times", _LINE_TIME, text, "") if not cues and len(_LINE_TIME.findall(text)) > 1 else text
    text = out("times", _INNER_TIME, text)
    text = out("notes", _NOTE, text)
    text = out("notes", _SONG_SIGN, text)
    text = out("footnote marks", _FOOTNOTE, text, "")
    if cues:
        return text, taken, examples
    for pattern, put in ((_IMAGE, " "), (_LINK, r"\1"), (_LINK_TARGET, ""), (_RULE, ""), (_HEADING, "")):
        text = out("Markdown", pattern, text, put)
    text = out("page numbers", _PAGE, text, "") if len(_PAGE.findall(text)) > 1 else text
    lines = max(1, sum(bool(line.strip()) for line in text.split("\n")))
    for kind, pattern in (("numbers of lines", _NUMBERED), ("ids of lines", _IDENTIFIED)):
        if 2 * len(pattern.findall(text)) >= lines > 1:
            text = out(kind, pattern, text, "")
    return text, taken, examples


def _is_dialogue(text: str) -> bool:
    """Whether names at the beginnings of lines say who speaks: on most lines, each of them several times."""
    names = [match["name"] for match in _NAMED.finditer(text)]
    lines = sum(bool(line.strip()) for line in text.split("\n"))
    return len(names) >= 4 and 2 * len(names) >= lines and 2 * len({*names}) <= len(names)


def _joined(match: re.Match[str]) -> str:
    """A word that a line end broke: joined if that gives a word and the parts are none, else kept with its hyphen."""
    first, last = match["first"], match["last"]
    whole = (first + last).lower()
    parts = dictionary.contains(first.lower()) and dictionary.contains(last)
    return first + last if dictionary.contains(whole) or not parts else f"{first}-{last}"
