"""What one text ends in: the answer an editor wrote, a choice, a person or small talk, whatever the text."""

import dataclasses
import json
import re
from pathlib import Path

import pytest
import shop
from hypothesis import given, settings
from hypothesis import strategies as st
from small import FRUIT, article, write

from botkit import answer, build, language
from botkit.answer import LEAST_CHOICE, Before, Reply
from botkit.index import Index, Live
from botkit.language import LANGUAGES

KINDS = {"answer", "clarify", "handoff", "smalltalk"}


@pytest.fixture(scope="module")
def index() -> Index:
    """The shop of shop.py: seven articles in three languages."""
    return shop.index()


def visible(html: str) -> str:
    """HTML without the tags that a safe answer may have."""
    return re.sub(r"</?(p|em|strong|div|ul|ol|li|a|h\d|table|thead|tbody|tr|th|td|br)\b[^<>]*>", "", html)


def assert_well_formed(reply: Reply, index: Index) -> None:
    """What holds for every reply."""
    assert reply.kind in KINDS
    assert reply.text.strip()
    assert reply.lang in LANGUAGES
    assert reply.version == index.version
    assert (reply.reason is None) == (reply.kind != "handoff")
    assert (reply.topic is None) == (reply.kind != "smalltalk")
    assert (reply.source is not None) == (reply.kind == "answer" or reply.reason == "policy")
    assert len(reply.options) <= 3
    shares = [option.confidence for option in reply.options]
    assert shares == sorted(shares, reverse=True)
    assert all(0 <= share <= 1 for share in shares)
    if reply.options:
        assert reply.article == reply.options[0].article
        picked = reply.confidence is None and reply.understood is not None
        assert reply.options[0].confidence == (1.0 if picked else reply.confidence)
    json.dumps(reply.as_dict(), ensure_ascii=False).encode("utf-8")


# ---------------------------------------------------------------- the kinds


def test_a_plain_question_gets_the_text_an_editor_wrote(index: Index) -> None:
    """With its source, and the article's own words in text and HTML."""
    reply = answer.reply(index, "track my parcel", lang="en")
    assert_well_formed(reply, index)
    assert (reply.kind, reply.article) == ("answer", "orders/track")
    written = index.article("orders/track", "en")
    assert written is not None
    assert reply.text == written.text
    assert reply.html == written.passages[0].html
    assert reply.source == answer.Source("Where is my order?", "/help/en/orders/track", "en")


def test_nonsense_gets_a_person(index: Index) -> None:
    """Said in words of the page's language, with the reason and the candidates for the agent."""
    reply = answer.reply(index, shop.NONSENSE, lang="tr")
    assert_well_formed(reply, index)
    assert (reply.kind, reply.reason) == ("handoff", "no_answer")
    assert reply.text == language.messages(reply.lang)["bot.handoff_unsure"]
    assert reply.options


@pytest.mark.parametrize(
    "text", ["I want to talk to a person", "bir temsilciyle görüşmek istiyorum", "به اپراتور وصل کن"]
)
def test_a_wish_for_a_person_is_granted_at_once(text: str, index: Index) -> None:
    """Whatever the thresholds."""
    reply = answer.reply(index, text, answer_threshold=1e-9)
    assert_well_formed(reply, index)
    assert (reply.kind, reply.reason) == ("handoff", "customer_request")


@pytest.mark.parametrize(("text", "topic"), [("hello", "greeting"), ("teşekkürler", "thanks"), ("خداحافظ", "goodbye")])
def test_small_talk_is_answered_in_its_language(text: str, topic: str, index: Index) -> None:
    """And is neither an answer nor a miss."""
    reply = answer.reply(index, text, misses=1)
    assert_well_formed(reply, index)
    assert (reply.kind, reply.topic) == ("smalltalk", topic)
    assert reply.text == language.messages(reply.lang)[f"bot.{topic}"]


