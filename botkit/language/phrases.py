"""Small talk, the wish for a person, and questions that no shop answers, in five languages."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from botkit.language.forms import LANGUAGES, folded

# All in folded form (see `folded`): ş as s, ة as ه, й as и. A text is small talk when it consists of
# nothing but a topic's words and fillers, so that "hello, where is my order" is a question.
_TOPICS = {
    "greeting": (
        "hi hello hey hiya morning evening afternoon greetings howdy "
        "merhaba merhabalar selam selamlar selamun aleykum gunaydin aksamlar gunler slm mrb iyi "
        "مرحبا مرحبتين اهلا هلا هلو هاي السلام سلام عليكم عليکم صباح الخیر مساء الورد اهلین مراحب marhaba ahlan salam "
        "درود وقت بخیر صبح عصر شب روز خسته نباشید نباشین dorood "
        "здравеите здравеи здрасти здраво добро добър утро ден вечер добърден хеи zdraveite zdravei zdrasti dobur dobar den"
    ),
    "thanks": (
        "thanks thank thx ty cheers appreciated "
        "tesekkurler tesekkur sag sagol sagolun eyvallah tsk ederim "
        "شکرا شکرآ مشکور مشکوره مشکورین تسلم یسلمو ممنون یعطیک العافیه متشکر shukran "
        "مرسی سپاس ممنونم متشکرم دستتون درد نکنه mersi mamnoon "
        "благодаря мерси благодарим blagodaria blagodarq merci"
    ),
    "goodbye": (
        "bye goodbye byebye cya later night "
        "gorusuruz hoscakalin hoscakal hosca kalin gule gorusmek uzere bay "
        "وداعا باي السلامه مع الی اللقاء "
        "خداحافظ خدانگهدار بای khodahafez "
        "довиждане чао лека нощ dovijdane chao"
    ),
}
_FILLERS = frozenset(
    folded(
        "there dear good you so much very a lot for your help the all ok okay great team sir madam lalezar bot see and that is "
        "cok size tum herkese gun geceler hos bulduk yardiminiz icin tamam peki arkadaslar ol olun olsun kal "
        "لک لكم لکم جزیلا کثیرا علی مساعدتک الله النور تمام اوکی یا شباب بک بکم خیلی از لطفتون شما به خیر زیاد لطف "
        "много за помощта ви вам ти ок добре mnogo za pomoshta vi"
    ).split()
)
_ROBOT = re.compile(
    r"\b(are|r) (you|u) (really )?(a |an )?((real |live |actual )?(robot|bot|human|person|machine|ai)\b|real$)"
    r"|\bam i (talking|speaking|chatting) (to|with) a (real |live )?(bot|robot|human|machine|person)\b"
    r"|\bis this a (real )?(bot|robot|human|person|machine)\b"
    r"|\b(robot|bot|insan|gercek biri|yapay zeka) m[iu] ?(sin|siniz|sun|sunuz|yim|yum|dir|dur)\b|\b(robotla|botla) mi (konus|yazis)"
    r"|(هل )?(انت|انته|حضرتک|انتم) (روبوت|بوت|انسان|ادمی|حقیقی|اله)\b|\b(اکلم|اتکلم مع) (روبوت|بوت)\b"
    r"|(شما|تو) (ربات|روبات|آدم|ادم|انسان|واقعی)|\b(ربات|روبات|ادم|انسان) (هستی|هستید|هستین|ای|اید)\b"
    r"|\b(ти|вие|бот|робот|човек)( си| сте)? ли (си|сте)?\s?(бот|робот|човек|машина|истински)?"
)
_SOMEONE = (
    r"(an? |the |your |one of your |some |any )?((real|live|actual|human|customer|support|sales|service) )*"
    r"(human|person|someone|somebody|agent|representative|rep|operator|advisor|adviser|colleague|staff|employee|manager"
    r"|customer (service|support|care)|support|man|woman|people)\b"
)
# Who is talked to counts, not who is talked about: "send a gift to someone" is a question.
_PERSON = re.compile(
    rf"\b(talk|speak|chat)(ing)?( \w+){{0,3}} (to|with) {_SOMEONE}"
    rf"|\b(connect|transfer|put|pass|get|hand|give|bring) (me|us)( (through|over|on|back|in touch))*( (to|with))? {_SOMEONE}"
    rf"|\b(need|want|prefer|get)( to (reach|contact|call|see|get))? (an? |the |your )?((real|live|actual|human) )*"
    rf"(human|person|agent|representative|rep|operator|advisor|adviser|customer (service|support|care))"
    rf"( (please|pls|now|instead|not \w.*|to (talk|speak|chat|help|answer)\w*( .*)?))?$"
    rf"|^(a )?(real |live )?(human|agent|operator|representative|person|live chat|human agent|live agent)( please| pls| now)?$"
    r"|\breal person\b|\blive (agent|person|human)\b"
    # Turkish: a person with the ending for "with" or "to", and not a talk that has been
    r"|\b(?<!baska )(temsilci|yetkili|insan|birisi|biri|danisman|operator|calisan|gorevli|musteri hizmet|canli deste)"
    r"(\w*(la|le|na|ne|ya|ye|ga|ge|lara|lere)| ile|\w*a|\w*e)( \w+){0,3} "
    r"((gorus|konus|yazis|ulas)(?!t[iu])|bagla(?!d|nd)|aktar(?!d))\w*"
    r"|^(canli destek|musteri (hizmetleri|temsilcisi)|temsilci|yetkili|operator)( lutfen| istiyorum| lazim| yok mu| var mi)?$"
    r"|\bcanli destek (istiyor|lazim|yok mu|var mi)\w*|\b(gercek|canli) (bir )?(insan|kisi|biri|temsilci)\w*"
    # Arabic
    r"|(اتکلم|اتحدث|احکی|اکلم|کلم|التحدث|الحدیث|التواصل|اتواصل|تواصل|اکلمکم)( \w+){0,4} (ل|ب|ال|لل|بال)?(موظف|شخص|انسان|بشر|ادمی"
    r"|خدمه العملاء|ممثل|مندوب خدمه|حد من|احد من|واحد من|حدا|حد حقیقی|احد حقیقی|مسؤول|مسئول)(ه|ین|کم)?\b"
    r"|\b(حول|حولنی|حولونی|وصلنی|وصلونی)( لو سمحت| من فضلک)?( (الی|علی|مع))? (ل|ب|ال|لل|بال)?(موظف|شخص|انسان|بشر|خدمه العملاء|ممثل|مسؤول|مسئول)(ه|ین)?\b"
    r"|\b(ابغی|ابی|ارید|بدی|عایز|عاوز) (ال)?(موظف|شخص حقیقی|انسان|بشر|خدمه العملاء|ممثل خدمه)(ه|ین)?\b"
    r"|^(موظف|خدمه العملاء|شخص حقیقی|انسان)( لو سمحت(ی|م)?| من فضلک)?$"
    r"|\b(akallem|akalem|atkalam|a7ki|ahki)( \w+){0,3} (7ad|had|mowazaf|mwazaf|sha5s|shakhs|7ada)"
    # Persian
    r"|\b(با|به)( \w+){0,3} (آدم|ادم|انسان|اپراتور|پشتیبان|پشتیبانی|کارشناس|همکار|یکی|نفر|شخص|مسئول|مسوول|همکاران)\w*( \w+){0,4} "
    r"?(صحبت|حرف|وصل|گپ|چت|تماس|ارتباط)|(وصلم|وصل) (کن|کنید|کنین)( \w+){0,2} (به )?(اپراتور|پشتیبان|کارشناس|آدم|ادم|همکار)"
    r"|^(اپراتور|پشتیبان|پشتیبانی|کارشناس|ادم واقعی|انسان)( لطفا)?$|\b(ba|be)( \w+){0,2} (adam|operator|poshtiban\w*|karshenas)"
    r"( \w+){0,3} (harf|sohbat|vasl)"
    # Bulgarian: not one that was talked to, nor another person whom something is sent to
    r"|\b(говор(?!их|ил)|разговарям|разговор|поговор|свърж|свърз|прехвърл|чат|обърна)\w*( \w+){0,4} (с|със|към|на|до) "
    r"((?!друг)\w+ )?(човек|оператор|служител|консултант|агент|колега|някого|някои|представител|вас на живо)\w*"
    r"|^(искам )?(оператор|консултант|човек|жив човек|истински човек)( моля)?$|\b(жив|истински) човек\b"
    r"|\b(govor\w*|svurj\w*|svarj\w*|svyrj\w*)( \w+){0,3} (s|sas|sys|kum|kam) (\w+ )?(chovek|4ovek|operator|slujitel|konsultant)"
)


def smalltalk(text: str) -> str | None:
    """`greeting`, `thanks`, `goodbye` or `robot` when a text is nothing else, `wordless` when it has
    neither letter nor digit; otherwise None."""
    bare = folded(text[:400])
    if not bare:
        return "thanks" if re.search("[👍🙏❤💚💙🌹😊🙂👌]", text) else "wordless"
    if len(bare) > 120:
        return None
    if _ROBOT.search(bare) and len(_ROBOT.sub(" ", bare).split()) <= 4:
        return "robot"
    found = bare.split()
    named = [topic for word in found for topic, vocabulary in _TOPIC_WORDS.items() if word in vocabulary]
    plain = all(w in _FILLERS or any(w in v for v in _TOPIC_WORDS.values()) for w in found)
    if not named or not plain:
        return None
    # "good night" is a goodbye and "hello, thanks" a thank-you: the later kind says more.
    return next(topic for topic in ("goodbye", "thanks", "greeting") if topic in named)


def wants_person(text: str) -> bool:
    """Whether a customer asks to talk to a person rather than a bot, in any of the five languages."""
    bare = folded(text)
    return len(bare) <= 300 and bool(_PERSON.search(" ".join(_ROBOT.sub(" ", bare).split())))


@functools.lru_cache(maxsize=len(LANGUAGES))
def elsewhere(lang: str) -> tuple[str, ...]:
    """Questions that people ask of any chat and that hardly any shop's help answers: about the world, themselves, other
    trades. What is nearer to these than to an index's own rows is likely beyond it."""
    file = Path(__file__).parent / "elsewhere" / f"{lang}.txt"
    return tuple(file.read_text(encoding="utf-8").splitlines())


_TOPIC_WORDS = {topic: frozenset(folded(vocabulary).split()) for topic, vocabulary in _TOPICS.items()}
