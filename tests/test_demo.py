"""The demo shop: one command serves it, and no other shop has anything of it."""

from __future__ import annotations

import http.client
import re
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from quiet import quiet
from served import Served
from small import FRUIT, write

from botkit.index import Live
from botkit.server import create_app
from botkit.store import Store


def test_one_command_builds_and_serves_it_with_an_agent(tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", {**FRUIT, "corpus.toml": 'name = "Fruit"\nlanguages = ["en"]\n'})
    arguments = ("--corpus", corpus, "--index", tmp_path / "index", "--database", f"sqlite:///{tmp_path}/demo.db")
    with Served(tmp_path, "demo", *arguments) as server:
        server.until(lambda: server.status("GET", "/readyz") == 200, "not ready")
        assert server.status("GET", "/demo/en") == 200
        assert not (tmp_path / "botkit.db").exists()
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as line:
            form = urlencode({"name": "demo", "password": "demo-password"})
            line.request("POST", "/desk/login", form, {"Content-Type": "application/x-www-form-urlencoded"})
            assert line.getresponse().status == 303
        assert "demo agent   name demo, password demo-password" in server.log


def test_it_takes_nothing_of_the_shop_whose_settings_lie_there(tmp_path: Path) -> None:
    """Its agent has a known password and its tickets are nobody's: no open address, webhook, keys or database."""
    (tmp_path / "botkit.toml").write_text(
        'host = "0.0.0.0"\nbase_url = "https://help.shop.example"\nkeys = "shop.keys"\ndatabase = "sqlite:///shop.db"\n'
        'webhook_url = "https://shop.example/hook"\nwebhook_secret = "wrong"\nsecond_factor_roles = "supervisor"\n'
    )
    corpus = write(tmp_path / "corpus", {**FRUIT, "corpus.toml": 'name = "Fruit"\nlanguages = ["en"]\n'})
    with Served(tmp_path, "demo", "--corpus", corpus) as server:
        server.until(lambda: server.status("GET", "/readyz") == 200, "not ready")
        assert f"http://127.0.0.1:{server.port}/demo" in server.log
        assert f"Listening at: http://127.0.0.1:{server.port}" in server.log
    assert (tmp_path / "demo.db").exists()
    assert not (tmp_path / "shop.db").exists()
    assert not (tmp_path / "shop.keys").exists()


def test_it_needs_its_articles(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no demo shop at"), Served(tmp_path, "demo") as server:
        server.serves()


@pytest.fixture
def app(live: Live, store: Store) -> Flask:
    return create_app(index=live, store=store, settings=quiet())


@pytest.fixture
def visitor(live: Live, store: Store) -> FlaskClient:
    """Of the demo shop."""
    return create_app(index=live, store=store, settings=quiet(), demo=True).test_client()


@pytest.mark.parametrize(
    "path",
    ["/demo", "/demo/", "/demo/en", "/demo/en/cart", "/demo/en/orders/LZ-20418", "/static/demo/hero.svg"],
)
def test_another_shop_serves_nothing_of_it(app: Flask, path: str) -> None:
    client = app.test_client()
    assert client.get(path).status_code == 404
    for page in ("/help/en/", "/help/en/orders/track-order", "/desk/login", "/widget", "/nothing"):
        text = client.get(page, headers={"Accept": "text/html"}).text
        assert "/demo" not in text
        assert "alezar" not in text


def test_its_pages_have_their_pictures(visitor: FlaskClient) -> None:
    """They lie beside the product's own static files and are served with the demo alone."""
    pictures = set(re.findall(r'src="(/static/demo/[^"]+)"', visitor.get("/demo/en").text))
    assert len(pictures) > 5
    for picture in pictures:
        answer = visitor.get(picture, buffered=True)
        assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
        assert "immutable" in answer.headers["Cache-Control"]


def test_another_shops_page_below_demo_is_its_own(app: Flask, visitor: FlaskClient) -> None:
    """Only on the demo shop is /demo/en/orders/12 the shop's page /orders/12."""
    asked = "/widget?lang=en&page=/demo/en/orders/12"
    assert '"page": "/orders/12"' in visitor.get(asked).text
    assert '"page": "/demo/en/orders/12"' in app.test_client().get(asked).text