@pytest.mark.parametrize("text", ["", "?!", "🤔🤔🤔", "😀" * 1000])
def test_a_text_without_a_word_is_asked_for_some(text: str, index: Index) -> None:
    """It is no reason to call a person."""
    reply = answer.reply(index, language.clean(text), lang="tr")
    assert_well_formed(reply, index)
    assert (reply.kind, reply.topic) == ("smalltalk", "wordless")
    assert reply.text == language.messages("tr")["bot.wordless"]


def test_an_article_for_a_person_hands_over_with_its_text(index: Index) -> None:
    """`action: handoff`: the customer reads the article and the agent knows why."""
    reply = answer.reply(index, "I want to make a complaint", lang="en")
    assert_well_formed(reply, index)
    assert (reply.kind, reply.reason, reply.article) == ("handoff", "policy", "complaint")
    assert "order number" in reply.text


# ---------------------------------------------------------------- thresholds and misses

UNSURE = "washing something made of cotton or wool"


def test_thresholds_part_the_kinds(index: Index) -> None:
    """From the answer threshold on an answer, from the other on a choice, below it a person."""
    result = answer.reply(index, UNSURE, lang="en")
    assert result.confidence is not None
    p = result.confidence
    assert p >= LEAST_CHOICE
    at = answer.reply(index, UNSURE, lang="en", answer_threshold=p)
    assert (at.kind, at.article) == ("answer", result.article)
    above = answer.reply(index, UNSURE, lang="en", answer_threshold=min(1.0, p + 1e-3), clarify_threshold=1e-3)
    assert above.kind == "clarify"
    total = sum(o.confidence for o in above.options)
    neither = answer.reply(index, UNSURE, lang="en", answer_threshold=1.0, clarify_threshold=min(1.0, total + 1e-3))
    assert (neither.kind, neither.reason) == ("handoff", "no_answer")


def test_a_threshold_of_nought_is_the_index_s_own(index: Index) -> None:
    """So that settings may leave it alone."""
    own = index.confidence
    for text in (UNSURE, "track my parcel", shop.NONSENSE):
        assert answer.reply(index, text) == answer.reply(
            index, text, answer_threshold=own["answer"], clarify_threshold=own["clarify"]
        )


def test_a_choice_is_of_likely_articles_only(index: Index) -> None:
    """Two or three, each with its title in the customer's language, none less likely than worth offering."""
    known = 0
    for text in (UNSURE, "rug or towel", "wash", "refund or parcel", "order", "money", "cleaning", shop.NONSENSE):
        reply = answer.reply(index, text, lang="en", answer_threshold=1.0, clarify_threshold=1e-6)
        assert_well_formed(reply, index)
        if reply.kind == "clarify":
            known += 1
            assert 2 <= len(reply.options) <= 3
            likely = [option.confidence >= LEAST_CHOICE for option in reply.options]
            assert all(likely) or (likely == [True, False] and reply.options[0].confidence >= 0.5)
            assert reply.source is None
    assert known >= 2


def test_the_second_miss_in_a_row_hands_over(index: Index) -> None:
    """No second choice, and no third apology."""
    once = answer.reply(index, UNSURE, lang="en", answer_threshold=1.0, clarify_threshold=1e-6)
    again = answer.reply(index, UNSURE, lang="en", answer_threshold=1.0, clarify_threshold=1e-6, misses=1)
    assert (once.kind, again.kind, again.reason) == ("clarify", "handoff", "repeated_miss")
    assert again.text == language.messages("en")["bot.handoff_repeated"]
    lost = answer.reply(index, shop.NONSENSE, lang="en", misses=1)
    assert (lost.kind, lost.reason) == ("handoff", "repeated_miss")
    result = answer.reply(index, "track my parcel", lang="en", misses=5)
    assert result.kind == "answer"


# ---------------------------------------------------------------- languages


