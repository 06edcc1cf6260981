"""A customer's turn: what is recorded, when the bot answers and when it is silent, and what survives anything."""

import re
import signal
import string
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import shop
from moving import Clock
from shop import NONSENSE

from botkit import accounts, chat, desk, language
from botkit.accounts import Agent
from botkit.chat import MessageError, Turn
from botkit.index import Index
from botkit.store import Event, Store

BOTH = pytest.mark.databases("sqlite", "postgresql")
CLARIFY = {"answer_threshold": 0.999, "clarify_threshold": 0.01}  # ask back whatever the model thinks
UNSURE = {"answer_threshold": 1.0, "clarify_threshold": 1.0}  # hand over whatever the model thinks


@pytest.fixture(scope="module")
def index() -> Index:
    return shop.index()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mina(store: Store) -> Agent:
    return accounts.add_agent(store, "Mina", "agent", "copper pan and cezve")


class Customer:
    """Somebody at the widget: writes, picks, presses buttons."""

    def __init__(self, store: Store, index: Index, lang: str | None = "en", page: str | None = "/orders/17") -> None:
        self.store, self.index, self.sent = store, index, 0
        self.id, self.token = vars(chat.start(store, lang, page, index.languages)).values()

    def say(self, text: str, **more: Any) -> Turn:
        self.sent += 1
        return chat.say(self.store, self.index, self.id, f"m{self.sent}", text, **more)

    def ask(self, text: str, **more: Any) -> dict[str, Any]:
        reply = self.say(text, **more).reply
        assert reply is not None
        return reply

    def person(self) -> Turn:
        return chat.request_person(self.store, self.index, self.id)

    def rate(self, reply: dict[str, Any], helpful: bool) -> dict[str, Any]:
        return chat.feedback(self.store, self.index, self.id, reply["id"], helpful)

    def log(self) -> list[Event]:
        with self.store.read() as conn:
            return self.store.events(conn, self.id)

    def kinds(self) -> list[str]:
        return [event.kind for event in self.log()]

    def ticket(self) -> desk.Ticket:
        (ticket,) = [t for t in desk.queue(self.store) if t.conversation == self.id and t.state != "closed"]
        return ticket


@pytest.fixture
def customer(store: Store, index: Index) -> Customer:
    return Customer(store, index)


# ---------------------------------------------------------------- a conversation


def test_the_token_of_a_conversation_opens_that_one_alone(customer: Customer, store: Store, index: Index) -> None:
    opened = chat.conversation(store, customer.id, customer.token)
    assert (opened.id, opened.lang, opened.page, opened.last_seq) == (customer.id, "en", "/orders/17", 1)
    other = Customer(store, index)
    with pytest.raises(chat.Forbidden):
        chat.conversation(store, customer.id, other.token)
    with pytest.raises(chat.NotFound):
        chat.conversation(store, "0" * 32, customer.token)


@BOTH
@BOTH
@pytest.mark.parametrize(
    ("lang", "kept"), [("tr", "tr"), ("tr-TR", "tr"), ("FA_ir", "fa"), ("de", None), ("", None), (None, None)]
)
def test_a_language_that_the_shop_does_not_speak_is_left_open(
    store: Store, index: Index, lang: str | None, kept: str | None
) -> None:
    started = chat.start(store, lang, None, index.languages)
    assert chat.conversation(store, started.id, started.token).lang == kept


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        ("/orders/17?email=a@b.c#top", "/orders/17"),
        ("https://shop.example/cart?token=secret", "/cart"),
        ("https://shop.example", "/"),
        ("/ürün/çanta\u202e", "/ürün/çanta"),
        ("x" * 9000, "x" * 500),
        (None, None),
    ],
)
def test_of_the_page_only_the_path_is_kept(store: Store, page: str | None, kept: str | None) -> None:
    started = chat.start(store, "en", page)
    assert chat.conversation(store, started.id, started.token).page == kept


# ---------------------------------------------------------------- a turn


