"""Owns the customer's HTTP API: a question, a conversation, its events, feedback, a person, search, suggestions.

Each view reads the request, calls one package and gives back JSON. The conversation's own token opens it.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from botkit import answer, chat, desk, language, live, people
from botkit.index import Index

from . import intake, schemas, snippets
from .context import here
from .errors import ApiError
from .limits import asking, limited, weigh
from .openapi import describe

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

_ID = {"conversation_id": "The conversation's id."}
SEARCH_LENGTH = 300
"""Characters of a search that count: a longer one is a story, and its beginning says what it is about."""


@blueprint.errorhandler(desk.MessageError)
def _not_taken(error: desk.MessageError) -> Response:
    text = error.message
    return ApiError(400, error.code, f"{text[:1].upper()}{text[1:]}.", error.field).response()


@blueprint.errorhandler(chat.TooMuch)
def _too_much(full: chat.TooMuch) -> Response:
    here().metrics.limited("messages")
    text = "This conversation has taken as much as it may within an hour; send it again later."
    return ApiError(429, "too_much", text, retry_after=full.seconds).response()


@blueprint.post("/ask")
@describe(body=schemas.Ask, gives={200: schemas.Reply}, errors=(413, 415), tag="questions")
@limited("question")
def ask() -> dict[str, Any]:
    """Answer one question.

    Stateless: nothing is stored and no ticket is opened. What was said before is known only from `before`.
    """
    asked = intake.body(schemas.Ask)
    index = here().index
    lang = known_language(asked.lang, index)
    text, before = desk.checked_text(asked.text), _before(asked.before, index)
    weigh(text, before.text if before else "")
    with asking() as deadline:
        reply = answer.reply(
            index, text, lang=lang, page=asked.page, before=before, deadline=deadline, **here().thresholds
        )
    told = reply.as_dict()
    _count(told)
    return told


@blueprint.post("/conversations")
@describe(body=schemas.StartConversation, gives={201: schemas.Started}, errors=(401, 413, 415), tag="conversations")
@limited("conversation")
def start() -> tuple[dict[str, Any], int]:
    """Start a conversation.

    Keep the token: it opens this conversation and is told only here. In a language that the help does not have,
    the customer's own words decide.
    """
    wanted = intake.body(schemas.StartConversation, optional=True)
    page = language.clean(wanted.page) or None if wanted.page else None
    trusted = "tags" if wanted.tags else "customer" if wanted.customer else None
    if trusted:
        agent = people.agent_by_token(here().store, intake.bearer())
        if agent is None:
            text = "Tags and the customer's name need an agent's token: Authorization: Bearer TOKEN."
            raise ApiError(401, "unauthorized", text, trusted)
        if not agent.may_write:
            raise ApiError(403, "scope", "This token may only read: take one with the scope answer.", trusted)
    known = {"visitor": wanted.visitor, "customer": wanted.customer}
    try:
        started = chat.start(here().store, wanted.lang, page, here().index.languages, wanted.tags, **known)
    except desk.DeskError as error:
        raise ApiError(400, "invalid", f"{str(error).capitalize()}.", "tags") from None
    return {"id": started.id, "token": started.token}, 201


@blueprint.post("/conversations/<conversation_id>/messages")
@describe(
    body=schemas.SendMessage,
    gives={200: schemas.Turn},
    errors=(404, 413, 415),
    security="conversation",
    tag="conversations",
    parameters=_ID,
)
@limited("question")
def say(conversation_id: str) -> dict[str, Any]:
    """Send a customer's message and get the reply.

    The same `client_id` again gives the first message and its reply again and stores nothing. `reply` is null
    while a person is in charge; their words arrive as events.
    """
    authorise(conversation_id)
    sent = intake.body(schemas.SendMessage)
    weigh(sent.text)
    context = here()
    turn = chat.say(
        context.store,
        context.index,
        conversation_id,
        sent.client_id,
        sent.text,
        choice=sent.choice,
        asking=asking,
        caps=context.caps,
        policy=context.policy,
        **context.thresholds,
    )
    return _turn(turn)


@blueprint.get("/conversations/<conversation_id>/events")
@describe(
    query=schemas.EventsQuery,
    gives={200: schemas.Events},
    errors=(404, 503),
    security="conversation",
    tag="conversations",
    parameters=_ID,
)
def events(conversation_id: str) -> Any:
    """Read what happened after an event.

    `seq` has no gaps in the record, but events that are not for the customer are left out. As JSON: at most 200 events
    or 256 kB; while `more` is true, ask again at once with `after` = `last`, otherwise every few seconds while the chat
    is open. With `Accept: text/event-stream`: a stream of the same events as they happen, the
    `id` of each being its `seq`, and of `signals` whenever the other side's change. It ends after five minutes at most;
    open the next with the last `id` as `Last-Event-ID` or `after`. 503: no stream is free, so poll.
    """
    wanted = intake.query(schemas.EventsQuery)
    authorise(conversation_id)
    from . import livedoors  # here, because its endpoints build upon these

    if livedoors.wants_stream():
        return livedoors.customer_stream(conversation_id, wanted.after)
    store = here().store
    with store.read() as connection:
        found, more = store.page(connection, conversation_id, wanted.after)
        room = live.rooms(connection, [conversation_id]).get(conversation_id, live.Room())
    livedoors.polled(store, conversation_id, room)
    shown = [view for event in found if (view := chat.view(event, "customer")) is not None]
    return {
        "events": shown,
        "last": found[-1].seq if found else wanted.after,
        "more": more,
        "signals": room.for_customer(store.now()).as_dict(),
    }


@blueprint.post("/conversations/<conversation_id>/feedback")
@describe(
    body=schemas.SendFeedback,
    gives={200: schemas.Feedback},
    errors=(404, 413, 415),
    security="conversation",
    tag="conversations",
    parameters=_ID,
)
@limited("question")
def feedback(conversation_id: str) -> dict[str, Any]:
    """Say whether a reply helped."""
    authorise(conversation_id)
    given = intake.body(schemas.SendFeedback)
    context = here()
    try:
        noted = chat.feedback(
            context.store,
            context.index,
            conversation_id,
            given.reply_id,
            given.helpful,
            policy=context.policy,
            caps=context.caps,
        )
    except chat.NotFound:
        raise ApiError(404, "not_found", "No such answer in this conversation.", "reply_id") from None
    if noted["reply"] is not None:
        _count(noted["reply"])
    return noted


@blueprint.post("/conversations/<conversation_id>/handoff")
@describe(
    body=schemas.AskForPerson,
    gives={200: schemas.Turn},
    errors=(404, 413, 415),
    security="conversation",
    tag="conversations",
    parameters=_ID,
)
@limited("question")
def handoff(conversation_id: str) -> dict[str, Any]:
    """Ask for a person.

    Always granted: the reply has the place in the queue, or the opening hours when nobody is on.
    """
    authorise(conversation_id)
    intake.body(schemas.AskForPerson, optional=True)
    context = here()
    return _turn(chat.request_person(context.store, context.index, conversation_id, policy=context.policy))


@blueprint.get("/conversations/<conversation_id>/satisfaction")
@describe(
    gives={200: schemas.Rating}, errors=(404,), security="conversation", tag="conversations", parameters=_ID
)
def rating(conversation_id: str) -> dict[str, Any]:
    """Read whether to ask how the team did, and the words to ask with.

    Ask when an event `ticket.closed` says so, and here `ask` is true.
    """
    lang = authorise(conversation_id).lang or here().index.default_language
    ask, given = desk.rating(here().store, conversation_id)
    words = language.messages(lang, here().tables)
    texts = {name: words[f"widget.rate_{name}"] for name in ("question", "comment", "send", "thanks")}
    return {
        "ask": ask,
        "given": {"score": given.score, "comment": given.comment} if given else None,
        "lang": lang,
        "texts": texts | {"scores": [words[f"widget.rate_{score}"] for score in desk.SCORES]},
    }


@blueprint.post("/conversations/<conversation_id>/satisfaction")
@describe(
    body=schemas.Rate,
    gives={200: schemas.Rated},
    errors=(404, 409, 413, 415),
    security="conversation",
    tag="conversations",
    parameters=_ID,
)
@limited("question")
def rate(conversation_id: str) -> dict[str, Any]:
    """Say how the team did.

    Once after each conversation with a person: 409 when nothing was closed, or another score is there already.
    """
    authorise(conversation_id)
    given = intake.body(schemas.Rate)
    try:
        said = desk.rate(here().store, conversation_id, given.score, given.comment)
    except desk.NotRated as error:
        text = str(error)
        raise ApiError(409, error.code, f"{text[:1].upper()}{text[1:]}.") from None
    return {"score": said.score, "comment": said.comment}


@blueprint.get("/search")
@describe(query=schemas.SearchQuery, gives={200: schemas.SearchResult}, tag="help centre")
@limited("question")
def search() -> dict[str, Any]:
    """Search the articles."""
    wanted = intake.query(schemas.SearchQuery)
    index = here().index
    lang = known_language(wanted.lang, index)
    text = language.clean(wanted.q)[:SEARCH_LENGTH]
    return {"query": text, "hits": [hit for hit, _ in found(index, text, lang, wanted.limit)]}


@blueprint.get("/suggest")
@describe(query=schemas.SuggestQuery, gives={200: schemas.Suggestions}, tag="help centre")
@limited("suggestion")
def suggest() -> dict[str, Any]:
    """Complete a question that is being typed."""
    wanted = intake.query(schemas.SuggestQuery)
    index = here().index
    lang = known_language(wanted.lang, index) or index.default_language
    text = language.clean(wanted.q)[:SEARCH_LENGTH]
    near = index.suggest(text, lang, wanted.limit) if text else []
    return {
        "suggestions": [
            {"article": article, "text": words, "url": f"/help/{lang}/{article}"} for article, words in near
        ]
    }


def _before(told: schemas.Before | None, index: Index) -> answer.Before | None:
    """The turn before as a client tells it; ApiError 400 for a text that cannot be taken or an unknown language."""
    if told is None:
        return None
    text = desk.checked_text(told.text, "before.text")
    try:
        lang = known_language(told.lang, index)
    except ApiError as error:
        error.field = "before.lang"
        raise
    return answer.Before(text, told.article, tuple(told.options), lang)


def known_language(lang: str | None, index: Index) -> str | None:
    """The corpus's language for a language tag (`en` for `en-GB`), None for none; ApiError 400 for another."""
    if lang is None or lang == "":
        return None
    if lang in index.languages:
        return lang
    primary = lang.replace("_", "-").split("-")[0].lower()
    if primary not in index.languages:
        raise ApiError(400, "unknown_language", f"Known languages: {', '.join(index.languages)}.", "lang")
    return primary