def test_an_answer_is_in_the_customer_s_language(index: Index) -> None:
    """The question's, whatever the page's."""
    for text, lang in (("kargom nerede", "tr"), ("سفارش من کجاست", "fa"), ("where is my order", "en")):
        for page in (None, "en", "fa"):
            reply = answer.reply(index, text, lang=page)
            assert (reply.kind, reply.article, reply.lang) == ("answer", "orders/track", lang)
            assert reply.source is not None
            assert reply.source.lang == lang
    assert answer.reply(index, "سفارش من کجاست").direction == "rtl"


def test_an_answer_in_another_language_says_so(index: Index) -> None:
    """A note in the customer's language; the text's own language and direction in the HTML."""
    reply = answer.choose(index, "returns/refund", lang="fa")
    assert reply is not None
    note = language.messages("fa")["bot.other_language"]
    assert (reply.lang, reply.direction) == ("fa", "rtl")
    assert reply.text.startswith(note)
    assert "Five to seven working days" in reply.text
    assert '<div lang="en" dir="ltr">' in reply.html
    assert reply.source is not None
    assert reply.source.lang == "en"
    result = answer.reply(index, "geri ödemem ne zaman hesabıma geçer, para iadesi", lang="tr", answer_threshold=1e-6)
    assert result.lang == "tr"
    assert language.messages("tr")["bot.other_language"] in result.text or result.article == "orders/track"


def test_every_language_falls_back_on_every_other(tmp_path: Path) -> None:
    """An article that is in one language alone, asked for in each of the five: labelled where it is a foreign one."""
    languages = ("en", "ar", "tr", "fa", "bg")
    files = {"corpus.toml": f'languages = {json.dumps(languages)}\ndefault_language = "tr"\n'}
    titles = (
        "When is a pear ripe?",
        "متى ينضج الإجاص؟",
        "Armut ne zaman olgunlaşır?",
        "گلابی کی می‌رسد؟",
        "Кога зрее крушата?",
    )
    for lang, title in zip(languages, titles, strict=True):
        files[f"{lang}/only-{lang}.md"] = article(json.dumps(title, ensure_ascii=False), title)
    build.publish(write(tmp_path / "corpus", files), tmp_path / "index")
    opened = Index.open(tmp_path / "index")
    for own in languages:
        for lang in languages:
            reply = answer.choose(opened, f"only-{own}", lang=lang)
            assert reply is not None
            assert reply.source is not None
            assert (reply.lang, reply.source.lang) == (lang, own)
            note = language.messages(lang)["bot.other_language"]
            assert reply.text.startswith(note) == (lang != own)
            assert (f'lang="{own}" dir="{language.direction(own)}"' in reply.html) == (lang != own)


def test_a_page_in_a_language_the_index_lacks_is_no_obstacle(index: Index) -> None:
    """Nor is a code that is none."""
    for lang in ("bg", "xx", "", "en-GB"):
        assert answer.reply(index, "track my parcel", lang=lang).article == "orders/track"


# ---------------------------------------------------------------- the turn before

WASHING = Before("How do I wash a rug?", "care/rug", (), "en")
OFFER = Before("washing something", None, ("care/towel", "care/rug"), "en")


def test_what_says_nothing_by_itself_is_read_with_the_turn_before(index: Index) -> None:
    """And says so; the third turn leans on what the second was understood as."""
    for first, meant in (("How do I wash a rug?", "care/rug"), ("When do I get my money back?", "returns/refund")):
        opening = answer.reply(index, first, lang="en")
        before = Before.of(first, opening)
        assert before == Before(first, meant, (), "en")
        second = answer.reply(index, "and how long does that take?", lang="en", before=before)
        assert_well_formed(second, index)
        assert (second.article, second.understood) == (meant, f"{first} and how long does that take?")
        third = answer.reply(
            index, "is it free then?", lang="en", before=Before.of("and how long does that take?", second, before)
        )
        assert third.article == meant
        assert third.understood == f"{second.understood} is it free then?"
        alone = answer.reply(index, "and how long does that take?", lang="en")
        assert alone.understood is None


