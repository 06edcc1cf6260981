"""Rows for the confidence model that ships with botkit, from simulated bots.

    python eval/simulate.py --data ../shared/data [--work FOLDER] [--bots 90]
    python eval/simulate.py --refit

It writes botkit/confidence/shipped.npz, the rows, and shipped.json, the model fitted on them: weights that a person can
read. For the default encoder it writes the vectors of botkit's reference texts, too
(botkit/index/reference_texts_vectors). Then it prints how well a model orders and calibrates on each family of bots
that it was not fitted on.

A simulated bot is a real index of a part of a public set or of the demo corpus: some of its articles with some of their
phrasings. It is asked questions it has an answer to, as near misses questions whose article was left out, and questions
about something else. What is kept of each is the figures of its search and whether the first article was right:
numbers, no text. Only development questions are asked, and of help articles only one half.

The sets: CLINC150 (Larson et al. 2019, CC BY 3.0), BANKING77 (Casanueva et al. 2020, CC BY 4.0), Microsoft
365 support articles (CC BY 4.0), and the demo corpus with its articles' own tests and judged questions.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from botkit import confidence, corpus, encoder, evaluation, index, language
from botkit.confidence import fitting
from botkit.corpus import Article, Corpus, Passage
from botkit.index import FEATURES, STORED
from botkit.index.embedding_cache import EmbeddingCache
from botkit.index.reference_texts import ship
from eval import common

INSIDE, OUTSIDE = 110, 90
"""questions asked of each bot: of its own articles, and of articles that it lacks"""
FAR, UNANSWERED = 0.25, 0.5
"""shares of the latter that are about something else altogether, or that somebody wrote to have no answer"""
TINY, TINIEST = 7, 3
"""one bot in how many has an article or a few; the most that those have"""
MASHED = 6
"""one in how many of these is what falls out when a hand falls on the keys"""
MOST_ROWS = 5000
"""phrasings of one bot, so that many bots can be made in an hour"""
HELD_OUT = 20
"""phrasings of a BANKING77 intent that are asked and never indexed: the set has no development questions"""


@dataclass(frozen=True)
class Asked:
    text: str
    lang: str
    relevant: frozenset[str]


@dataclass(frozen=True)
class Bot:
    """Articles to index and questions to ask; `family` is what no two folds of a cross-validation share."""

    family: str
    articles: Sequence[Article]
    languages: tuple[str, ...]
    asked: Sequence[Asked]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder with the public sets")
    parser.add_argument("--refit", action="store_true", help="fit the model on the rows that ship; make none")
    parser.add_argument("--work", type=Path, help="a folder that keeps vectors between runs")
    parser.add_argument("--encoder", default=encoder.DEFAULT, help="another model's name or folder")
    parser.add_argument("--bots", type=int, default=90, help="English bots; the others in proportion")
    options = parser.parse_args()

    if options.refit == bool(options.data):
        parser.error("give either --data or --refit.")
    if not options.refit:
        made, identity, lexical = make_rows(options.data, options.work, options.encoder, options.bots)
    else:
        before = json.loads(fitting.NUMBERS.read_text(encoding="utf-8"))
        made, identity, lexical = before["made"], before["encoder"], before["lexical"]
    learned = fitting.simulated()
    numbers = {
        "made": made,
        "encoder": identity,
        **fitting.learn(learned),
        "lexical": lexical,
        "answer": fitting.ANSWER,
        "clarify": fitting.CLARIFY,
    }
    fitting.NUMBERS.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    lines = [across(learned, *fold) for fold in left_out()]
    print(common.table(("bots left out", "questions", "right", "AUROC", "ECE", "mean probability"), lines))
    print(f"\n{common.machine('scikit-learn')}")


def make_rows(data: Path, work: Path | None, name: str, count: int) -> tuple[str, str, dict[str, Any]]:
    """Writes the rows; what is to be told of how they were made, the encoder's identity, and the model of searches
    without a vector, whose rows do not ship: labels do not move it."""
    with tempfile.TemporaryDirectory(prefix="botkit-simulate-") as scratch:
        model = EmbeddingCache(encoder.load(name), work or Path(scratch) / "memory", forget=False)
        if name == encoder.DEFAULT:
            ship(model)
        bots = [*intent_bots(data, count), *demo_bots(count // 2), *help_bots(data, count // 3)]
        rows: dict[str, list[np.ndarray]] = defaultdict(list)
        for number, bot in enumerate(bots):
            for figure, values in remembered(bot, model, Path(scratch) / "index", work).items():
                rows[figure].append(values)
            rows["bot"].append(np.full(len(bot.asked), number, np.int16))
            rows["family"].append(np.full(len(bot.asked), bot.family))
            right = rows["right"][-1]
            common.say(
                f"{number + 1}/{len(bots)} {bot.family} {'+'.join(bot.languages)}: {len({a.id for a in bot.articles})}"
                f" articles, {sum(len(a.phrasings) for a in bot.articles)} phrasings, {len(right)} asked,"
                f" {right.mean():.3f} right"
            )
        model.save()
    table = {figure: np.concatenate(parts) for figure, parts in rows.items()}
    words, right, place = (table.pop(f"lexical.{part}") for part in ("table", "right", "place"))
    articles = np.exp(words[:, confidence.LEXICAL.index("articles")].astype(np.float64))
    weight = fitting.balanced(table["inside"], table["bot"], articles)
    learned = fitting.Rows(words.astype(np.float64), right, (place > 0) & (place <= 3), weight)
    lexical = fitting.learn(learned, names=confidence.LEXICAL, pairs=())
    np.savez_compressed(fitting.ROWS, figures=np.array([STORED[name] for name in FEATURES]), **table)
    made = f"by eval/simulate.py on {len(table['right'])} questions to {len(bots)} simulated bots"
    return made, encoder.identity(model), lexical


def left_out() -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Each family of bots whose rows ship: its name, which rows are its own, and which have nothing of it."""
    with np.load(fitting.ROWS, allow_pickle=False) as stored:
        family = stored["family"]
    for name in sorted(set(family) - {"both"}):
        inside = family == name
        yield name, inside, ~inside & ((family != "both") | (name not in ("clinc150", "banking77")))