def test_a_question_is_answered_from_the_article_and_recorded(customer: Customer) -> None:
    turn = customer.say("Where is my order?")
    assert turn.message == {"text": "Where is my order?", "client_id": "m1", "seq": 2, "at": "2026-11-20T12:00:00.000Z"}
    reply = turn.reply
    assert reply is not None
    assert (reply["kind"], reply["article"], reply["id"], reply["to"]) == ("answer", "orders/track", "r3", 2)
    assert reply["text"].startswith("Open My orders")
    assert reply["source"]["url"] == "/help/en/orders/track"
    recorded = customer.log()[-1]
    assert (recorded.kind, recorded.actor) == ("reply", "bot")
    assert recorded.data.options[0].article == "orders/track"
    assert 0.0 < recorded.data.options[0].confidence <= 1.0
    assert customer.kinds() == ["conversation.opened", "message", "reply"]


@pytest.mark.parametrize(("lang", "text"), [("tr", "kargom nerede"), ("fa", "پیگیری مرسوله"), (None, "kargom nerede")])
def test_every_language_is_answered_in_itself(store: Store, index: Index, lang: str | None, text: str) -> None:
    reply = Customer(store, index, lang).ask(text)
    assert (reply["kind"], reply["article"]) == ("answer", "orders/track")
    assert reply["lang"] == (lang or "tr")
    assert reply["direction"] == ("rtl" if lang == "fa" else "ltr")


def test_the_same_client_id_gives_the_first_turn_again_and_stores_nothing(customer: Customer, mina: Agent) -> None:
    def again(text: str) -> Turn:
        return chat.say(customer.store, customer.index, customer.id, "m1", text)

    first = customer.say("Where is my order?")
    assert again("Where is my order?") == first
    customer.person()
    assert again("something else") == first
    ticket = customer.ticket()
    desk.claim(customer.store, ticket.id, mina)
    desk.close(customer.store, ticket.id, mina, "solved")
    assert again("Where is my order?") == first
    assert customer.kinds().count("message") == 1


def test_two_customers_may_use_the_same_client_id(store: Store, index: Index) -> None:
    one, two = Customer(store, index), Customer(store, index)
    assert one.say("Where is my order?").message == two.say("Where is my order?").message
    assert one.kinds() == two.kinds()


@BOTH
def test_fifty_copies_of_one_message_at_once_are_one_row_and_one_reply(customer: Customer) -> None:
    gate = threading.Barrier(50)
    turns: list[Turn] = []

    def send() -> None:
        gate.wait()
        turns.append(chat.say(customer.store, customer.index, customer.id, "m1", NONSENSE, **UNSURE))

    in_threads([send] * 50)
    assert len(turns) == 50
    assert all(turn == turns[0] for turn in turns)
    assert customer.kinds() == ["conversation.opened", "message", "reply", "ticket.opened"]


@BOTH
def test_different_messages_at_once_open_one_ticket_and_then_the_bot_is_silent(customer: Customer) -> None:
    gate = threading.Barrier(12)

    def send(n: int) -> None:
        gate.wait()
        chat.say(customer.store, customer.index, customer.id, f"m{n}", f"{NONSENSE} {n}", **UNSURE)

    in_threads([lambda n=n: send(n) for n in range(12)])
    kinds = customer.kinds()
    assert kinds[:4] == ["conversation.opened", "message", "reply", "ticket.opened"]
    assert kinds[4:] == ["message"] * 11


