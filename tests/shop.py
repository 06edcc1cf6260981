"""A shop small enough to know by heart, for the tests of the record: its index, and a clock that is moved by hand."""

import atexit
import functools
import tempfile
from pathlib import Path

from botkit import build
from botkit.index import Index

HOURS = ", ".join(f'{day} = ["09:00", "17:00"]' for day in ("mon", "tue", "wed", "thu", "fri"))
FACTS = 'email = "help@shop.example"\nphone = "020 7946 0150"\ntime_zone = "UTC"\nhours = "Mon-Fri 9-17"\n'

FILES = {
    "corpus.toml": 'name = "Shop"\nlanguages = ["en", "tr", "fa"]\ndefault_language = "en"\n'
    + "".join(f'[shop.{lang}]\nname = "Shop"\n{FACTS}open = {{ {HOURS} }}\n' for lang in ("en", "tr", "fa")),
    "en/orders/track.md": """---
title: Where is my order?
questions: [track my parcel, has my order been sent yet, when does my parcel come]
---
Open *My orders*: the tracking page of the courier shows where the parcel is.
""",
    "en/returns/refund.md": """---
title: When do I get my money back?
questions: [how long does a refund take, I have not received my refund, refund status]
---
Five to seven working days after the parcel has reached us.
""",
    "en/care/rug.md": """---
title: How do I wash a rug?
questions: [cleaning a kilim, wash a woollen rug, can a rug go in the machine]
---
By hand, in cold water.
""",
    "en/care/towel.md": """---
title: How do I wash a towel?
questions: [cleaning towels, wash a cotton towel, can a towel go in the machine]
---
In the machine, at 60 degrees.
""",
    "en/complaint.md": """---
title: I want to make a complaint
questions: [complain about your service, I was treated badly]
action: handoff
---
We are sorry. Please have your order number ready.
""",
    "tr/orders/track.md": """---
title: Siparişim nerede?
questions: [kargom nerede, siparişim yola çıktı mı, kargo takibi]
---
*Siparişlerim* sayfasını açın: kargonun nerede olduğunu orada görürsünüz.
""",
    "fa/orders/track.md": """---
title: سفارش من کجاست؟
questions: [پیگیری مرسوله, سفارشم ارسال شده یا نه, بسته من کی می‌رسد]
---
صفحهٔ *سفارش‌های من* نشان می‌دهد بسته الان کجاست.
""",
}
NONSENSE = "qwzx vbnm plok"


@functools.cache
def folder() -> Path:
    """The shop's published index, built once a session with the default encoder."""
    temporary = tempfile.TemporaryDirectory()
    atexit.register(temporary.cleanup)
    root = Path(temporary.name)
    for name, text in FILES.items():
        file = root / "corpus" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    build.publish(root / "corpus", root / "index")
    return root / "index"


@functools.cache
def index() -> Index:
    """That index, opened."""
    return Index.open(folder())