def across(learned: fitting.Rows, name: str, inside: np.ndarray, apart: np.ndarray) -> tuple[str, ...]:
    """A line on how the model does on one family of bots when it was fitted without it."""
    model = confidence.Confidence.read(fitting.learn(learned.take(apart)) | {"answer": 0.0, "clarify": 0.0})
    tested = learned.take(inside)
    p = 1 / (1 + np.exp(-model.odds(tested.table)[0]))
    chosen = np.random.default_rng(0).choice(len(p), len(p), p=tested.weight / tested.weight.sum())
    p, right = p[chosen], tested.right[chosen]
    auroc = confidence.area(p[right].tolist(), p[~right].tolist())
    return (
        name,
        str(inside.sum()),
        f"{right.mean():.3f}",
        f"{auroc:.3f}",
        f"{evaluation.ece(p, right):.3f}",
        f"{p.mean():.3f}",
    )


def remembered(bot: Bot, model: EmbeddingCache, scratch: Path, work: Path | None) -> dict[str, np.ndarray]:
    """The rows of a bot: in the work folder those of an earlier run, by the bot and the code that made them."""
    if work is None:
        return rows_of(bot, model, scratch)
    code = [file.read_bytes() for file in sources()]
    result = hashlib.sha256(b"\0".join([repr(bot).encode("utf-8", "surrogatepass"), model.identity.encode(), *code]))
    file = work / "bots" / f"{result.hexdigest()[:32]}.npz"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(file, **rows_of(bot, model, scratch))
    with np.load(file, allow_pickle=False) as table:
        return {name: table[name] for name in table.files}


def sources() -> list[Path]:
    """The code that a question's signals come from."""
    files = sorted((common.ROOT / "botkit" / "index").glob("*.py"))
    folder = common.ROOT / "botkit" / "language"
    languages = [*sorted(folder.glob("*.py")), *sorted(folder.glob("data/*"))]
    return [*files, *languages, common.ROOT / "botkit" / "confidence" / "model.py"]


def rows_of(bot: Bot, model: EmbeddingCache, folder: Path) -> dict[str, np.ndarray]:
    """The signals of each question's search, and whether its first article is right."""
    shutil.rmtree(folder, ignore_errors=True)
    built = index.build(Corpus("bot", bot.languages, bot.languages[0], tuple(bot.articles)), folder, encoder=model)
    shares = [built.shares(a.text, a.lang) for a in bot.asked]
    vectors = model.encode_query(
        [built.searcher.normalise_script(a.text, share) for a, share in zip(bot.asked, shares, strict=True)]
    )
    result = told(built, bot, shares, list(vectors), FEATURES)
    words = told(built, bot, shares, [None] * len(shares), confidence.LEXICAL)
    index.discard(built)
    return {
        **result,
        **{f"lexical.{name}": values for name, values in words.items()},
        "inside": np.array([bool(a.relevant) for a in bot.asked]),
    }


