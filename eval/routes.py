"""Every route of the application, and the file of the package that serves it.

    python eval/routes.py [--only desk]

No index and no database is needed: nothing is asked.
"""

from __future__ import annotations

import argparse
import inspect
import tempfile
from pathlib import Path

from flask import Flask

import botkit
from botkit.server import create_app
from botkit.store import Store
from eval import common

PACKAGE = Path(botkit.__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="only addresses that have this in them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/botkit.db")
        app = create_app(index=None, store=store, demo=True)  # type: ignore[arg-type]
        rows = [row for row in served(app) if options.only in row[1]]
        store.close()
    print(common.table(["method", "address", "file"], rows))


def served(app: Flask) -> list[tuple[str, str, str]]:
    """(method, address, file) of each route, by address."""
    result = []
    for rule in sorted(app.url_map.iter_rules(), key=str):
        view = inspect.unwrap(app.view_functions[rule.endpoint])
        file = Path(inspect.getfile(view))
        name = str(file.relative_to(PACKAGE.parent)) if file.is_relative_to(PACKAGE) else "flask"
        result += [(method, rule.rule, name) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
    return result


if __name__ == "__main__":
    main()
