"""Languages of the pages: catalogues of messages, and the language of each request.

```
catalogues.py   reads <language>/LC_MESSAGES/arena.po        negotiation.py   which language a request gets
current.py      gettext, ngettext and formats of a request   middleware.py    sets it, and its headers
extraction.py   the texts of the sources; `python -m arena.web.locales` adds them to the catalogues
```
"""

from arena.web.locales.catalogues import ENGLISH, Language, languages
from arena.web.locales.current import (
    current_language,
    day,
    gettext,
    language_links,
    ngettext,
    number,
    pgettext,
    script_texts,
    speaking,
    text_of,
)
from arena.web.locales.middleware import COOKIE, Languages

__all__ = [
    "COOKIE",
    "ENGLISH",
    "Language",
    "Languages",
    "current_language",
    "day",
    "gettext",
    "language_links",
    "languages",
    "ngettext",
    "number",
    "pgettext",
    "script_texts",
    "speaking",
    "text_of",
]