def told(
    built: index.Index,
    bot: Bot,
    shares: Sequence[Mapping[str, float]],
    vectors: Sequence[np.ndarray | None],
    names: Sequence[str],
) -> dict[str, np.ndarray]:
    """The signals of searches with these vectors, or without, whether the first article is right and at which place
    a right one is. A search that finds nothing has signals of nothing."""
    table, right, places = [], [], []
    for asked, share, vector in zip(bot.asked, shares, vectors, strict=True):
        search = built.rank(asked.text, vector, share)
        order = [hit.article for hit in search.hits]
        table.append(confidence.features(search, names) if order else np.zeros(len(names)))
        result = [place for place, article in enumerate(order, 1) if article in asked.relevant]
        right.append(1 in result)
        places.append(min(result, default=0))
    return {"table": np.array(table, np.float16), "right": np.array(right), "place": np.array(places, np.int8)}


def spread(chance: random.Random, lowest: int, highest: int) -> int:
    """A whole number between two, evenly on a logarithmic scale."""
    return round(lowest * (highest / lowest) ** chance.random())


def size(chance: random.Random, number: int, most: int) -> int:
    """How many articles a bot has: one in TINY has hardly any."""
    return chance.randint(1, TINIEST) if number % TINY == TINY - 1 else spread(chance, TINIEST + 1, most)