def test_a_killed_server_loses_and_doubles_nothing_that_it_acknowledged(tmp_path: Path, index: Index) -> None:
    """Acknowledged means stored, a message is stored with its reply, and what is sent again is not stored again."""
    code = """
import sys
from botkit import chat
from botkit.index import Index
from botkit.store import Store
url, folder, conversation_id, begin = sys.argv[1:]
store, index = Store(url), Index.open(folder)
for n in range(int(begin), 100_000):
    turn = chat.say(store, index, conversation_id, f"k{n}", f"Where is my order {n}?", answer_threshold=0.0001)
    print(n, turn.message["seq"], turn.reply["seq"], flush=True)
"""
    url = f"sqlite:///{tmp_path}/record.db"
    store = Store(url)
    store.migrate()
    customer = Customer(store, index)
    acknowledged: dict[int, tuple[int, int]] = {}
    for enough in (3, 17, 40):
        begin = max(acknowledged, default=-1) + 1
        command = [sys.executable, "-c", code, url, str(shop.folder()), customer.id, str(begin)]
        root = Path(__file__).parent.parent
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as server:
            assert server.stdout is not None
            for line in server.stdout:
                if line.endswith("\n") and line.count(" ") == 2:
                    n, message_seq, reply_seq = map(int, line.split())
                    acknowledged[n] = (message_seq, reply_seq)
                if len(acknowledged) >= enough:
                    server.send_signal(signal.SIGKILL)
        assert server.returncode == -signal.SIGKILL

    with store.read() as conn:
        assert conn.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert conn.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    before = customer.log()
    assert [event.seq for event in before] == list(range(1, len(before) + 1))
    messages = {int(event.data.client_id[1:]): event.seq for event in before if event.kind == "message"}
    replies = {event.data.to: event.seq for event in before if event.kind == "reply"}
    assert len(messages) == len(replies) == sum(event.kind == "message" for event in before)
    for n, seqs in acknowledged.items():
        assert (messages[n], replies[messages[n]]) == seqs
    for n, seq in messages.items():
        turn = chat.say(store, index, customer.id, f"k{n}", f"Where is my order {n}?", answer_threshold=0.0001)
        assert turn.message is not None
        assert turn.reply is not None
        assert (turn.message["seq"], turn.reply["seq"]) == (seq, replies[seq])
    assert customer.log() == before
    store.close()


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "empty"), ("  \n\t", "empty"), ("\u200b\u202e\x00\ud800", "empty"), ("x" * 4001, "too_long")],
)
def test_a_text_that_is_none_is_refused_and_not_stored(customer: Customer, text: str, code: str) -> None:
    with pytest.raises(MessageError) as caught:
        customer.say(text)
    assert (caught.value.code, caught.value.field) == (code, "text")
    assert customer.kinds() == ["conversation.opened"]


@pytest.mark.parametrize("client_id", ["", "a b", "x" * 65, "<b>"])
def test_a_client_id_that_is_none_is_refused(customer: Customer, client_id: str) -> None:
    with pytest.raises(MessageError) as caught:
        chat.say(customer.store, customer.index, customer.id, client_id, "Where is my order?")
    assert caught.value.field == "client_id"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a\x00b\ud800c\u202ed",
        "' OR 1=1; DROP TABLE event; --",
        "{message} %s ${x} \\",
        "🙂" * 200,
        "?" * 500,
        "ابپ" * 50,
    ],
)
def test_hostile_texts_are_stored_as_they_are_cleaned(customer: Customer, text: str) -> None:
    turn = customer.say(text, choice="../../etc/passwd\x00")
    assert turn.message is not None
    assert turn.message["text"] == language.clean(text)
    assert turn.reply is not None
    assert "<script" not in turn.reply["html"]


def test_a_message_to_no_conversation_is_not_found(store: Store, index: Index) -> None:
    for step in (
        lambda: chat.say(store, index, "nobody", "m1", "Hello"),
        lambda: chat.request_person(store, index, "nobody"),
        lambda: chat.feedback(store, index, "nobody", "r3", True),
    ):
        with pytest.raises(chat.NotFound):
            step()


# ---------------------------------------------------------------- choices and misses


def test_a_choice_is_answered_by_exactly_that_article(customer: Customer) -> None:
    asked = customer.ask("wash", **CLARIFY)
    assert asked["kind"] == "clarify"
    offered = {option["article"]: option["title"] for option in asked["options"]}
    assert set(list(offered)[:2]) == {"care/rug", "care/towel"}
    reply = customer.ask(offered["care/towel"], choice="care/towel")
    assert (reply["kind"], reply["article"], reply["text"]) == (
        "answer",
        "care/towel",
        "In the machine, at 60 degrees.",
    )
    assert customer.log()[-2].data.choice == "care/towel"


def test_a_choice_that_is_gone_is_asked_like_any_text(customer: Customer) -> None:
    assert customer.ask("Where is my order?", choice="orders/gone")["article"] == "orders/track"


def test_a_choice_that_a_person_must_take_hands_over(customer: Customer) -> None:
    reply = customer.ask("I want to make a complaint", choice="complaint")
    assert (reply["kind"], reply["reason"]) == ("handoff", "policy")
    assert customer.ticket().reason == "policy"


