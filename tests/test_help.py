"""The pages that customers read: the help centre and the demo shop, as a browser without JavaScript has them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from botkit import language
from botkit.server.customer.snippets import snippet
from botkit.server.http.templates import telephone

VOID = {"meta", "link", "input", "img", "br", "hr", "circle", "path", "rect"}


class Page(HTMLParser):
    """A page as a reader's software sees it: ids, links, headings, labels; a tag left open is an error."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        self.tags.append((tag, values))
        if tag not in VOID:
            self._open.append(tag)
        if values.get("id"):
            self.ids.append(str(values["id"]))
        if tag == "a" and values.get("href"):
            self.links.append(str(values["href"]))
        if tag in ("h1", "h2", "h3"):
            self.headings.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1:] == [tag], (tag, self._open[-3:])
        self._open.pop()

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [values for name, values in self.tags if name == tag]


def read(client: FlaskClient, address: str, status: int = 200) -> Page:
    response = client.get(address)
    assert response.status_code == status, (address, response.status_code)
    return Page(response.get_data(as_text=True))


PAGES = [
    "/help/en/", "/help/ar/", "/help/fa/", "/help/en/orders", "/help/en/orders/track-order",
    "/help/en/returns/how-to-return", "/help/en/company/about", "/help/ar/company/about",
    "/help/fa/returns/how-to-return", "/help/en/search", "/help/en/search?q=label", "/help/ar/search?q=xqzvbw",
    "/demo/en", "/demo/ar", "/demo/fa/cart", "/demo/en/orders/LZ-20418", "/api",
]  # fmt: skip


@pytest.mark.parametrize("address", PAGES)
def test_a_page_can_be_read_by_everybody(client: FlaskClient, address: str) -> None:
    """Language and direction, one h1, landmarks, a skip link that leads somewhere, labelled fields, unique ids."""
    page = read(client, address)
    root = page.all("html")[0]
    assert root["lang"]
    assert root["dir"] == language.direction(str(root["lang"]))
    assert page.headings.count("h1") == 1
    assert page.headings[0] == "h1"
    assert len(page.all("main")) == 1
    assert page.all("header")
    assert page.all("footer")
    assert page.links[0] == "#main"
    assert "main" in page.ids
    assert len(page.ids) == len(set(page.ids))
    labelled = {values.get("for") for values in page.all("label")}
    for field in page.all("input"):
        assert field["id"] in labelled
    for image in page.all("img"):
        assert "alt" in image
        assert image.get("width")
        assert image.get("height")
    for nav in page.all("nav"):
        assert nav.get("aria-label") or nav.get("aria-labelledby") in page.ids


@pytest.mark.parametrize("address", PAGES)
def test_every_link_leads_somewhere(client: FlaskClient, address: str) -> None:
    page = read(client, address)
    for link in set(page.links):
        if link.startswith(("mailto:", "tel:")):
            continue
        if link.startswith("#"):
            assert link[1:] in page.ids, link
            continue
        target, _, fragment = link.partition("#")
        response = client.get(target, follow_redirects=True)
        assert response.status_code == 200, link
        if fragment:
            assert fragment in Page(response.get_data(as_text=True)).ids, link


@pytest.mark.parametrize(
    ("accept", "lang"),
    [("ar-EG,ar;q=0.9,en;q=0.5", "ar"), ("de,fa;q=0.4", "fa"), ("de", "en"), ("", "en"), ("en;q=0,ar;q=0.1", "ar")],
)
def test_the_first_visit_is_in_the_readers_language(client: FlaskClient, accept: str, lang: str) -> None:
    for address, expected in (("/", f"/help/{lang}/"), ("/help", f"/help/{lang}/"), ("/demo", f"/demo/{lang}")):
        response = client.get(address, headers={"Accept-Language": accept})
        assert response.status_code == 302
        assert response.headers["Location"] == expected
        assert "Accept-Language" in response.headers["Vary"]


def test_a_long_article_has_a_table_of_contents_and_a_short_one_has_none(client: FlaskClient) -> None:
    long = read(client, "/help/en/returns/how-to-return")
    anchors = [link for link in long.links if link.startswith("#") and link != "#main"]
    assert len(set(anchors)) == 3
    short = read(client, "/help/en/orders/invoice")
    assert [link for link in short.links if link.startswith("#")] == ["#main"]


def test_a_file_of_short_questions_is_one_page_with_an_anchor_for_each(client: FlaskClient) -> None:
    page = read(client, "/help/en/company/about")
    assert {"hours", "address"} <= set(page.ids)
    partly = read(client, "/help/ar/company/about")
    assert {"hours", "address"} <= set(partly.ids), "what is not translated is shown in another language"
    assert '<section class="faq-entry" aria-labelledby="address" lang="en" dir="ltr">' in partly.html
    home = read(client, "/help/en/company")
    assert "/help/en/company/about#hours" in home.links


def test_an_article_without_a_translation_is_shown_in_another_language_and_says_so(client: FlaskClient) -> None:
    page = read(client, "/help/fa/returns/how-to-return")
    assert page.all("html")[0] == {"lang": "fa", "dir": "rtl"}
    assert 'class="notice"' in page.html
    assert "English" in page.html
    assert '<div class="prose" lang="en" dir="ltr">' in page.html
    assert '<link rel="canonical" href="https://help.shop.example/help/en/returns/how-to-return">' in page.html
    assert 'content="noindex"' in page.html