@pytest.mark.parametrize("text", ["kargom nerede", "track my parcel please", "پیگیری مرسوله", "how do I wash a towel?"])
def test_what_stands_alone_is_not_polluted(text: str, index: Index) -> None:
    """The same article, as an answer, after anything."""
    alone = answer.reply(index, text)
    assert alone.kind == "answer"
    for before in (WASHING, OFFER, Before("When do I get my money back?", "returns/refund")):
        after = answer.reply(index, text, before=before)
        assert (after.kind, after.article, after.lang) == ("answer", alone.article, alone.lang)
        assert after.understood is None


@pytest.mark.parametrize(
    ("text", "article", "title"),
    [
        ("the second one", "care/rug", "How do I wash a rug?"),
        ("2", "care/rug", "How do I wash a rug?"),
        ("sonuncusu", "care/rug", "How do I wash a rug?"),
        ("اولی", "care/towel", "How do I wash a towel?"),
        ("first please", "care/towel", "How do I wash a towel?"),
        ("the towel", "care/towel", "How do I wash a towel?"),
    ],
)
def test_a_choice_may_be_made_in_words(text: str, article: str, title: str, index: Index) -> None:
    """By its place, in any language, or by a word that only its title has; the customer said so, hence no number."""
    reply = answer.reply(index, text, lang="en", before=OFFER)
    assert_well_formed(reply, index)
    assert (reply.kind, reply.article, reply.confidence, reply.understood) == ("answer", article, None, title)


@pytest.mark.parametrize("text", ["the third one", "where is the second parcel of my order", "wash"])
def test_what_picks_none_is_asked_like_any_text(text: str, index: Index) -> None:
    """A place that was not offered, a place in a question, a word of both titles."""
    reply = answer.reply(index, text, lang="en", before=OFFER)
    assert_well_formed(reply, index)
    assert reply.confidence is not None


@pytest.mark.parametrize("text", ["none of these", "hiçbiri", "هیچ‌کدام"])
def test_who_wants_none_of_them_gets_a_person(text: str, index: Index) -> None:
    """As after a second miss. Without an offer it refuses nothing."""
    reply = answer.reply(index, text, lang="en", before=OFFER)
    assert (reply.kind, reply.reason) == ("handoff", "repeated_miss")
    assert answer.reply(index, text, lang="en", before=WASHING).reason != "repeated_miss"


def test_small_talk_between_changes_nothing(index: Index) -> None:
    """Thanks do not close a subject, nor is a wish for a person read with it."""
    thanks = answer.reply(index, "thanks", before=WASHING)
    assert (thanks.kind, thanks.understood) == ("smalltalk", None)
    assert Before.of("thanks", thanks, WASHING) is WASHING
    person = answer.reply(index, "I want to talk to a person", before=OFFER)
    assert (person.kind, person.reason) == ("handoff", "customer_request")


def test_an_option_that_is_gone_is_not_picked(live: Live) -> None:
    """Neither one that is not there nor one for agents."""
    for gone in ("nothing", "returns/staff"):
        reply = answer.reply(live.current(), "the first one", lang="en", before=Before("x", None, (gone,), "en"))
        assert reply.article != gone
        assert reply.source is None or reply.confidence is not None


def test_the_language_spoken_before_decides_where_a_text_does_not(index: Index) -> None:
    """Rather than the page's; a plain text in another one is answered in its own."""
    for spoken in index.languages:
        before = Before("...", None, (), spoken)
        for text in ("?", "48213", "ok"):
            assert answer.reply(index, text, lang="en", before=before).lang == spoken
        assert answer.reply(index, "kargom nerede", lang="en", before=before).lang == "tr"
        assert answer.reply(index, "سفارش من کجاست", lang="tr", before=before).lang == "fa"


@pytest.mark.parametrize(
    ("text", "page", "lang"),
    [
        ("where is my sipariş", "tr", "en"),
        ("where is my siparis", None, "en"),
        ("benim order nerede", "en", "tr"),
        ("tracking numarası nerede", "en", "tr"),
        ("سفارش order من کجاست", "en", "fa"),
    ],
)
def test_two_languages_in_one_text_are_answered_in_that_of_its_frame(
    text: str, page: str | None, lang: str, index: Index
) -> None:
    assert answer.reply(index, text, lang=page).lang == lang


