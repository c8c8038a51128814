"""Abbreviations: what they stand for, and whether their full stop may end a sentence."""

from __future__ import annotations

from trainer.text.tables import table

_TABLES = table("abbreviations")

TITLES = _TABLES["titles"]
"""Before a name; their full stop never ends a sentence when a capital follows (`St.` and `Dr.` after a name are handled apart)."""

STREETS = _TABLES["streets"]
"""After a name, with a full stop."""

MONTHS = _TABLES["months"]
MONTH_NAMES = ("january february march april may june july august september october november december").split()
WEEKDAYS = _TABLES["weekdays"]

BEFORE_NUMBER = _TABLES["before_number"]
"""Only before a number, with a full stop."""

PHRASES = _TABLES["phrases"]
"""In lower case, as written -> as spoken."""

ENDING = frozenset(
    {"etc", "inc", "ltd", "co", "corp", "jr", "sr", "esq", "al", "bros", "a.m", "p.m", "ph.d", "b.c", "a.d", "m.d"}
)
"""After these a capital starts a new sentence, unless it names a day, a month or a time zone."""

SPELT = frozenset(
    "US UK EU UN IT TV PC ID AI CEO CFO CTO DNA RNA HIV GPS USB CPU GPU IQ PR HR DJ MC VIP DIY FAQ ATM ER IP UV AC DC PA LA NY DA AM PM MS CT"
    " FM WHO ET RV JFK SUV BBC MIT IRS EPA URL API CD DVD MP OJ USS COO CMO CIO CISO CPO EST EDT CST CDT MST MDT PST PDT BST GMT CET UTC".split()
)
"""Capitals that are spelt although the dictionary has a word of these letters."""

SAID = _TABLES["said"]
"""Capitals with a customary reading."""

MIXED = {"iOS": "I O S", "macOS": "mac O S", "watchOS": "watch O S", "tvOS": "T V O S", "OKed": "okayed"}
"""Names with capitals inside that the dictionary or their parts would say otherwise."""

STARTERS = frozenset(
    "The A An This That These Those He She It We They You I There Here What When Where Why How Who If In On At But And Or So Then Now"
    " His Her Its Our Their My Your As After Before While Although However For From With Because Since Once Yet Still No Not One Some"
    " Many Most All Every Each Both Such To By Of Is Are Was Were Do Does Did Have Has Had Can Could Will Would Should May Might Let".split()
)
"""Words that, with a capital after an abbreviation or an initial, most likely start a sentence."""
