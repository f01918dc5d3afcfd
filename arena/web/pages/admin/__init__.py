"""The pages below `/admin`, one file for each address, and below `/review`.

`arena/web/admin/__init__.py` says how to add one. `ADMIN_PAGES` has what the navigation
shows, in its order; each line is an address, a title, the lowest role, and the routes.
"""

from __future__ import annotations

from arena.rules.messages import gettext_noop
from arena.rules.roles import Role
from arena.web.admin import AdminPage
from arena.web.pages import review, review_agreement
from arena.web.pages.admin import (
    accounts,
    appeals,
    audit,
    battles,
    export,
    models,
    moderation,
    overview,
    prompts,
    terms,
    votes,
)

ADMIN_PAGES = (
    AdminPage("/admin", gettext_noop("Overview"), Role.REVIEWER, overview.routes),
    AdminPage("/admin/battles", gettext_noop("Battles"), Role.REVIEWER, battles.routes),
    AdminPage("/admin/models", gettext_noop("Models"), Role.OPERATOR, models.routes),
    AdminPage("/admin/votes", gettext_noop("Held votes"), Role.REVIEWER, votes.routes),
    AdminPage("/admin/appeals", gettext_noop("Appeals"), Role.REVIEWER, appeals.routes),
    AdminPage("/review", gettext_noop("Review"), Role.REVIEWER, review.routes),
    AdminPage("/review/agreement", gettext_noop("Agreement"), Role.REVIEWER, review_agreement.routes),
    AdminPage(moderation.PATH, gettext_noop("Moderation"), Role.OPERATOR, moderation.routes),
    AdminPage("/admin/prompts", gettext_noop("Suggested prompts"), Role.OPERATOR, prompts.routes),
    AdminPage("/admin/terms", gettext_noop("Texts for visitors"), Role.OPERATOR, terms.routes),
    AdminPage("/admin/export", gettext_noop("Export and seal"), Role.OPERATOR, export.routes),
    AdminPage("/admin/audit", gettext_noop("Audit trail"), Role.OPERATOR, audit.routes),
    AdminPage("/admin/accounts", gettext_noop("Accounts"), Role.OPERATOR, accounts.routes),
    AdminPage("/admin/account", gettext_noop("Your account"), Role.VOTER, accounts.own_routes),
)
