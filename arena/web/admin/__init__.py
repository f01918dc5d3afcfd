"""The frame of the pages for operators and reviewers: who may enter, forms, messages and the audit trail.

To add a page `/admin/things`:

1. `arena/web/pages/admin/things.py` has `routes(frame: Frame) -> APIRouter` with handlers such as
   `def show(visit: Operator) -> HTMLResponse: return frame.page("admin_things.html", visit, rows=...)`.
   `visit: Operator` or `visit: Reviewer` is who asks; somebody without that role never reaches the handler.
2. `arena/web/templates/admin_things.html` extends `admin_base.html` and takes its macros from `admin_parts.html`:
   `{% from "admin_parts.html" import form, confirm, fact, pager with context %}`, `{% call form("/admin/things/add") %}…
   <button>…</button>{% endcall %}` is a POST form with its CSRF token. No script, no inline handler.
3. An action is a POST handler. Guard, CSRF token and origin are checked before it runs. It works inside
   `with frame.action(visit, "thing.add", target, reason=reason) as session:`, one transaction with its audit entry, and
   returns `frame.back(visit, "/admin/things", Phrase("The thing {name} was added.", name=name))`: the next page says so.
   A refusal is a `TranslatableError`: raise it inside; the reader is sent back to the page with its text.
4. One line in `ADMIN_PAGES` of `arena/web/pages/admin/__init__.py`: address, title, role, routes.
5. Texts are marked and translated as everywhere (docs/decisions/languages.md).
"""

from arena.web.admin.frame import AdminPage, Frame, include_admin
from arena.web.admin.guard import Operator, Reviewer, Visit, guard

__all__ = ["AdminPage", "Frame", "Operator", "Reviewer", "Visit", "guard", "include_admin"]