PHRASINGS = [(a.id, a.lang, p) for code in ("en", "tr", "fa") for a in shop.index().articles(code) for p in a.phrasings]
SOME_BEFORE = st.builds(
    Before,
    text=st.sampled_from(["", "How do I wash a rug?", "and how long?", "kargom nerede", shop.NONSENSE, "x " * 300]),
    article=st.sampled_from([None, "care/rug", "orders/track", "nothing"]),
    options=st.lists(st.sampled_from(["care/rug", "care/towel", "orders/track", "gone", ""]), max_size=4).map(tuple),
    lang=st.sampled_from([None, "en", "tr", "fa", "xx"]),
)


@settings(max_examples=80)
@given(st.sampled_from(PHRASINGS), SOME_BEFORE)
def test_a_phrasing_to_the_letter_is_answered_as_if_alone(row: tuple[str, str, str], before: Before) -> None:
    """Whatever was said before; only the language may follow the conversation's."""
    article, lang, text = row
    alone = answer.reply(shop.index(), text, lang=lang)
    after = answer.reply(shop.index(), text, lang=lang, before=before)
    assert (after.kind, after.article, after.understood) == (alone.kind, article, None)
    if before.lang in (None, "xx", lang):
        assert (after.text, after.source, after.lang) == (alone.text, alone.source, alone.lang)
        assert [o.article for o in after.options][:1] == [article]


@settings(max_examples=60)
@given(st.text(st.characters(), max_size=60), SOME_BEFORE, st.sampled_from([None, "en", "tr", "xx"]))
def test_any_text_after_any_turn_gets_a_reply(text: str, before: Before, lang: str | None) -> None:
    """Whole, and the same again."""
    cleaned = language.clean(text)
    reply = answer.reply(shop.index(), cleaned, lang=lang, before=before)
    assert_well_formed(reply, shop.index())
    if reply.confidence is None and reply.understood is not None:  # picked, not found
        assert reply.article in before.options
    assert reply == answer.reply(shop.index(), cleaned, lang=lang, before=before)


# ---------------------------------------------------------------- a choice made


def test_a_choice_made_gets_its_article(index: Index) -> None:
    """Surely, and without a probability: the customer said so."""
    reply = answer.choose(index, "care/rug", lang="en")
    assert reply is not None
    assert (reply.kind, reply.article, reply.text, reply.confidence) == (
        "answer",
        "care/rug",
        "By hand, in cold water.",
        None,
    )
    complaint = answer.choose(index, "complaint", lang="en")
    assert complaint is not None
    assert (complaint.kind, complaint.reason) == ("handoff", "policy")


@pytest.mark.parametrize("chosen", ["nothing", "", "../x", "returns/staff"])
def test_what_is_no_choice_is_none(chosen: str, live: Live) -> None:
    """An id that is not there, and an article for agents."""
    assert answer.choose(live.current(), chosen, lang="en") is None


def test_a_long_article_is_answered_by_the_passage_that_fits(live: Live) -> None:
    """With a link to its anchor; a choice by hand shows the article's beginning."""
    reply = answer.reply(live.current(), "how do I make the return label", lang="en", answer_threshold=1e-6)
    assert reply.article == "returns/how-to-return"
    assert reply.source is not None
    assert reply.source.url == "/help/en/returns/how-to-return#make-the-label"
    assert "Print the label" in reply.text
    assert "post office and keep the receipt" not in reply.text
    chosen = answer.choose(live.current(), "returns/how-to-return", lang="en")
    assert chosen is not None
    assert chosen.text == "You have 30 days to send back anything unused in its box."


# ---------------------------------------------------------------- many at once, and why