def test_translations_are_linked_for_search_engines(client: FlaskClient) -> None:
    page = read(client, "/help/en/orders/track-order")
    others = {link["hreflang"]: link["href"] for link in page.all("link") if link.get("rel") == "alternate"}
    assert others == {
        code: f"https://help.shop.example/help/{'en' if code == 'x-default' else code}/orders/track-order"
        for code in ("en", "ar", "fa", "x-default")
    }


def test_the_sitemap_has_every_page_once(client: FlaskClient) -> None:
    root = ElementTree.fromstring(client.get("/sitemap.xml").data)
    space = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    addresses = [node.text for node in root.findall("s:url/s:loc", space)]
    assert len(addresses) == len(set(addresses))
    assert "https://help.shop.example/help/ar/company/about" in addresses
    assert "https://help.shop.example/help/fa/returns/how-to-return" not in addresses, "there is no such translation"
    assert not any("staff" in str(address) for address in addresses)
    assert "Sitemap: https://help.shop.example/sitemap.xml" in client.get("/robots.txt").get_data(as_text=True)


def test_search_works_without_javascript_and_marks_the_words(client: FlaskClient) -> None:
    page = read(client, "/help/en/search?q=print+a+label")
    assert "<mark>" in page.html
    assert "/help/en/returns/how-to-return" in " ".join(page.links)
    assert page.all("input")[0]["value"] == "print a label"


def test_a_search_that_finds_nothing_offers_a_way_on(client: FlaskClient) -> None:
    page = read(client, "/help/en/search?q=xqzvbw+kjhgf")
    assert "Nothing found" in page.html
    assert any(link.startswith("mailto:help@shop.example?subject=xqzvbw") for link in page.links)
    assert "/help/en/returns" in page.links


def test_what_is_searched_for_is_text_and_never_markup(client: FlaskClient) -> None:
    page = read(client, "/help/en/search?q=%3Cb%3Elabel%3C/b%3E%22%20onfocus=x")
    assert not page.all("b")
    assert all("onfocus" not in values for _, values in page.tags)


def test_an_unchanged_page_is_not_sent_twice(client: FlaskClient) -> None:
    tag = client.get("/help/en/orders/track-order").headers["ETag"]
    assert client.get("/help/en/orders/track-order", headers={"If-None-Match": tag}).status_code == 304


def test_the_demo_shop_carries_the_chat(client: FlaskClient) -> None:
    for address in ("/demo/ar", "/help/ar/"):
        scripts = read(client, address).all("script")
        assert {"src": "/static/widget/loader.js", "data-lang": "ar", "defer": None} in scripts


def test_the_widget_knows_the_page_as_the_shop_does(client: FlaskClient) -> None:
    """An article that the site offers on /orders/* is offered below /demo too."""
    html = client.get("/widget?lang=en&page=/demo/en/orders/12").get_data(as_text=True)
    assert 'data-article="orders/track-order"' in html
    assert client.get("/widget?lang=xx", headers={"Accept-Language": "fa"}).headers["Content-Language"] == "fa"


def test_every_text_is_used_and_every_text_used_exists() -> None:
    templates = "".join(file.read_text() for file in (language.web_folder() / "templates").rglob("*.html"))
    used = set(re.findall(r"""\bt\(["']((?:site|help|demo)\.[a-z_]+)["']""", templates))
    known = {key for key in language.messages("en") if key.startswith(("site.", "help.", "demo."))}
    assert {key for key in used - known if not key.endswith("_")} == set()
    made = re.compile(r"site\.zone|demo\.(promise_\w+|\w+_(?:name|about|price))")
    assert {key for key in known - used if not made.fullmatch(key)} == set()


def test_marks_lie_on_the_words_and_the_text_is_escaped() -> None:
    cut = snippet("Print the <b>labels</b> at home & keep them.", "label", "en")
    assert [cut.text[start:end] for start, end in cut.marks] == ["labels"]
    assert str(cut.html) == "Print the &lt;b&gt;<mark>labels</mark>&lt;/b&gt; at home &amp; keep them."


def test_a_long_text_is_cut_between_words_where_most_words_match() -> None:
    text = "filler words here " * 40 + "the refund comes back to the card" + " more filler" * 40
    cut = snippet(text, "refund card", "en", length=80)
    assert {cut.text[start:end] for start, end in cut.marks} == {"refund", "card"}
    assert cut.text.startswith("… ")
    assert cut.text.endswith(" …")
    assert len(cut.text) <= 84


def test_a_persian_telephone_number_can_be_dialled() -> None:
    assert telephone("۰۲۱-۵۵۵۰۱۴۲") == "0215550142"
    assert telephone("+44 20 7946 0150") == "+442079460150"


@given(st.lists(st.sampled_from(["refund", "card", "money", "and", "so", "x" * 90]), max_size=60))
def test_the_cut_has_as_many_of_the_words_as_any_stretch_of_its_length(text: list[str]) -> None:
    wanted, length = {"refund", "card", "money"}, 80
    shown = snippet(" ".join(text), "refund card money", "en", length=length)
    stretches = (" ".join(text[at:]) for at in range(len(text)))
    most = max((len(wanted & set(stretch[: length * 3 // 4].split())) for stretch in stretches), default=0)
    assert len({shown.text[start:end] for start, end in shown.marks}) >= most


def test_a_long_text_of_one_word_is_cut_in_no_time() -> None:
    assert len(snippet("word " * 50_000, "word", "en").text) < 300