def intent_bots(data: Path, count: int) -> Iterator[Bot]:
    """Bots of 1 to 220 intents with 1 to 60 phrasings each, even or not, of one set or both."""
    pools: dict[str, dict[str, list[str]]] = {"clinc150": {}, "banking77": {}}
    asked: dict[str, list[str]] = defaultdict(list)
    far: list[str] = []
    for name, pool in pools.items():
        for item in common.read_jsonl(data / name / "faq.jsonl"):
            texts = [language.clean(t) for t in item["questions"]]
            random.Random(item["id"]).shuffle(texts)
            if name == "banking77":
                asked[f"{name}/{item['id']}"], texts = texts[:HELD_OUT], texts[HELD_OUT:]
            pool[f"{name}/{item['id']}"] = texts
    for query in common.read_jsonl(data / "clinc150" / "queries.jsonl"):
        if query["split"] == "dev" and query["relevant"]:
            asked[f"clinc150/{query['relevant'][0]}"].append(language.clean(query["text"]))
        elif query["split"] == "dev":
            far.append(language.clean(query["text"]))
    for number in range(count):
        chance = random.Random(number)
        family = ("clinc150", "banking77", "both")[number % 3]
        pool = pools["clinc150"] | pools["banking77"] if family == "both" else pools[family]
        chosen = chance.sample(sorted(pool), min(size(chance, number, 220), len(pool) * 4 // 5))
        usual, uneven = spread(chance, 1, 60), chance.choice((0.0, 0.0, 0.8))
        usual = max(1, min(usual, MOST_ROWS // len(chosen)))
        articles = []
        for article in chosen:
            wanted = max(1, round(usual * chance.lognormvariate(0.0, uneven)))
            texts = pool[article][:wanted]
            articles.append(Article(article.replace("/", "-"), "en", texts[0], (), tuple(texts[1:])))
        inside = [Asked(t, "en", frozenset({a.replace("/", "-")})) for a in chosen for t in asked[a]]
        outside = [Asked(t, "en", frozenset()) for a in sorted(set(pool) - set(chosen)) for t in asked[a]]
        beyond = [Asked(t, "en", frozenset()) for t in far]
        beyond += mashed(chance, ("en",), len(beyond))
        yield Bot(family, articles, ("en",), sampled(chance, inside, outside, beyond, FAR))


def demo_bots(count: int) -> Iterator[Bot]:
    """Parts of the demo corpus in one language or all of them; asked are its articles' tests and the development half
    of its judged questions, with all their dialects, typing errors and things that no article answers."""
    whole = corpus.load(common.DEMO)
    judged = corpus.labels(*(common.ROOT / "eval" / folder for folder in ("golden", "slices", "hard", "elsewhere")))
    ids = sorted({a.id for a in whole.articles})
    for number in range(count):
        chance = random.Random(f"demo {number}")
        chosen = set(chance.sample(ids, size(chance, number, len(ids) - 6)))
        languages = whole.languages if number % 3 == 2 else (whole.languages[number % len(whole.languages)],)
        most = chance.choice((0, 2, 5, 100))
        articles = [
            replace(a, questions=a.questions[:most], tests=())
            for a in whole.articles
            if a.id in chosen and a.lang in languages
        ]
        tests = [
            Asked(language.clean(t), a.lang, frozenset({a.id} & chosen))
            for a in whole.articles
            if a.lang in languages
            for t in a.tests
        ]
        tests += [
            Asked(language.clean(q.text), str(q.lang), frozenset(q.relevant or ()) & chosen)
            for q in judged
            if q.split == "dev" and q.lang in languages and q.relevant
        ]
        beyond = [
            Asked(language.clean(q.text), str(q.lang), frozenset())
            for q in judged
            if q.split == "dev" and q.lang in languages and q.relevant is not None and not q.relevant
        ]
        beyond += mashed(chance, languages, len(beyond))
        inside, outside = [t for t in tests if t.relevant], [t for t in tests if not t.relevant]
        yield Bot("demo", articles, languages, sampled(chance, inside, outside, beyond, UNANSWERED))


def help_bots(data: Path, count: int) -> Iterator[Bot]:
    """Help articles with a title and a long body, in one language or three; asked are headings in the same
    language, and titles and file names in others."""
    items = [i for i in common.read_jsonl(data / "helparticles" / "faq.jsonl") if half(i["group"])]
    group = {item["id"]: slug(item["group"]) for item in items}
    groups = sorted(set(group.values()))
    queries = [q for q in common.read_jsonl(data / "helparticles" / "queries.jsonl") if set(q["relevant"]) & set(group)]
    every = sorted({item["lang"] for item in items})
    details = [
        Asked(language.clean(test), article.lang, frozenset())
        for article in corpus.load(common.DEMO).articles
        for test in article.tests
    ]
    for number in range(count):
        chance = random.Random(f"help {number}")
        languages = tuple(every) if number % 4 == 3 else (every[number % len(every)],)
        chosen = set(chance.sample(groups, spread(chance, 12, len(groups) * 3 // 4)))
        articles = [
            Article(group[i["id"]], i["lang"], i["questions"][0], passages(i["answer"]), tuple(i["questions"][1:]))
            for i in items
            if group[i["id"]] in chosen and i["lang"] in languages
        ]
        own = {a.title for a in articles}
        inside, outside = [], []
        for query in queries:
            result = frozenset(group[r] for r in query["relevant"] if r in group)
            if query["text"] in own or (result & chosen and result - chosen):
                continue
            (inside if result & chosen else outside).append(
                Asked(language.clean(query["text"]), query["lang"], result & chosen)
            )
        beyond = [t for t in details if t.lang in (*languages, "en")]
        beyond += mashed(chance, languages, len(beyond))
        yield Bot("help", articles, languages, sampled(chance, inside, outside, beyond, FAR))


def mashed(chance: random.Random, languages: Sequence[str], others: int) -> list[Asked]:
    """Words of random letters, of a language's own or Latin ones, to make one in MASHED beside `others`."""
    result = []
    for _ in range(others // (MASHED - 1)):
        lang = chance.choice(languages)
        beyond = language.out_of_domain(chance.choice((lang, "en")))
        letters = sorted({c for text in beyond for c in text if c.isalpha()})
        words = ("".join(chance.choices(letters, k=chance.randint(3, 8))) for _ in range(chance.randint(1, 4)))
        result.append(Asked(language.clean(" ".join(words)), lang, frozenset()))
    return result


def passages(body: str) -> tuple[Passage, ...]:
    """A body as the passages that the reader of markdown would make, had it no headings."""
    return (Passage("", "", body, ""),) if body else ()


def half(group: str) -> bool:
    """Whether a topic of the help articles is in the half that may be learned from."""
    return hashlib.sha256(group.encode()).digest()[0] % 2 == 0


def slug(text: str) -> str:
    return "".join(c if c.isalnum() or c in "_.-" else "-" for c in text)


def sampled(
    chance: random.Random, inside: Sequence[Asked], near: Sequence[Asked], far: Sequence[Asked], share: float
) -> list[Asked]:
    """Questions with an answer, near misses, and a share of others that nothing answers."""
    counts = (INSIDE, OUTSIDE - round(share * OUTSIDE), round(share * OUTSIDE))
    pools = zip((inside, near, far), counts, strict=True)
    return [q for pool, count in pools for q in chance.sample(pool, min(count, len(pool)))]


if __name__ == "__main__":
    main()
