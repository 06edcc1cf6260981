"""The intent classifier: kernel ridge regression, equal to the textbook's, near 1 for the right article, near 0 for the
others; and logistic regression, equal to scikit-learn's on the rows themselves."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from botkit.index import classifier as classifiers
from botkit.index.classifier import CHARS, INVERSE_PENALTY, MOST_ROWS, MOST_WEIGHTS, RIDGE, WIDTH, Classifier
from botkit.index.lexical import Lexical
from botkit.index.terms import Bags

Problem = tuple[np.ndarray, list[list[str]], np.ndarray, Lexical]


def problem(seed: int = 3, groups: int = 4, rows: int = 30) -> Problem:
    """Vectors and n-grams of a few articles' phrasings, each article about a centre and n-grams of its own."""
    rng = np.random.default_rng(seed)
    group = np.sort(np.concatenate([np.arange(groups), rng.integers(0, groups, rows - groups)])).astype(np.int32)
    vectors = unit(1.5 * rng.normal(size=(groups, 32))[group] + rng.normal(size=(rows, 32)))
    grams = [[f"g{(g * 3 + t) % 12}" for t in rng.integers(0, 5, size=6)] for g in group]
    return vectors, grams, group, Lexical.build(grams)


def unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), np.float32)


def fitted(value: Problem, groups: int = 4) -> Classifier:
    vectors, grams, group, chars = value
    result = Classifier.fit(vectors, Bags.of(grams), group, groups, chars)
    assert result is not None
    return result


def said(classifier: Classifier, vectors: np.ndarray, vector: np.ndarray, grams: list[str]) -> np.ndarray:
    """The scores of every article for one text."""
    return classifier.scores(vectors @ vector, grams, np.arange(len(classifier.dual)))[0]


def chosen(classifier: Classifier, vectors: np.ndarray, vector: np.ndarray, grams: list[str]) -> np.ndarray:
    """The probabilities of every article for one text."""
    return classifier.scores(vectors @ vector, grams, np.arange(len(classifier.dual)))[1]


def tfidf(grams: list[str], chars: Lexical) -> np.ndarray:
    """(1 + log n) * idf over the known grams, of length 1."""
    row = np.zeros(len(chars.column))
    for gram in set(grams) & set(chars.column):
        row[chars.column[gram]] = (1 + np.log(grams.count(gram))) * chars.idf[chars.column[gram]]
    return row / max(float(np.linalg.norm(row)), 1e-12)


def textbook(value: Problem, groups: int, vector: np.ndarray, grams: list[str]) -> np.ndarray:
    """offset + k(x)' (K + ridge I)^-1 (Y - offset), in double precision and with whole matrices."""
    vectors, rows, group, chars = value
    dense, sparse = vectors.astype(np.float64), np.array([tfidf(row, chars) for row in rows])
    kernel = np.exp((dense @ dense.T - 1) / WIDTH) + CHARS * (sparse @ sparse.T)
    of_text = np.exp((dense @ vector - 1) / WIDTH) + CHARS * (sparse @ tfidf(grams, chars))
    target = np.eye(groups)[group]
    offset = target.mean(axis=0)
    return np.asarray(offset + of_text @ np.linalg.solve(kernel + RIDGE * np.eye(len(group)), target - offset))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("asked", [["g1", "g1", "g7", "never seen"], ["never seen"], [], ["g0", "g4", "g4", "g4"]])
def test_scores_are_those_of_kernel_ridge_regression(seed: int, asked: list[str]) -> None:
    """Known, repeated, unknown and no n-grams; a vector of the phrasings' own and any other."""
    value = problem(seed)
    classifier = fitted(value)
    for vector in (value[0][3], unit(np.random.default_rng(seed).normal(size=32))):
        expected = textbook(value, 4, vector, asked)
        np.testing.assert_allclose(said(classifier, value[0], vector, asked), expected, atol=2e-4)


def test_an_article_scores_near_one_on_its_own_phrasings_and_the_others_near_nothing() -> None:
    """The scale that a question's figures are read on."""
    value = problem(groups=6, rows=60)
    classifier = fitted(value, 6)
    for vector, grams, own in zip(*value[:3], strict=True):
        scores = said(classifier, value[0], vector, grams)
        assert scores.argmax() == own
        assert scores[own] > 0.7
        assert np.delete(scores, own).max() < 0.3


def test_a_text_like_nothing_scores_near_nothing_everywhere() -> None:
    """No article is guessed: a vector at right angles to all of them, and n-grams that none has."""
    value = problem(groups=6, rows=20)
    classifier = fitted(value, 6)
    strange = np.linalg.svd(value[0])[2][-1].astype(np.float32)
    assert np.abs(value[0] @ strange).max() < 1e-5
    assert np.abs(said(classifier, value[0], strange, ["never seen"])).max() < 0.3


