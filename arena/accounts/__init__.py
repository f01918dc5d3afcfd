"""Accounts of operators and reviewers: passwords, sessions, and the audit trail of what they did.

```
accounts.py    add, disable, enable, change password and role     logins.py    sign in, counted and in constant time
passwords.py   Argon2id hashes, and which passwords are refused    sessions.py  who a token belongs to, and until when
audit.py       `record` one action in its own transaction          own_votes.py nobody releases a vote of their own
```

Anonymous voters have no account; their sessions are in `arena/web/session.py`.
"""