def test_a_second_miss_in_a_row_hands_over(customer: Customer) -> None:
    assert customer.ask("wash", **CLARIFY)["kind"] == "clarify"
    assert customer.ask("thanks")["kind"] == "smalltalk"
    reply = customer.ask("wash", **CLARIFY)
    assert (reply["kind"], reply["reason"]) == ("handoff", "repeated_miss")


@pytest.mark.parametrize("between", ["answer", "choice", "a day", "a ticket"])
def test_a_miss_is_forgotten_after(customer: Customer, clock: Clock, mina: Agent, between: str) -> None:
    assert customer.ask("wash", **CLARIFY)["kind"] == "clarify"
    if between == "answer":
        assert customer.ask("Where is my order?")["kind"] == "answer"
    elif between == "choice":
        assert customer.ask("How do I wash a rug?", choice="care/rug")["kind"] == "answer"
    elif between == "a day":
        clock.forward(hours=25)
    else:
        customer.person()
        ticket = desk.claim(customer.store, customer.ticket().id, mina)
        desk.close(customer.store, ticket.id, mina, "solved")
    assert customer.ask("wash", **CLARIFY)["kind"] == "clarify"


# ---------------------------------------------------------------- what went before


def understood(customer: Customer) -> Any:
    """How the last message was read, from the record."""
    return [event.stored for event in customer.log() if event.kind == "reply"][-1]["understood"]


@BOTH
def test_three_turns_are_one_matter(customer: Customer) -> None:
    """Each leans on the one before as that was understood, with thanks in between; the record says how."""
    assert customer.ask("How do I wash a rug?")["article"] == "care/rug"
    assert understood(customer) is None
    assert customer.ask("thanks")["kind"] == "smalltalk"
    assert customer.ask("and how long does that take?")["article"] == "care/rug"
    assert understood(customer) == "How do I wash a rug? and how long does that take?"
    assert customer.ask("is it free then?")["article"] == "care/rug"
    assert understood(customer) == "How do I wash a rug? and how long does that take? is it free then?"
    shown = chat.view(customer.log()[-1], "customer")
    assert shown is not None
    assert "understood" not in shown["data"]


def test_a_new_question_is_a_new_matter(customer: Customer) -> None:
    customer.ask("How do I wash a rug?")
    assert customer.ask("track my parcel please")["article"] == "orders/track"
    assert understood(customer) is None
    assert customer.ask("and when does it come?")["article"] == "orders/track"


@pytest.mark.parametrize("between", ["a day", "a ticket", "nothing was asked"])
def test_an_old_or_closed_matter_is_no_context(
    customer: Customer, clock: Clock, mina: Agent, between: str, store: Store, index: Index
) -> None:
    customer.ask("How do I wash a rug?")
    if between == "a day":
        clock.forward(hours=25)
    elif between == "a ticket":
        customer.person()
        ticket = desk.claim(customer.store, customer.ticket().id, mina)
        desk.close(customer.store, ticket.id, mina, "solved")
    else:
        customer = Customer(store, index)
    customer.ask("and how long does that take?")
    assert understood(customer) is None


@pytest.mark.parametrize("words", ["the second one", "2", "ikincisi", "the last"])
def test_a_choice_may_be_made_in_words(customer: Customer, words: str) -> None:
    offer = customer.ask("wash something", **CLARIFY)
    assert offer["kind"] == "clarify"
    wanted = offer["options"][-1 if words == "the last" else 1]
    chosen = customer.ask(words, **CLARIFY)
    assert (chosen["kind"], chosen["article"]) == ("answer", wanted["article"])
    assert understood(customer) == wanted["title"]


def test_what_is_offered_after_a_disliked_answer_may_be_picked_in_words(customer: Customer) -> None:
    answered = customer.ask("clean a rug or a towel", answer_threshold=0.01)
    offer = customer.rate(answered, False)["reply"]
    assert offer["kind"] == "clarify"
    chosen = customer.ask("the first one")
    assert (chosen["kind"], chosen["article"]) == ("answer", offer["options"][0]["article"])


def test_none_of_the_choices_brings_a_person(customer: Customer) -> None:
    assert customer.ask("wash something", **CLARIFY)["kind"] == "clarify"
    reply = customer.ask("none of these", **CLARIFY)
    assert (reply["kind"], reply["reason"]) == ("handoff", "repeated_miss")
    assert customer.ticket().reason == "repeated_miss"