def test_some_articles_are_scored_as_all_are() -> None:
    """In the order asked for."""
    value = problem()
    classifier = fitted(value)
    asked = value[0] @ value[0][5], value[1][5]
    some, every = classifier.scores(*asked, np.array([3, 1])), classifier.scores(*asked, np.arange(4))
    assert some[0] == pytest.approx(every[0][[3, 1]], abs=1e-6)
    assert some[1] == pytest.approx(every[1])


@pytest.mark.parametrize("groups", [2, 4])
def test_probabilities_are_those_of_logistic_regression_on_the_rows_themselves(groups: int) -> None:
    """Its features are the vector and the n-grams' tf-idf side by side; an article with few rows weighs as one with
    many."""
    value = problem(groups=groups, rows=40)
    vectors, grams, group, chars = value
    tall = np.hstack([vectors, np.sqrt(CHARS) * np.array([tfidf(row, chars) for row in grams])])
    model = LogisticRegression(C=INVERSE_PENALTY, class_weight="balanced", max_iter=5000, tol=1e-8).fit(tall, group)
    classifier = fitted(value, groups)
    for asked in (["g1", "g1", "g7", "never seen"], []):
        vector = unit(np.random.default_rng(groups).normal(size=32))
        wide = np.concatenate([vector, np.sqrt(CHARS) * tfidf(asked, chars)])[None, :]
        result = chosen(classifier, vectors, vector, asked)
        np.testing.assert_allclose(result, model.predict_proba(wide)[0], atol=0.02)
        assert result.sum() == pytest.approx(1.0)


def test_fewer_landmarks_than_rows_find_the_same_articles(monkeypatch: pytest.MonkeyPatch) -> None:
    """What large indexes are spared costs them little."""
    value = problem(groups=6, rows=80)
    monkeypatch.setattr(classifiers, "LANDMARKS", 40)
    classifier = fitted(value, 6)
    assert classifier.choice.shape == (6, 40)
    result = [chosen(classifier, value[0], vector, grams).argmax() for vector, grams in zip(*value[:2], strict=True)]
    assert np.mean(np.array(result) == value[2]) > 0.9


def test_with_too_many_articles_the_scores_stand_for_the_probabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are in the scores' order and sum to one."""
    value = problem()
    monkeypatch.setattr(classifiers, "MOST_CHOICES", 1)
    classifier = fitted(value)
    assert classifier.choice.size == 0
    scores, likely = classifier.scores(value[0] @ value[0][5], value[1][5], np.arange(4))
    assert likely.argsort().tolist() == scores.argsort().tolist()
    assert likely.sum() == pytest.approx(1.0)


def test_a_classifier_on_disk_is_the_same(tmp_path: Path) -> None:
    """To the last bit; a folder without one has none."""
    value = problem()
    classifier = fitted(value)
    assert Classifier.read(tmp_path, value[3]) is None
    classifier.write(tmp_path)
    again = Classifier.read(tmp_path, value[3])
    assert again is not None
    assert sorted(f.name for f in tmp_path.iterdir()) == sorted(f"head.{part}.npy" for part in Classifier.PARTS)
    for ask in (said, chosen):
        for row in range(5):
            before, after = (ask(h, value[0], value[0][row], value[1][row]) for h in (classifier, again))
            assert before.tobytes() == after.tobytes()


def test_where_nothing_can_be_learned_there_is_no_classifier() -> None:
    """One article; more phrasings than can be solved for; more weights than can be kept."""
    vectors, grams, group, chars = problem()
    assert Classifier.fit(vectors, Bags.of(grams), np.zeros_like(group), 1, chars) is None

    def of(rows: int, groups: int) -> Classifier | None:
        bags = Bags.of([[]] * rows)
        vectors, group = np.zeros((rows, 1), np.float32), np.zeros(rows, np.int32)
        return Classifier.fit(vectors, bags, group, groups, Lexical.build(bags))

    assert of(MOST_ROWS + 1, 2) is None
    assert of(1000, MOST_WEIGHTS // 1000 + 1) is None
    assert of(20, 2) is not None


def test_phrasings_without_n_grams_and_articles_without_phrasings_are_fine() -> None:
    """A title such as `?!` has no n-gram; an article may have no phrasing in the languages there are."""
    vectors, grams, group, _ = problem()
    grams[4] = []
    value = vectors, grams, group, Lexical.build(grams)
    classifier = fitted(value, 5)
    scores = said(classifier, vectors, vectors[4], [])
    np.testing.assert_allclose(scores, textbook(value, 5, vectors[4], []), atol=2e-4)
    assert scores.argmax() == group[4]
    assert abs(scores[4]) < 1e-3, "an article without phrasings is never the one"
    assert chosen(classifier, vectors, vectors[4], [])[4] < 1e-6
    none = vectors, [[] for _ in grams], group, Lexical.build([[] for _ in grams])
    np.testing.assert_allclose(
        said(fitted(none), vectors, vectors[0], ["g1"]), textbook(none, 4, vectors[0], []), atol=2e-4
    )
