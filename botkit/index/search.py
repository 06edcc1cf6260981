"""A question to hits: rows of candidates from each channel scored in full, pooled by article, the classifier added."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from botkit import language
from botkit.index.acts import LONGEST, Acts, Likeness
from botkit.index.channels import Channel, read_lexical
from botkit.index.classifier import Classifier
from botkit.index.hits import Hit, Ranking, Search
from botkit.index.pooling import best_of, pool
from botkit.index.rows import CHANNELS, PASSAGES, PHRASINGS, Row
from botkit.index.signals import EXACT, Candidates, Nearest, Statistics, Wording, measure
from botkit.index.writing import centre

LEAD = 0.05
"""by how much a section must fit better than the text above the first heading to be quoted instead"""
SPOKEN = 0.2
"""the least share of a language whose acts a line may be"""
UNREAD = 0.3
"""the share of a Latin text's n-grams that an index would know, had it articles in its language"""


@dataclass(frozen=True)
class _Question:
    """A question made ready: analysed once, used in every channel."""

    words: list[str]
    grams: list[str]
    domains: list[int]
    phonetic_keys: list[str]
    vector: np.ndarray
    """zeros where the encoder did not answer"""
    encoded: bool
    penalty: np.ndarray
    foreign: bool


@dataclass(frozen=True)
class _Scored:
    """Rows of the candidates in one channel, with their scores and the place of their article."""

    rows: np.ndarray
    cosines: np.ndarray
    word: np.ndarray
    char: np.ndarray
    values: np.ndarray
    slots: np.ndarray