def test_a_conversation_goes_on_in_the_language_that_was_spoken(store: Store, index: Index) -> None:
    """Where the words do not tell, it is not the page's."""
    customer = Customer(store, index, lang="en")
    assert customer.ask("kargom nerede")["lang"] == "tr"
    assert customer.ask("48213")["lang"] == "tr"
    assert customer.ask("where is my order")["lang"] == "en"


# ---------------------------------------------------------------- handing over


def test_a_handover_opens_a_ticket_with_all_that_an_agent_needs(customer: Customer, clock: Clock) -> None:
    reply = customer.ask("Where is my orange cat?", **UNSURE)
    assert reply["kind"] == "handoff"
    assert customer.kinds()[-3:] == ["message", "reply", "ticket.opened"]
    clock.forward(seconds=75)
    handover = desk.ticket(customer.store, customer.ticket().id, customer.index)
    assert (handover.ticket.reason, handover.ticket.lang, handover.ticket.page) == ("no_answer", "en", "/orders/17")
    assert (handover.ticket.waited, handover.ticket.last_text) == (75, "Where is my orange cat?")
    assert [event.kind for event in handover.transcript] == customer.kinds()
    best = handover.ticket.candidates[0]
    assert handover.suggestions[0].article == best.article
    assert handover.suggestions[0].title == best.title
    assert 0 <= best.confidence <= 1
    assert handover.suggestions[0].text
    assert handover.as_dict()["candidates"] == [each.as_json() for each in handover.ticket.candidates]


def test_while_a_person_is_in_charge_the_bot_is_silent_and_afterwards_answers(customer: Customer, mina: Agent) -> None:
    customer.ask("I want to make a complaint")
    assert customer.say("Where is my order?").reply is None
    ticket = desk.claim(customer.store, customer.ticket().id, mina)
    assert customer.say("Where is my order?").reply is None
    desk.say(customer.store, ticket.id, mina, "a1", "I am looking.")
    desk.close(customer.store, ticket.id, mina, "solved")
    assert customer.ask("Where is my order?")["kind"] == "answer"


def test_a_person_is_given_at_once_and_only_once(customer: Customer, store: Store, index: Index, mina: Agent) -> None:
    Customer(store, index).person()
    customer.ask("Where is my order?")
    reply = customer.person().reply
    assert reply is not None
    assert (reply["kind"], reply["reason"], reply["queue"]["position"]) == ("handoff", "customer_request", 2)
    assert "number 2" in reply["text"]
    ticket = customer.ticket()
    assert ticket.candidates[0].article == "orders/track"
    first_in_line = desk.queue(store)[0]
    desk.claim(store, first_in_line.id, mina)
    again = customer.person().reply
    assert again is not None
    assert again["queue"]["position"] == 1
    assert again["id"] == reply["id"]
    assert customer.kinds().count("ticket.opened") == 1


def test_asking_for_a_person_in_words_hands_over_with_what_was_asked_before(customer: Customer) -> None:
    customer.ask("Where is my order?")
    reply = customer.ask("can I speak to a human please")
    assert (reply["kind"], reply["reason"]) == ("handoff", "customer_request")
    assert customer.ticket().candidates[0].article == "orders/track"


def test_in_opening_hours_the_customer_learns_the_place_and_the_wait(
    store: Store, index: Index, clock: Clock, mina: Agent
) -> None:
    reply = Customer(store, index).person().reply
    assert reply is not None
    assert reply["queue"] == {
        "position": 1,
        "open_now": True,
        "next_open": None,
        "wait_seconds": None,
        "hours": "Mon-Fri 9-17",
        "email": "help@shop.example",
        "phone": "020 7946 0150",
    }
    assert reply["text"].endswith("You are next in line.")
    assert reply["html"].endswith("<p>You are next in line.</p>")
    for _ in range(2):
        Customer(store, index).person()
    clock.forward(minutes=4)
    for ticket in desk.queue(store):
        desk.claim(store, ticket.id, mina)
    later = Customer(store, index).person().reply
    assert later is not None
    assert later["queue"]["wait_seconds"] == 240
    assert "about 4 minutes" in later["text"]


