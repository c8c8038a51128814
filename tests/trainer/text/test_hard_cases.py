"""Texts that readers of public voices stumbled over, by class: what is written and what is said."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.text import analyse
from trainer.text.characters import clean

CASES = {
    "a decimal before letters has no full stop inside": [
        ("Wi-Fi 802.11ax and 802.11n", "wi fi eight oh two point eleven a x and eight oh two point eleven n"),
        ("a 2.4ghz band", "a two point four gigahertz band"),
        ("model 7.1b", "model seven point one b"),
        ("a 3.8V6 engine", "a three point eight v six engine"),
        ("use v1.2b", "use version one point two b"),
        ("USB3.0a", "u s b three point zero a"),
        ("5.1ch sound", "five point one c h sound"),
        ("3.0beta", "three point zero beta"),
        ("9.5in wide", "nine point five inches wide"),
        ("2.3x growth", "two point three times growth"),
        ("5.0e-3 kg", "five point zero times ten to the minus three kilograms"),
        ("1.5E-10 m", "one point five times ten to the minus ten meters"),
        ("6.02e23", "six point zero two times ten to the twenty three"),
        ("1.0e-5", "one point zero times ten to the minus five"),
        ("3.0×10^8 m/s", "three point zero times ten to the eight meters per second"),
    ],
    "Roman I before a small letter": [
        ("World War I began", "world war one began"),
        ("a Type I error", "a type one error"),
        ("the Phase I trial", "the phase one trial"),
        ("Chapter I begins", "chapter one begins"),
        ("Act I of the play", "act one of the play"),
        ("Class I drugs", "class one drugs"),
        ("Part I deals with it", "part one deals with it"),
        ("Charles I was beheaded", "charles the first was beheaded"),
        ("Elizabeth I ruled", "elizabeth the first ruled"),
        ("Pope John Paul I died", "pope john paul the first died"),
        ("I told Charles I was late", "i told charles i was late"),
        ("that is the part I like", "that is the part i like"),
    ],
    "a Roman numeral after an abbreviation": [
        ("See Vol. II.", "see volume two."),
        ("See Fig. IV and Ch. IX.", "see figure four and chapter nine."),
        ("Sec. II, No. IV, Art. V", "section two, number four, article five"),
        ("Vols. I-III", "volumes one to three"),
        ("pp. iv–xii and ch. iii", "pages four to twelve and chapter three"),
        ("Pt. II and Bk. III", "part two and book three"),
        ("No. I won't.", "no. i won't."),
        ("section 4(a)(ii)", "section four, a, two,"),
    ],
    "a unit after a fraction or a product": [
        ("3/4 tsp salt", "three quarters of a teaspoon salt"),
        ("2 1/2 lbs of flour", "two and a half pounds of flour"),
        ("1/2 kg", "half a kilogram"),
        ("1/4 in.", "one quarter of an inch."),
        ("1 1/2 hrs", "one and a half hours"),
        ('a 3/16" drill', "a three sixteenths inch drill"),
        ("a 3/4-inch pipe", "a three quarters inch pipe"),
        ("10 x 20 cm", "ten by twenty centimeters"),
        ("5x10mm", "five by ten millimeters"),
        ("2 x 500 mg", "two times five hundred milligrams"),
        ("120/80 mmHg", "one hundred twenty over eighty millimeters of mercury"),
    ],
    "hours and minutes": [
        ("3h 15m 20s", "three hours fifteen minutes twenty seconds"),
        ("1h30m", "one hour thirty minutes"),
        ("2h30", "two hours thirty"),
        ("5m 30s", "five minutes thirty seconds"),
        ("2h", "two hours"),
        ("2.5h", "two point five hours"),
        ("1d 4h", "one day four hours"),
        ("at 19h30", "at nineteen thirty"),
        ("2 hrs. 5 mins. long", "two hours five minutes long"),
        ("90m away", "ninety meters away"),
    ],
    "hyphens in numbers that are no range": [
        ("SSN 123-45-6789", "ssn one two three, four five, six seven eight nine"),
        ("978-3-16-148410-0", "nine seven eight, three, one six, one four eight four one zero, zero"),
        ("CVE-2024-3094", "c v e, twenty twenty four, three zero nine four"),
        ("12345-678", "one two three four five, six seven eight"),
        ("135-4567-8900", "one three five, four five six seven, eight nine zero zero"),
        ("20-1234567", "two zero, one two three four five six seven"),
        ("10-4532-B", "one zero, four five three two, b"),
        ("the season ended 12-4-1", "the season ended twelve, four and one"),
        ("a 5-3-2 formation", "a five, three and two formation"),
        ("3-2 and 21-19", "three to two and twenty one to nineteen"),
        ("20-20000 Hz", "twenty to twenty thousand hertz"),
        ("10-10000 words", "ten to ten thousand words"),
        ("50-1500 m", "fifty to one thousand five hundred meters"),
        ("from 1000-500 BC", "from one thousand to five hundred b c"),
        ("pages 112-119", "pages one hundred twelve to one hundred nineteen"),
        ("1990-1995", "nineteen ninety to nineteen ninety five"),
        ("9am-5pm", "nine a m to five p m"),
        ("12-25-2020", "december twenty fifth, twenty twenty"),
    ],
    "telephones, cards, postcodes": [
        ("07700 900123", "zero seven seven zero zero, nine zero zero one two three"),
        ("+44 (0)20 7946 0958", "plus four four, zero, two zero, seven nine four six, zero nine five eight"),
        ("4111 1111 1111 1111", "four one one one, one one one one, one one one one, one one one one"),
        ("his zip code is 90210", "his zip code is nine zero two one zero"),
        ("Washington, DC 20500", "washington, d c two zero five zero zero"),
        ("Honolulu, HI 96815", "honolulu, h i nine six eight one five"),
        ("212-555-0147 x12", "two one two, five five five, zero one four seven, extension twelve"),
        ("exp. 09/27", "expires zero nine, twenty seven"),
        ("it has 90210 books", "it has ninety thousand two hundred ten books"),
    ],
    "host names": [
        ("huggingface.co", "huggingface dot co"),
        ("x.ai and t.co", "x dot ai and t dot co"),
        ("youtu.be", "youtu dot be"),
        ("example.fr", "example dot f r"),
        ("bit.ly/3x", "bit dot ly slash three x"),
        ("mail.google.co.jp", "mail dot google dot co dot j p"),
        ("python.ai/docs", "python dot ai slash docs"),
        ("See it.Then go.", "see it. then go."),
        ("e.g. this, i.e. that", "for example this, that is that"),
    ],
    "tags and entities": [
        ('Hello <break time="500ms"/> world', "hello, world"),
        ('<emphasis level="strong">you</emphasis>', "you"),
        ('<a href="http://x.com">link</a>', "link"),
        ("a <!-- not said --> b", "a b"),
        ("Tom &amp; Jerry&#39;s &quot;show&quot;&nbsp;now", "tom and jerry's show now"),
        ("un<b>believ</b>able", "unbelievable"),
        ("if 5 < 6 and 7 > 3", "if five less than six and seven more than three"),
    ],
    "capitals that are no word": [
        ("5 p.m. EST", "five p m e s t"),
        ("the COO left", "the c o o left"),
        ("flight BA2490", "flight b a twenty four ninety"),
        ("WWI and WWII", "world war one and world war two"),
        ("iOS 17", "i o s seventeen"),
        ("OK'd", "okayed"),
        ("Portland, OR, is nice", "portland, o r, is nice"),
        ("Well, HI.", "well, hi."),
    ],
    "algebra": [
        ("3x + 2y = 12", "three x plus two y equals twelve"),
        ("y = 2x - 5", "y equals two x minus five"),
        ("x^2 - 4x + 4 = 0", "x to the power of two minus four x plus four equals zero"),
        ("6 × 7", "six times seven"),
        ("5! = 120", "five factorial equals one hundred twenty"),
        ("3x faster", "three times faster"),
    ],
    "European, Swiss and Indian numbers": [
        ("€1.299,00", "one thousand two hundred ninety nine euros"),
        ("1.299,00 €", "one thousand two hundred ninety nine euros"),
        ("12,50 €", "twelve euros and fifty cents"),
        ("3,5%", "three point five percent"),
        ("1.234.567,89", "one million two hundred thirty four thousand five hundred sixty seven point eight nine"),
        ("€1.234,56, then", "one thousand two hundred thirty four euros and fifty six cents, then"),
        ("CHF 1'234.56", "one thousand two hundred thirty four swiss francs and fifty six centimes"),
        ("Rs. 5,00,000", "five hundred thousand rupees"),
        ("₹1.5 lakh crore", "one point five lakh crore rupees"),
        ("1,5 kg and 1 500 kg", "one point five kilograms and one thousand five hundred kilograms"),
        ("1,500 kg", "one thousand five hundred kilograms"),
    ],
    "titles and places": [
        ("Adm. Nelson won.", "admiral nelson won."),
        ("Pvt. Ryan and Cpl. Jones", "private ryan and corporal jones"),
        ("Amb. Kennan, Det. Marple, Insp. Morse", "ambassador kennan, detective marple, inspector morse"),
        ("Rte. 66 to Pt. Reyes", "route sixty six to point reyes"),
        ("Martin Luther King Jr. Blvd. is long", "martin luther king junior boulevard is long"),
        ("Prof. Dr. h.c. Müller", "professor doctor honoris causa muller"),
        ("pls. reply", "please reply"),
    ],
    "others": [
        ("open 24/7/365", "open twenty four seven three sixty five"),
        ("born 01/02/03", "born january second, oh three"),
        ("§ 1983 applies", "section nineteen eighty three applies"),
        ("42 U.S.C. § 1983", "forty two u s c section nineteen eighty three"),
        ("under 42 U.S.C. § 1983, he sued", "under forty two u s c section nineteen eighty three, he sued"),
        ("$5MM", "five million dollars"),
        ("A$5 and HK$5", "five australian dollars and five hong kong dollars"),
        ("$3.99/gal", "three dollars and ninety nine cents per gallon"),
        ("80 mcg", "eighty micrograms"),
        ("1 TiB and 2 MiB", "one tebibyte and two mebibytes"),
        ("2001:0db8::1", "two zero zero one colon zero d b eight colon colon one"),
        ("Dec., Sun. and Sat. in the sun", "december, sunday and saturday in the sun"),
    ],
}


def said(text: str) -> str:
    return " ".join(word.text + word.mark for sentence in analyse(text).sentences for word in sentence.words)


@pytest.mark.parametrize(("written", "spoken"), [pair for pairs in CASES.values() for pair in pairs])
def test_a_hard_text_is_said_as_a_reader_would(written: str, spoken: str) -> None:
    assert said(written) == spoken


@pytest.mark.parametrize(
    ("text", "first_phones"),
    [("He sent his résumé.", ["R", "EH1"]), ("They will resume work.", ["R", "IH0"])],
    ids=["the noun", "the verb"],
)
def test_a_resume_sounds_like_the_noun_or_the_verb_that_it_is(text: str, first_phones: list[str]) -> None:
    word = next(word for sentence in analyse(text).sentences for word in sentence.words if word.text == "resume")
    assert list(word.pronunciations[0][:2]) == first_phones


@given(
    whole=st.integers(0, 9999),
    decimals=st.text("0123456789", min_size=1, max_size=4),
    letters=st.text("abcdefghiklmnopqrstuvwyzABCDV", min_size=1, max_size=4),
)
def test_a_decimal_point_never_ends_a_sentence_whatever_letters_follow(whole: int, decimals: str, letters: str) -> None:
    sentences = analyse(f"It has {whole}.{decimals}{letters} inside").sentences
    assert len(sentences) == 1
    assert not re.search(r"[.!?,]", "".join(word.mark for word in sentences[0].words[:-1]))
    assert "point" in [word.text for word in sentences[0].words]


@given(st.text("<>&;#/!- abx=\"'1", max_size=60))
def test_markup_that_is_none_loses_no_letter(text: str) -> None:
    cleaned, _ = clean(text)
    kept = re.sub(r"</?[A-Za-z][^<>]*>|<!--.*?-->|&[^;&\s]{1,31};", "", text, flags=re.DOTALL)
    assert all(cleaned.count(letter) >= kept.count(letter) for letter in "abx")