def test_many_texts_are_answered_as_each_by_itself(index: Index) -> None:
    """Each with the language of its own page."""
    texts, pages = ["track my parcel", "hello", shop.NONSENSE, "kargom nerede"], ["en", "tr", None, "fa"]
    expected = [answer.reply(index, text, lang=page) for text, page in zip(texts, pages, strict=True)]
    assert answer.replies(index, texts, lang=pages) == expected
    assert answer.replies(index, []) == []
    before = [None, OFFER, WASHING, OFFER]
    expected = [
        answer.reply(index, text, lang=page, before=turn) for text, page, turn in zip(texts, pages, before, strict=True)
    ]
    assert answer.replies(index, texts, lang=pages, before=before) == expected


def test_an_explanation_lists_what_weighs_most_first(index: Index) -> None:
    """The parts that sum to the log-odds, each in words."""
    parts = answer.explain(index, "track my parcel")
    weights = [abs(each.log_odds) for each in parts]
    assert weights == sorted(weights, reverse=True)
    assert "intercept" in {each.name for each in parts}
    assert all(each.meaning for each in parts)
    dense = next(each for each in parts if each.name == "dense")
    assert dense.value == index.search("track my parcel").hits[0].dense
    assert answer.explain(index, "track my parcel", lang="en") != []


# ---------------------------------------------------------------- hostile texts

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)> track my parcel',
    "{{7*7}} ${jndi:ldap://x} %s %n {0}",
    "'; DROP TABLE event; --",
    "\u202egnp.exe",
    "a" * 4000,
    "track my parcel " * 250,
    "ا" * 4000,
    "👩‍👩‍👧‍👦" * 500,
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞",
    "\ud800 lone \udfff surrogates",
    "nul\x00nul",
    "(" * 2000,
    "talk to " * 500,
    "با " * 1000,
    "../../etc/passwd",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("threshold", [0.0, 1e-9, 1.0])
def test_no_hostile_text_gets_more_than_a_reply(text: str, threshold: float, index: Index) -> None:
    """Cleaned or not; nothing of it stands in the HTML."""
    for given_text in (text, language.clean(text)):
        reply = answer.reply(index, given_text, lang="en", answer_threshold=threshold, clarify_threshold=threshold)
        assert_well_formed(reply, index)
        assert "<" not in visible(reply.html)
        assert "alert(1)" not in reply.html


@settings(max_examples=60)
@given(st.text(st.characters(), max_size=80), st.sampled_from([None, "en", "tr", "fa", "xx"]), st.integers(0, 3))
def test_any_text_gets_a_reply(text: str, lang: str | None, misses: int) -> None:
    """Of one of the four kinds, whole and ready for JSON."""
    reply = answer.reply(shop.index(), language.clean(text), lang=lang, misses=misses)
    assert_well_formed(reply, shop.index())
    assert reply == answer.reply(shop.index(), language.clean(text), lang=lang, misses=misses)


def test_titles_and_texts_are_escaped_in_html(tmp_path_factory: pytest.TempPathFactory) -> None:
    """An editor's angle bracket is a character."""
    folder = tmp_path_factory.mktemp("escape")
    files = {
        **FRUIT,
        "en/lt.md": article('"<b>Bold</b> & brave?"', ""),
        "en/h.md": article("Head", "x\n\n## <i>a</i>\n\ny"),
    }
    build.publish(write(folder / "corpus", files), folder / "index")
    opened = Index.open(folder / "index")
    bare, headed = (answer.choose(opened, name, lang="en") for name in ("lt", "h"))
    assert bare is not None
    assert headed is not None
    assert bare.html == "<p>&lt;b&gt;Bold&lt;/b&gt; &amp; brave?</p>"
    assert "&lt;i&gt;a&lt;/i&gt;" in headed.html
    assert "<i>" not in headed.html


def test_a_reply_is_a_value() -> None:
    """Frozen, so that a thread may keep it."""
    reply = answer.reply(shop.index(), "hello")
    with pytest.raises(dataclasses.FrozenInstanceError):
        reply.kind = "answer"  # type: ignore[misc]
