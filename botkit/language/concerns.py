"""What a customer's words are about that must not wait: a complaint, money back, personal data, in five languages.

They order a queue and decide nothing else, so that a word too many only brings somebody a little forward.
"""

from __future__ import annotations

import re

from botkit.language.forms import folded

# Words parted by blanks, phrases between bars; a star stands for any ending. They are folded when they are read.
_WORDS = {
    "complaint": (
        "complain* unacceptable outrageous disgrace* scam* fraud* lawyer* ombudsman rude "
        "şikayet* rezalet* dolandır* avukat* tüketici* |kabul edilemez| saygısız* "
        "شكوى شكاوى اشتكي أشتكي اشتكى احتيال نصابين محامي مسخرة "
        "شکایت* کلاهبردار* وکیل* افتضاح* توهین* shekayat* kolahbardari* "
        "оплак* жалба* жалбата измам* адвокат* безобраз* възмут* кзп oplakva* jalba"
    ),
    "refund": (
        "refund* chargeback* reimburse* |money back| |charged twice| |double charge| "
        "|para iade*| |paramı geri*| |param geri*| |iade param*| |iki kez çekil*| |iki kere çekil*| "
        "استرداد |استرجاع المبلغ| |استرجع فلوسي| |فلوسي| |ارجاع المبلغ| |ارجاع المال| |رجعولي| |خصم مرتين| "
        "استرداد |پس دادن پول| |پولم| |برگشت پول| |برگشت وجه| |بازگشت وجه| |دوبار کم| poolam* "
        "възстанов* |върнете ми парите| |връщане на пари| |парите си| |два пъти удърж*| vazstanov*"
    ),
    "data_request": (
        "gdpr |my data| |personal data| |delete my account| |delete my details| |data protection| "
        "kvkk |kişisel veri*| |verilerimi| |hesabımı sil*| "
        "|بياناتي| |البيانات الشخصية| |حذف حسابي| |احذفوا حسابي| |امسحوا حسابي| "
        "|اطلاعات شخصی| |داده های شخصی| |حذف حساب| |حسابم را حذف| |حسابمو حذف| "
        "|лични данни| |личните ми данни| |данните ми| |изтрийте профила| |изтриване на профил| "
        "|lichni danni|"
    ),
}


def concerns(text: str) -> frozenset[str]:
    """Which of `complaint`, `refund` and `data_request` a text speaks of.

    >>> sorted(concerns("I want to complain: where is my refund?"))
    ['complaint', 'refund']
    """
    bare = folded(text[:4000])
    return frozenset(name for name, pattern in _PATTERNS.items() if pattern.search(bare))


def _pattern(words: str) -> re.Pattern[str]:
    phrases = [phrase or word for phrase, word in re.findall(r"\|([^|]+)\||(\S+)", words)]
    parts = [re.escape(folded(phrase.rstrip("*"))) + (r"\w*" if phrase.endswith("*") else "") for phrase in phrases]
    return re.compile(rf"\b(?:{'|'.join(parts)})\b")


_PATTERNS = {name: _pattern(words) for name, words in _WORDS.items()}
