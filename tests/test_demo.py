"""The demo shop: one command serves it, and no other shop has anything of it."""

from __future__ import annotations

import http.client
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask
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
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as line:
            form = urlencode({"name": "demo", "password": "demo-password"})
            line.request("POST", "/desk/login", form, {"Content-Type": "application/x-www-form-urlencoded"})
            assert line.getresponse().status == 303
        assert "demo agent   name demo, password demo-password" in server.log


def test_it_needs_its_articles(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no demo shop at"), Served(tmp_path, "demo") as server:
        server.serves()


@pytest.fixture
def app(live: Live, store: Store) -> Flask:
    return create_app(index=live, store=store, settings=quiet())


@pytest.mark.parametrize("path", ["/demo", "/demo/", "/demo/en", "/demo/en/cart", "/demo/en/orders/LZ-20418"])
def test_another_shop_serves_nothing_of_it(app: Flask, path: str) -> None:
    client = app.test_client()
    assert client.get(path).status_code == 404
    for page in ("/help/en/", "/help/en/orders/track-order", "/desk/login", "/widget", "/nothing"):
        text = client.get(page, headers={"Accept": "text/html"}).text
        assert "/demo" not in text
        assert "alezar" not in text