@pytest.mark.parametrize(
    ("lang", "hours", "says"),
    [
        ("en", -5, "We are back today at 09:00 (UTC)"),
        ("en", 10, "We are back on Monday at 09:00"),
        ("en", 50, "We are back tomorrow at 09:00"),
        ("tr", 10, "Pazartesi günü saat 09:00"),
        ("fa", 10, "دوشنبه ساعت ۹:۰۰ (UTC)"),
    ],
)
def test_outside_opening_hours_nobody_is_promised_before_the_team_is_back(
    store: Store, index: Index, clock: Clock, lang: str, hours: int, says: str
) -> None:
    clock.forward(hours=hours)
    reply = Customer(store, index, lang).person().reply
    assert reply is not None
    assert reply["queue"]["open_now"] is False
    assert re.fullmatch(r"2026-11-2[03]T09:00\+00:00", reply["queue"]["next_open"])
    assert says in reply["text"]
    assert says in reply["html"]
    assert "help@shop.example" in reply["text"]
    assert "020 7946 0150" in reply["text"]
    assert "number 1" not in reply["text"]
    assert "next in line" not in reply["text"]
    assert language.messages(lang)["bot.handoff_request"] not in reply["text"]


def test_every_language_has_the_same_texts_with_the_same_places() -> None:
    def places(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    def texts(lang: str) -> dict[str, str]:
        """Those of the chat that count nothing; the others are test_formatting's."""
        return {key: text for key, text in language.messages(lang).items() if re.fullmatch(r"chat\.\w+", key)}

    english = texts("en")
    assert len(english) > 15
    for lang in language.LANGUAGES:
        own = texts(lang)
        assert own.keys() == english.keys()
        assert {key: places(text) for key, text in own.items()} == {k: places(text) for k, text in english.items()}
        assert all(own.values())


# ---------------------------------------------------------------- feedback


@BOTH
def test_feedback_is_stored_once_and_may_change(customer: Customer) -> None:
    answer = customer.ask("Where is my order?")
    expected = {"reply_id": answer["id"], "helpful": True, "reply": None}
    assert customer.rate(answer, True) == expected
    assert customer.rate(answer, True) == expected
    assert [event.stored for event in customer.log() if event.kind == "feedback"] == [
        {"reply_id": answer["id"], "helpful": True}
    ]
    assert customer.rate(answer, False)["reply"]["reason"] == "negative_feedback"


def test_a_disliked_answer_without_another_candidate_brings_a_person(customer: Customer) -> None:
    answer = customer.ask("Where is my order?", choice="orders/track")
    result = customer.rate(answer, False)
    assert (result["reply"]["kind"], result["reply"]["reason"]) == ("handoff", "negative_feedback")
    assert customer.ticket().reason == "negative_feedback"
    assert customer.rate(answer, False) == result
    assert customer.kinds().count("feedback") == 1
    assert customer.kinds().count("ticket.opened") == 1


def test_a_disliked_answer_with_another_candidate_brings_a_choice_and_the_next_one_a_person(
    customer: Customer,
) -> None:
    answer = customer.ask("wash", answer_threshold=0.0001)
    assert answer["kind"] == "answer"
    first = customer.rate(answer, False)["reply"]
    assert first["kind"] == "clarify"
    assert answer["article"] not in [option["article"] for option in first["options"]]
    picked = first["options"][0]
    second = customer.ask(picked["title"], choice=picked["article"])
    assert customer.rate(second, False)["reply"]["reason"] == "negative_feedback"


def test_feedback_while_a_person_is_in_charge_is_only_noted(customer: Customer) -> None:
    answer = customer.ask("Where is my order?")
    customer.person()
    assert customer.rate(answer, False)["reply"] is None
    assert customer.kinds().count("ticket.opened") == 1


def test_feedback_needs_an_answer_of_this_conversation(customer: Customer, store: Store, index: Index) -> None:
    greeting = customer.ask("hello")
    assert greeting["kind"] == "smalltalk"
    Customer(store, index).ask("Where is my order?")
    for reply_id in (greeting["id"], "r2", "r99", "r0", "", "rr", "r1; DROP TABLE event", "r" + "9" * 50):
        with pytest.raises(chat.NotFound):
            chat.feedback(store, index, customer.id, reply_id, True)


# ---------------------------------------------------------------- what each side sees


def test_the_customer_never_sees_notes_names_or_candidates(customer: Customer, mina: Agent) -> None:
    customer.ask("Where is my order?")
    customer.ask("wash", **CLARIFY)
    customer.person()
    ticket = desk.claim(customer.store, customer.ticket().id, mina)
    desk.note(customer.store, ticket.id, mina, "a difficult customer")
    desk.say(customer.store, ticket.id, mina, "a1", "How can I help?")
    desk.close(customer.store, ticket.id, mina, "not_solved", "orders/secret")
    views = [chat.view(event, "customer") for event in customer.log()]
    shown = [known for known in views if known is not None]
    assert len(shown) == len(views) - 1
    text = repr(shown)
    for secret in ("difficult", "Mina", "a1", "orders/secret", "not_solved"):
        assert secret not in text
    assert {known["actor"] for known in shown} == {"system", "customer", "bot", "agent"}
    replies = [known["data"] for known in shown if known["kind"] == "reply"]
    assert [reply["options"] for reply in replies if reply["kind"] != "clarify"] == [[], []]
    (choices,) = [reply["options"] for reply in replies if reply["kind"] == "clarify"]
    assert all(option.keys() == {"article", "title", "lang", "url"} for option in choices)


def test_the_agent_sees_everything(customer: Customer, mina: Agent) -> None:
    customer.ask("I want to make a complaint")
    desk.note(customer.store, customer.ticket().id, mina, "call back")
    for event in customer.log():
        assert chat.view(event, "agent") == event.as_dict()
    with pytest.raises(ValueError, match="customer or agent"):
        chat.view(event, "public")


def in_threads(works: list[Any]) -> None:
    failures: list[BaseException] = []

    def run(work: Any) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


# ---------------------------------------------------------------- coming back after a person


def helped(customer: Customer, agent: Agent, outcome: str = "solved") -> int:
    """The customer was handed over, somebody answered and closed."""
    customer.person()
    ticket = desk.claim(customer.store, customer.ticket().id, agent)
    desk.say(customer.store, ticket.id, agent, f"a{ticket.id}{customer.sent}", "I have sent it again.")
    desk.close(customer.store, ticket.id, agent, outcome)
    return ticket.id


@pytest.mark.parametrize(
    ("minutes", "text", "back"),
    [
        (1, "it still does not work", True),  # leans on what was said
        (1, "and when will it come?", True),
        (1, NONSENSE, True),  # at once, and the bot has nothing to say to it
        (1, "Where is my order?", False),  # a question for the bot
        (1, "I want to make a complaint", False),  # an article says who must act
        (1, "thanks", False),
        (1, "I want to talk to a person", False),  # another wish, always granted
        (31, "it still does not work", True),
        (31, NONSENSE, False),
        (31, "Where is my order?", False),
        (24 * 60, "it still does not work", False),
    ],
)
def test_words_after_the_end_of_a_ticket_go_on_with_it_or_are_a_question_for_the_bot(
    customer: Customer, clock: Clock, mina: Agent, minutes: int, text: str, back: bool
) -> None:
    ticket_id = helped(customer, mina)
    clock.forward(minutes=minutes)
    reply = customer.ask(text)
    assert (reply["reason"] == "reopened") is back
    result = desk.ticket(customer.store, ticket_id).ticket
    assert (result.state, result.reopened) == (("waiting", 1) if back else ("closed", 0))
    if back:
        assert customer.kinds()[-3:] == ["message", "reply", "ticket.reopened"]
        assert customer.say("hello?").reply is None


def test_once_the_bot_has_spoken_again_its_questions_are_its_own(customer: Customer, mina: Agent) -> None:
    helped(customer, mina)
    assert customer.ask("Where is my order?")["kind"] == "answer"
    assert customer.ask("and when does it come?")["reason"] != "reopened"


@BOTH
def test_whoever_comes_back_is_with_the_same_person_if_they_are_there(customer: Customer, mina: Agent) -> None:
    ticket_id = helped(customer, mina)
    desk.seen(customer.store, mina, "available")
    reply = customer.ask("it still does not work")
    assert reply["text"] == language.messages("en")["chat.reopened_owner"]
    assert "queue" not in reply
    result = desk.ticket(customer.store, ticket_id).ticket
    assert (result.state, result.owner) == ("claimed", "Mina")
    shown = chat.view(customer.log()[-1], "customer")
    assert shown is not None
    assert (shown["kind"], shown["data"]) == ("ticket.reopened", {"attended": True})


@pytest.mark.parametrize(
    ("lang", "text"), [("en", "it still does not work"), ("tr", "hâlâ çalışmıyor bu"), ("fa", "هنوز کار نمی‌کند این")]
)
def test_whoever_comes_back_to_the_queue_is_told_their_place_or_the_hours(
    store: Store, index: Index, clock: Clock, mina: Agent, lang: str, text: str
) -> None:
    customer = Customer(store, index, lang)
    helped(customer, mina)
    reply = customer.ask(text)
    assert reply["text"].startswith(language.messages(lang)["chat.reopened"])
    assert reply["queue"]["position"] == 1
    ticket = desk.claim(customer.store, customer.ticket().id, mina)
    clock.forward(hours=6)  # after closing time
    desk.close(customer.store, ticket.id, mina, "not_solved")
    away = customer.ask(text)
    assert away["queue"]["open_now"] is False
    assert "09:00" in away["text"] or "۹:۰۰" in away["text"]


def test_coming_back_is_no_loop_and_never_follows_spam(customer: Customer, mina: Agent) -> None:
    ticket_id = helped(customer, mina)
    for _ in range(3):
        assert customer.ask("it still does not work")["reason"] == "reopened"
        desk.claim(customer.store, ticket_id, mina)
        desk.close(customer.store, ticket_id, mina, "solved")
    assert customer.ask("it still does not work")["reason"] != "reopened"
    other = Customer(customer.store, customer.index)
    helped(other, mina, "spam")
    assert other.ask("it still does not work")["reason"] != "reopened"


@BOTH
def test_the_same_return_sent_again_is_one(customer: Customer, mina: Agent) -> None:
    helped(customer, mina)
    first = chat.say(customer.store, customer.index, customer.id, "back", "it still does not work")
    assert chat.say(customer.store, customer.index, customer.id, "back", "it still does not work") == first
    assert customer.kinds().count("ticket.reopened") == 1


@BOTH
def test_a_ticket_that_waits_for_its_customer_goes_on_with_their_word(customer: Customer, mina: Agent) -> None:
    customer.person()
    ticket = desk.claim(customer.store, customer.ticket().id, mina)
    desk.say(customer.store, ticket.id, mina, "a1", "Which order is it?")
    desk.wait_for_customer(customer.store, ticket.id, mina)
    assert customer.say("Where is my order?").reply is None
    assert customer.ticket().state == "claimed"
    assert customer.ticket().unanswered_since is not None
    known = [chat.view(event, "customer") for event in customer.log()]
    assert not {"ticket.pending", "ticket.resumed"} & {each["kind"] for each in known if each}


def test_the_article_and_the_words_say_how_urgent_a_handover_is(customer: Customer) -> None:
    customer.ask("I want to make a complaint")
    result = customer.ticket()
    assert {each.reason for each in result.priority.reasons} == {"complaint", "policy"}
    assert "complaint" in result.topics


@BOTH
def test_the_place_that_is_told_is_the_place_in_the_queue(store: Store, index: Index) -> None:
    for _ in range(3):
        Customer(store, index).ask(NONSENSE, **UNSURE)
    customer = Customer(store, index)
    reply = customer.ask("I want to make a complaint")
    assert reply["queue"]["position"] == 1
    again = customer.person().reply
    assert again is not None
    assert again["queue"]["position"] == 1


@BOTH
def test_a_customer_is_asked_how_it_was_after_a_person_closed(customer: Customer, mina: Agent) -> None:
    helped(customer, mina)
    shown = chat.view(customer.log()[-1], "customer")
    assert shown is not None
    assert shown["data"] == {"ask": "satisfaction"}
    desk.rate(customer.store, customer.id, 5, "quick")
    shown = chat.view(customer.log()[-1], "customer")
    assert shown is not None
    assert shown["data"] == {"score": 5, "comment": "quick"}
    other = Customer(customer.store, customer.index)
    helped(other, mina, "spam")
    shown = chat.view(other.log()[-1], "customer")
    assert shown is not None
    assert shown["data"] == {}
