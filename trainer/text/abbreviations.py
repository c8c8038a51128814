"""Abbreviations: what they stand for, and whether their full stop may end a sentence."""

from __future__ import annotations

TITLES = {
    "Mr": "mister",
    "Mrs": "missus",
    "Ms": "miz",
    "Messrs": "messieurs",
    "Mme": "madame",
    "Dr": "doctor",
    "Prof": "professor",
    "Gen": "general",
    "Col": "colonel",
    "Maj": "major",
    "Capt": "captain",
    "Cmdr": "commander",
    "Lt": "lieutenant",
    "Sgt": "sergeant",
    "Rev": "reverend",
    "Fr": "father",
    "Hon": "honorable",
    "Gov": "governor",
    "Sen": "senator",
    "Rep": "representative",
    "Pres": "president",
    "Supt": "superintendent",
    "Adm": "admiral",
    "Pvt": "private",
    "Cpl": "corporal",
    "Amb": "ambassador",
    "Det": "detective",
    "Insp": "inspector",
    "Brig": "brigadier",
    "Sr": "sister",
    "Mt": "mount",
    "Ft": "fort",
    "St": "saint",
    "Ste": "saint",
}
"""Before a name; their full stop never ends a sentence when a capital follows (`St.` and `Dr.` after a name are handled apart)."""

STREETS = {
    "St": "street",
    "Dr": "drive",
    "Ave": "avenue",
    "Blvd": "boulevard",
    "Rd": "road",
    "Ln": "lane",
    "Hwy": "highway",
    "Pkwy": "parkway",
    "Sq": "square",
    "Apt": "apartment",
    "Bldg": "building",
}
"""After a name, with a full stop."""

MONTHS = {
    "jan": "january",
    "feb": "february",
    "mar": "march",
    "apr": "april",
    "jun": "june",
    "jul": "july",
    "aug": "august",
    "sep": "september",
    "sept": "september",
    "oct": "october",
    "nov": "november",
    "dec": "december",
}
MONTH_NAMES = ("january february march april may june july august september october november december").split(" ")
WEEKDAYS = {
    "Mon": "monday",
    "Tue": "tuesday",
    "Tues": "tuesday",
    "Wed": "wednesday",
    "Thu": "thursday",
    "Thur": "thursday",
    "Thurs": "thursday",
    "Fri": "friday",
    "Sat": "saturday",
    "Sun": "sunday",
}

BEFORE_NUMBER = {
    "no": "number",
    "nos": "numbers",
    "nr": "number",
    "p": "page",
    "pp": "pages",
    "pg": "page",
    "ch": "chapter",
    "chap": "chapter",
    "sec": "section",
    "sect": "section",
    "art": "article",
    "fig": "figure",
    "figs": "figures",
    "eq": "equation",
    "vol": "volume",
    "vols": "volumes",
    "pt": "part",
    "pts": "parts",
    "tab": "table",
    "bk": "book",
    "ed": "edition",
    "c": "circa",
    "ca": "circa",
    "ext": "extension",
    "op": "opus",
    "v": "version",
    "ver": "version",
    "rm": "room",
    "tel": "telephone",
    "b": "born",
    "d": "died",
}
"""Only before a number, with a full stop."""

PHRASES = {
    "mr.": "mister",
    "mrs.": "missus",
    "ms.": "miz",
    "dr.": "doctor",
    "e.g.": "for example",
    "eg.": "for example",
    "i.e.": "that is",
    "ie.": "that is",
    "etc.": "et cetera",
    "etc": "et cetera",
    "&c.": "et cetera",
    "vs.": "versus",
    "vs": "versus",
    "v.": "versus",
    "cf.": "compare",
    "viz.": "namely",
    "al.": "al",
    "ca.": "circa",
    "approx.": "approximately",
    "dept.": "department",
    "est.": "established",
    "govt.": "government",
    "intl.": "international",
    "natl.": "national",
    "univ.": "university",
    "assn.": "association",
    "assoc.": "association",
    "bros.": "brothers",
    "inc.": "incorporated",
    "ltd.": "limited",
    "ltd": "limited",
    "co.": "company",
    "corp.": "corporation",
    "mfg.": "manufacturing",
    "jr.": "junior",
    "jr": "junior",
    "sr.": "senior",
    "esq.": "esquire",
    "min.": "minutes",
    "max.": "maximum",
    "avg.": "average",
    "tel.": "telephone",
    "misc.": "miscellaneous",
    "incl.": "including",
    "excl.": "excluding",
    "ex.": "example",
    "temp.": "temperature",
    "asst.": "assistant",
    "attn.": "attention",
    "exp.": "expires",
    "pls.": "please",
    "pls": "please",
    "h.c.": "honoris causa",
    "ok'd": "okayed",
    "ph.d.": "P H D",
    "phd": "P H D",
    "w/": "with",
    "w/o": "without",
    "c/o": "care of",
    "b/c": "because",
    "n/a": "not applicable",
    "a/c": "A C",
    "and/or": "and or",
    "o'clock": "o'clock",
    "rock'n'roll": "rock and roll",
    "'n'": "and",
    "'n": "and",
    "n'": "and",
}
"""In lower case, as written -> as spoken."""

ENDING = frozenset(
    {"etc", "inc", "ltd", "co", "corp", "jr", "sr", "esq", "al", "bros", "a.m", "p.m", "ph.d", "b.c", "a.d", "m.d"}
)
"""After these a capital starts a new sentence, unless it names a day, a month or a time zone."""

SPELT = frozenset(
    "US UK EU UN IT TV PC ID AI CEO CFO CTO DNA RNA HIV GPS USB CPU GPU IQ PR HR DJ MC VIP DIY FAQ ATM ER IP UV AC DC PA LA NY DA AM PM"
    " FM WHO ET RV JFK SUV BBC MIT IRS EPA URL API CD DVD MP OJ USS COO CMO CIO CISO CPO EST EDT CST CDT MST MDT PST PDT BST GMT CET UTC".split(
        " "
    )
)
"""Capitals that are spelt although the dictionary has a word of these letters."""

SAID = {
    "SQL": "sequel",
    "JPEG": "jay peg",
    "GIF": "gif",
    "COVID": "covid",
    "LASER": "laser",
    "SARS": "sars",
    "PIN": "pin",
    "ASAP": "A S A P",
    "NAACP": "N double A C P",
    "IEEE": "I triple E",
    "AAA": "triple A",
    "WWI": "world war one",
    "WWII": "world war two",
}
"""Capitals with a customary reading."""

MIXED = {"iOS": "I O S", "macOS": "mac O S", "watchOS": "watch O S", "tvOS": "T V O S", "OKed": "okayed"}
"""Names with capitals inside that the dictionary or their parts would say otherwise."""

STARTERS = frozenset(
    "The A An This That These Those He She It We They You I There Here What When Where Why How Who If In On At But And Or So Then Now"
    " His Her Its Our Their My Your As After Before While Although However For From With Because Since Once Yet Still No Not One Some"
    " Many Most All Every Each Both Such To By Of Is Are Was Were Do Does Did Have Has Had Can Could Will Would Should May Might Let".split(
        " "
    )
)
"""Words that, with a capital after an abbreviation or an initial, most likely start a sentence."""
