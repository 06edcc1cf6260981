"""Small talk, and the wish for a person, in five languages."""

from __future__ import annotations

import re

from botkit.language.forms import folded

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
        "tesekkurler tesekkur sagol sagolun eyvallah tsk ederim "
        "شکرا شکرآ مشکور مشکوره مشکورین تسلم یسلمو ممنون یعطیک العافیه متشکر shukran "
        "مرسی سپاس ممنونم متشکرم دستتون درد نکنه mersi mamnoon "
        "благодаря мерси благодарим blagodaria blagodarq merci"
    ),
    "goodbye": (
        "bye goodbye byebye cya later night "
        "gorusuruz hoscakalin hoscakal kalin gule gorusmek uzere bay "
        "وداعا باي السلامه مع الی اللقاء "
        "خداحافظ خدانگهدار بای khodahafez "
        "довиждане чао лека нощ dovijdane chao"
    ),
}
_FILLERS = frozenset(
    folded(
        "there dear good you so much very a lot for your help the all ok okay great team sir madam lalezar bot see and that is "
        "cok size tum herkese gun geceler hos bulduk yardiminiz icin tamam peki arkadaslar olsun "
        "لک لكم لکم جزیلا کثیرا علی مساعدتک الله النور تمام اوکی یا شباب بک بکم خیلی از لطفتون شما به خیر زیاد لطف "
        "много за помощта ви вам ти ок добре mnogo za pomoshta vi"
    ).split()
)
_ROBOT = re.compile(
    r"\b(are|r) (you|u) (a |an )?(real|robot|bot|human|person|machine|ai)\b|\bam i (talking|speaking|chatting) (to|with) a "
    r"(bot|robot|human|machine|person)\b|\bis this a (bot|robot|human|real person|machine)\b"
    r"|\b(robot|bot|insan|gercek biri|yapay zeka) m[iu] ?(sin|siniz|sun|sunuz|yim|yum|dir|dur)\b|\b(robotla|botla) mi (konus|yazis)"
    r"|(هل )?(انت|انته|حضرتک|انتم) (روبوت|بوت|انسان|ادمی|حقیقی|اله)\b|\b(اکلم|اتکلم مع) (روبوت|بوت)\b"
    r"|(شما|تو) (ربات|روبات|آدم|ادم|انسان|واقعی)|\b(ربات|روبات|ادم|انسان) (هستی|هستید|هستین|ای|اید)\b"
    r"|\b(ти|вие|бот|робот|човек)( си| сте)? ли (си|сте)?\s?(бот|робот|човек|машина|истински)?"
)
_PERSON_WORDS = (
    r"(human|real person|live person|person|someone|somebody|agent|representative|rep|operator|advisor|adviser|"
    r"colleague|staff|employee|manager|customer (service|support|care)|a (man|woman)|people)"
)
_PERSON = re.compile(
    rf"\b(talk|speak|chat|connect|transfer|put|pass|get|hand|give|need|want|call|write|reach|contact)\b( \w+){{0,5}} "
    rf"(to|with|through to|me|a|an|the|over|your|in touch with)( \w+){{0,2}} ?{_PERSON_WORDS}\b"
    rf"|^(a )?(real |live )?(human|agent|operator|representative|person|live chat|human agent|live agent)( please| pls| now)?$"
    r"|\b(speak|talk) to (a )?(human|person|someone|somebody|agent)\b|\breal person\b|\blive (agent|person|human)\b"
    # Turkish
    r"|\b(temsilci|yetkili|insan|birisi|biri|danisman|operator|calisan|gorevli|musteri hizmetleri|canli destek)\w*( \w+){0,3} "
    r"(gorus|konus|bagla|aktar|yazis|ulas)\w*|^(canli destek|musteri (hizmetleri|temsilcisi)|temsilci|yetkili|operator)"
    r"( lutfen)?$|\b(gercek|canli) (bir )?(insan|kisi|biri|temsilci|destek)\w*"
    # Arabic
    r"|(اتکلم|اتحدث|احکی|اکلم|کلم|التحدث|الحدیث|التواصل|اتواصل|تواصل|حول|حولنی|حولونی|وصلنی|وصلونی|ابغی|ابی|ارید|بدی|عایز|عاوز|اکلمکم)"
    r"( \w+){0,4} ?(مع )?(ل|ب|ال)?(موظف|شخص|انسان|بشر|ادمی|خدمه العملاء|ممثل|مندوب خدمه|حد من|احد من|واحد من|حدا|حد حقیقی|احد حقیقی|مسؤول|مسئول)"
    r"|^(موظف|خدمه العملاء|شخص حقیقی|انسان)( لو سمحت(ی|م)?| من فضلک)?$"
    r"|\b(akallem|akalem|atkalam|a7ki|ahki)( \w+){0,3} (7ad|had|mowazaf|mwazaf|sha5s|shakhs|7ada)"
    # Persian
    r"|(با|به)( \w+){0,3} (آدم|ادم|انسان|اپراتور|پشتیبان|پشتیبانی|کارشناس|همکار|یکی|نفر|شخص|مسئول|مسوول|همکاران)\w*( \w+){0,4} "
    r"?(صحبت|حرف|وصل|گپ|چت|تماس|ارتباط)|(وصلم|وصل) (کن|کنید|کنین)( \w+){0,2} (به )?(اپراتور|پشتیبان|کارشناس|آدم|ادم|همکار)"
    r"|^(اپراتور|پشتیبان|پشتیبانی|کارشناس|ادم واقعی|انسان)( لطفا)?$|\b(ba|be)( \w+){0,2} (adam|operator|poshtiban\w*|karshenas)"
    r"( \w+){0,3} (harf|sohbat|vasl)"
    # Bulgarian
    r"|(говор|разговарям|разговор|поговор|свърж|свърз|прехвърл|чат|пиша|обърна)\w*( \w+){0,4} (с|със|към|на|до) "
    r"(\w+ )?(човек|оператор|служител|консултант|агент|колега|някого|някои|представител|вас на живо)\w*"
    r"|^(оператор|консултант|човек|жив човек|истински човек)( моля)?$|\b(жив|истински) човек\b"
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
    if _ROBOT.search(bare):
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
    return len(bare) <= 300 and bool(_PERSON.search(bare)) and not _ROBOT.search(bare)


_TOPIC_WORDS = {topic: frozenset(folded(vocabulary).split()) for topic, vocabulary in _TOPICS.items()}