class Searcher:
    """The rows of a version, ready to be asked. `hidden` gives the articles that no customer, or with True no agent,
    may see today, as a mask over `ids`."""

    def __init__(
        self,
        folder: Path,
        ids: Sequence[str],
        languages: Sequence[str],
        rows: Mapping[str, Sequence[Row]],
        ranking: Ranking,
        hidden: Callable[[bool], np.ndarray],
        tables: language.Tables = language.SHIPPED,
    ) -> None:
        self.ids, self.languages, self.ranking, self.tables = ids, languages, ranking, tables
        self._rows, self._hidden = rows, hidden
        with np.load(folder / "rows.npz", allow_pickle=False) as table:
            arrays = {name: table[name] for name in table.files}
        self._density, self._sums = arrays["density"], arrays["sums"]
        self._domains_of, self._domains = arrays["trades"], language.domain_names()
        self._channels = {name: Channel(folder, name, arrays, len(ids)) for name in CHANNELS}
        self._sounds = read_lexical(folder, "sounds") if (folder / "sounds.npz").exists() else None
        self._foreign = tuple(code for code in language.LANGUAGES if code not in languages)
        self._foreign_means = arrays["foreign.means"]
        self._out_of_domain = arrays["elsewhere"].astype(np.float32)
        self._reads_latin = any(language.script_of(code, tables) == "latin" for code in languages)
        self.acts = Acts.read(folder)
        self._classifier = Classifier.read(folder, self._channels[PHRASINGS].chars)
        self._statistics = Statistics(
            articles=len(ids),
            languages=len(languages),
            phrasings=len(self._density),
            own_first=float(arrays["own.first"]),
            has_classifier=self._classifier is not None,
            near_own=arrays["near.own"],
            near_others=arrays["near.others"],
            near_out_of_domain=arrays["near.elsewhere"],
        )
        places = {(row.group, row.lang_number) for row in rows[PHRASINGS]}
        self._per_article = len(rows[PHRASINGS]) / max(len(places), 1)
        self._exact = {language.folded(row.text, row.lang, tables): row.group for row in rows[PHRASINGS]}
        self._spellers: dict[str, language.Speller] = {}

    def shares(self, text: str, page: str | None = None, before: str | None = None) -> Mapping[str, float]:
        """Which language a question may be in, of all that botkit speaks: customers write in languages that a shop
        has no articles in. `page` is the page's language (where there is one language only, it is that), `before`
        that of the turn before.

        Latin letters where another script is expected are that language the likelier, the better the
        index knows what they sound like, against what they are as letters.
        """
        page = page or (self.languages[0] if len(self.languages) == 1 else None)
        result = language.detect(text, self.languages, page, before, self._foreign, self.tables).shares
        latin = [lang for lang in {page, before} if lang in result and self._in_latin(text, str(lang))]
        if self._sounds is None or not latin:
            return result
        chars = self._channels[PHRASINGS].chars
        weighed = dict(result)
        for lang in map(str, latin):
            spelled = language.normalise_script(text, lang, self.tables)
            if spelled != text:
                heard = chars.known(language.ngrams(spelled, lang, tables=self.tables))
            else:
                heard = self._sounds.known(language.phonetic_keys(text, lang, self.tables))
            read = max(chars.known(language.ngrams(text, tables=self.tables)), 0.0 if self._reads_latin else UNREAD)
            weighed[lang] *= (heard + 0.05) / (read + 0.05)
        total = sum(weighed.values())
        return {lang: share / total for lang, share in weighed.items()}

    def normalise_script(self, text: str, shares: Mapping[str, float]) -> str:
        """A question as the encoder is to read it: in the script of its language, spelled with the index's own words
        where Latin letters do not tell."""
        lang = max(shares, key=shares.__getitem__)
        spelled = lang in language.spelled(self.tables) and lang in self.languages
        if not spelled or not self._in_latin(text, lang):
            return language.normalise_script(text, lang, self.tables)
        if lang not in self._spellers:  # made when first needed, by two threads at worst
            own = (row.text for name in CHANNELS for row in self._rows[name] if row.lang == lang)
            self._spellers[lang] = language.Speller(own, lang, self.tables)
        return language.normalise_script(self._spellers[lang].spell(text), lang, self.tables)

    def _in_latin(self, text: str, lang: str) -> bool:
        return language.typed_in_latin(text, lang, self.tables)

    def rank(
        self,
        text: str,
        vector: np.ndarray | None,
        shares: Mapping[str, float],
        limit: int = 10,
        for_agent: bool = False,
        read: str | None = None,
    ) -> Search:
        """The articles that fit a question, best first; `vector` is the encoder's for `native`, None where it did not
        answer and words have to do, `shares` as above, and `read` what `native` gave, if that is known."""
        asked = self._question(text, self.normalise_script(text, shares) if read is None else read, vector, shares)
        lexical = {name: self._lexical(name, asked) for name in CHANNELS}
        nearest = self.ranking.rows if asked.encoded else 0
        near = {name: self._channels[name].nearest(asked.vector, nearest) for name in CHANNELS}
        groups = self._candidates(asked, lexical, near, self._hidden(for_agent))
        if not len(groups):
            return Search(text, dict(shares), (), encoded=asked.encoded, likeness=self._likeness(text, asked, shares))
        scored = {}
        for name, channel in self._channels.items():
            rows = channel.rows_of(groups)
            cosines = channel.cosines(asked.vector, rows)
            word, char = lexical[name]
            scored[name] = _Scored(
                rows,
                cosines,
                word[rows],
                char[rows],
                self._row_scores(channel, asked, rows, cosines, word[rows], char[rows]),
                np.searchsorted(groups, channel.group[rows]),
            )
        passages = best_of(scored[PASSAGES].values, scored[PASSAGES].slots, len(groups))
        phrased = pool(scored[PHRASINGS].values, scored[PHRASINGS].slots, len(groups), self.ranking.temperature)
        # An article without text is judged by its phrasings.
        has_phrasing, has_passage = np.isfinite(phrased), np.isfinite(passages)
        phrased, passages = np.where(has_phrasing, phrased, passages), np.where(has_passage, passages, phrased)
        phrased_enough = self._phrased_enough()
        few, many = self.ranking.passages_alone, self.ranking.passages
        weight = many + (1.0 - phrased_enough) * (few - many)
        fused = (phrased + weight * passages) / (1 + weight)
        familiar, likely = self._classified(asked, groups)
        classified = self.ranking.classifier * familiar + self.ranking.class_probability * likely[groups]
        scores = fused + max(self.ranking.lone, phrased_enough) * classified
        exact = self._exact.get(language.folded(text, tables=self.tables))
        if exact is not None and exact in groups:
            scores[np.searchsorted(groups, exact)] += EXACT
        return self._result(
            text, asked, shares, groups, scores, fused, familiar, likely, scored, near[PHRASINGS], limit
        )

    def _question(
        self, text: str, spelled: str, vector: np.ndarray | None, shares: Mapping[str, float]
    ) -> _Question:
        known = np.array([shares.get(code, 0.0) for code in self.languages], np.float32)
        other = np.array([shares.get(code, 0.0) for code in self._foreign], np.float32)
        means = known @ self._channels[PHRASINGS].means + other @ self._foreign_means
        lang = max(shares, key=shares.__getitem__)
        chosen = known / max(float(known.sum()), 1e-9)
        by_ear = self._sounds is not None and self._in_latin(text, lang)
        return _Question(
            words=language.words(spelled, lang, self.tables),
            grams=language.ngrams(spelled, lang, tables=self.tables),
            domains=[self._domains.index(name) for name in language.domains(spelled, lang, self.tables)],
            phonetic_keys=language.phonetic_keys(text, lang, self.tables) if by_ear else [],
            vector=np.zeros_like(means) if vector is None else centre(vector[None, :], means[None, :])[0],
            encoded=vector is not None,
            penalty=self.ranking.language * np.log(np.maximum(chosen, 0.01)),
            foreign=lang in self._foreign,
        )

    def _classified(self, asked: _Question, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The classifier's scores of some articles and its probabilities of all. Without one, which takes two
        articles, or without a vector, nothing is familiar and each is as likely as the others."""
        if self._classifier is None or not asked.encoded:
            return np.zeros(len(groups), np.float32), np.full(len(self.ids), 1.0 / len(self.ids), np.float32)
        return self._classifier.scores(self._channels[PHRASINGS].all_cosines(asked.vector), asked.grams, groups)

    def _phrased_enough(self) -> float:
        """0 where articles have one phrasing in a language, 1 where they have `enough`: the classifier has little to
        learn         from one, and passages have to tell what phrasings do not."""
        return float(np.clip(np.log(max(self._per_article, 1.0)) / np.log(self.ranking.enough), 0.0, 1.0))

    def _lexical(self, name: str, asked: _Question) -> tuple[np.ndarray, np.ndarray]:
        """Word and n-gram scores of every row of a channel, as shares of what the question could reach."""
        channel = self._channels[name]
        word = channel.words.scores(asked.words) / channel.words.bound(asked.words)
        char = channel.chars.scores(asked.grams) / channel.chars.bound(asked.grams)
        if asked.phonetic_keys and name == PHRASINGS and self._sounds is not None:
            heard = self._sounds.scores(asked.phonetic_keys) / self._sounds.bound(asked.phonetic_keys)
            word, char = np.maximum(word, heard), np.maximum(char, heard)
        return word, char

    def _row_scores(
        self,
        channel: Channel,
        asked: _Question,
        rows: np.ndarray,
        cosines: np.ndarray,
        word: np.ndarray,
        char: np.ndarray,
    ) -> np.ndarray:
        r = self.ranking
        lexical = r.words * word + (1 - r.words) * char
        dense = r.dense_latin if asked.phonetic_keys else r.dense_foreign if asked.foreign else r.dense
        dense *= asked.encoded
        return np.asarray(dense * cosines + (1 - dense) * lexical + asked.penalty[channel.lang[rows]], np.float32)

    def _candidates(
        self,
        asked: _Question,
        lexical: Mapping[str, tuple[np.ndarray, np.ndarray]],
        near: Mapping[str, tuple[np.ndarray, np.ndarray]],
        hidden: np.ndarray,
    ) -> np.ndarray:
        """Numbers of the articles worth scoring in full, ascending: those of the best rows of each
        channel's dense and lexical search."""
        rough = np.full(len(self.ids), -np.inf, np.float32)
        for name, channel in self._channels.items():
            word, char = lexical[name]
            mixed = self.ranking.words * word + (1 - self.ranking.words) * char
            keep = min(self.ranking.rows, channel.size)
            strong = np.argpartition(-mixed, keep - 1)[:keep] if keep else np.zeros(0, np.int64)
            strong = strong[mixed[strong] > 0]
            rows = np.concatenate([near[name][1], strong])
            cosines = np.concatenate([near[name][0], channel.cosines(asked.vector, strong)])
            np.maximum.at(
                rough, channel.group[rows], self._row_scores(channel, asked, rows, cosines, word[rows], char[rows])
            )
        rough[hidden] = -np.inf
        order = np.argsort(-rough, kind="stable")[: self.ranking.candidates]
        return np.sort(order[np.isfinite(rough[order])])

    def _result(
        self,
        text: str,
        asked: _Question,
        shares: Mapping[str, float],
        groups: np.ndarray,
        scores: np.ndarray,
        fused: np.ndarray,
        familiar: np.ndarray,
        likely: np.ndarray,
        scored: Mapping[str, _Scored],
        near: tuple[np.ndarray, np.ndarray],
        limit: int,
    ) -> Search:
        size = len(groups)
        phrased, result = scored[PHRASINGS], scored[PASSAGES]
        candidates = Candidates(
            number=groups,
            scores=scores,
            fused=fused,
            dense=best_of(phrased.cosines, phrased.slots, size, -1.0),
            passage_dense=best_of(result.cosines, result.slots, size, -1.0),
            word=best_of(phrased.word, phrased.slots, size, 0.0),
            char=best_of(phrased.char, phrased.slots, size, 0.0),
            classifier=familiar,
            probabilities=likely,
        )
        hits = []
        for i in np.argsort(-scores, kind="stable")[:limit]:
            row = self._best_phrasing(phrased, int(i))
            passage = self._best_passage(result, int(i), max(shares, key=shares.__getitem__))
            any_row = row or passage
            assert any_row is not None
            hits.append(
                Hit(
                    article=self.ids[groups[i]],
                    score=float(scores[i]),
                    lang=any_row.lang,
                    phrasing=row.text if row else "",
                    anchor=passage.anchor if passage else "",
                    dense=float(candidates.dense[i]),
                    passage_dense=float(candidates.passage_dense[i]),
                    word=float(candidates.word[i]),
                    char=float(candidates.char[i]),
                    classifier=float(familiar[i]),
                    class_probability=float(likely[groups[i]]),
                )
            )
        cosines, rows = near
        nearest = Nearest(
            cosines, self._channels[PHRASINGS].group[rows], float(self._density[rows[0]]) if len(rows) else 0.0
        )
        signals = measure(
            candidates,
            nearest,
            self._wording(asked, hits[0], int(groups[np.argmax(scores)]), shares),
            float((self._out_of_domain @ asked.vector).max()),
            self._statistics,
            self.ranking.temperature,
        )
        return Search(text, dict(shares), tuple(hits), signals, asked.encoded, self._likeness(text, asked, shares))

    def _likeness(self, text: str, asked: _Question, shares: Mapping[str, float]) -> Likeness | None:
        if self.acts is None or not asked.encoded or len(text.split()) > LONGEST:
            return None
        likely = [number for number, code in enumerate(self.languages) if shares.get(code, 0.0) >= SPOKEN]
        return self.acts.nearest(self.acts.likeness(asked.vector, asked.grams, np.array(likely, np.int64)))

    def _wording(self, asked: _Question, hit: Hit, group: int, shares: Mapping[str, float]) -> Wording:
        channel = self._channels[PHRASINGS]
        phrasing = language.normalise_script(hit.phrasing, hit.lang, self.tables)
        row_words = language.words(phrasing, hit.lang, self.tables)
        start, end = channel.starts[group : group + 2]
        other, unknown = self._other_domains(group, asked.domains)
        return Wording(
            coverage=channel.words.coverage(asked.words, row_words),
            article_grams=channel.chars.held(asked.grams, start, end),
            known_words=channel.words.known(asked.words),
            known_grams=channel.chars.known(asked.grams),
            centroid=self._centroid(group, asked.vector),
            length=float(np.log1p(len(asked.words))),
            same_language=float(hit.lang == max(shares, key=shares.__getitem__)),
            language_probability=float(max(shares.values())),
            phrasings=float(np.log1p(end - start)),
            other_domains=float(other),
            unknown_domains=float(unknown),
        )

    def _best_phrasing(self, scored: _Scored, slot: int) -> Row | None:
        own = np.flatnonzero(scored.slots == slot)
        return self._rows[PHRASINGS][scored.rows[own[np.argmax(scored.values[own])]]] if len(own) else None

    def _best_passage(self, scored: _Scored, slot: int, lang: str) -> Row | None:
        """The passage to quote: in the question's language if there is one, and the one above the first
        heading, which answers for the whole article, unless another fits clearly better."""
        own = np.flatnonzero(scored.slots == slot)
        result = [(self._rows[PASSAGES][scored.rows[i]], float(scored.values[i])) for i in own]
        rows = [(row, value) for row, value in result if row.lang == lang] or result
        if not rows:
            return None
        best: Row = max(rows, key=lambda pair: pair[1] + (LEAD if not pair[0].anchor else 0.0))[0]
        return best

    def _other_domains(self, group: int, named: Sequence[int]) -> tuple[int, int]:
        """How many domains a question names that an article does not, and of these how many that no article speaks of.
        An article without a text has not said what it is about, and tells nothing."""
        starts = self._channels[PASSAGES].starts
        other = [each for each in named if not self._domains_of[group, each] and starts[group] < starts[group + 1]]
        return len(other), sum(not self._domains_of[:, each].any() for each in other)

    def _centroid(self, group: int, vector: np.ndarray) -> float:
        """Cosine of the question to the mean phrasing of an article."""
        total = self._sums[group]
        return float(total @ vector / max(float(np.linalg.norm(total)), 1e-9))