def found(
    index: Index, text: str, lang: str | None, limit: int, *, foreign: bool = False
) -> list[tuple[dict[str, Any], snippets.Snippet]]:
    """What a search finds, as JSON and with the snippet to show, best first.

    With a language, its articles alone; with `foreign`, also those that have no translation into it.
    """
    if not text:
        return []
    with asking() as deadline:
        hits = index.search(text, lang, limit=limit, deadline=deadline).hits
    shown = []
    for hit in hits:
        article = index.article(hit.article, lang or hit.lang)
        if article is None and foreign:
            article = index.best_translation(hit.article, hit.lang)
        if article is None:
            continue
        own = article.lang == hit.lang
        passage = (article.passage(hit.anchor) if own else None) or next(iter(article.passages), None)
        cut = snippets.snippet(passage.text if passage else article.title, text, article.lang, index.tables)
        fragment = f"#{passage.anchor}" if passage and passage.anchor and "#" not in article.id else ""
        address = f"/help/{lang or article.lang}/{article.id}{fragment}"
        told = {
            "article": article.id,
            "title": article.title,
            "lang": article.lang,
            "category": article.category,
            "url": address,
            "match": hit.match,
            "snippet": cut.text,
            "marks": [{"start": start, "end": end} for start, end in cut.marks],
        }
        shown.append((told, cut))
    return shown


def authorise(conversation_id: str) -> chat.Conversation:
    """404 and 403 say the same to a guesser: nothing."""
    token = intake.bearer()
    try:
        return chat.conversation(here().store, conversation_id, token)
    except (chat.NotFound, chat.Forbidden):
        raise ApiError(404, "not_found", "No such conversation, or the token does not open it.") from None


def _turn(turn: chat.Turn) -> dict[str, Any]:
    if turn.reply is not None:
        _count(turn.reply)
    return {"message": turn.message, "reply": turn.reply}


def _count(reply: dict[str, Any]) -> None:
    here().metrics.reply(reply["kind"], reply["lang"])
