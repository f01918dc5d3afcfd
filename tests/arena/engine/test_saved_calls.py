"""Calls as a reply cache has them, failures included."""

from __future__ import annotations

from arena.engine import Entry, ReplyCache, SavedCalls, Status

KEY, OTHER, THIRD = "a" * 64, "b" * 64, "c" * 64
REPLY = {"choices": [{"message": {"content": "[[A]]"}}]}


def test_a_call_has_its_reply_and_the_tries_time_and_cost_of_all_runs(tmp_path):
    path = tmp_path / "replies.jsonl"
    with ReplyCache(path) as cache:
        cache.append(Entry(KEY, Status.TRANSPORT, "judge", None, "HTTP 500", 3, 1.5, 0.25))
        cache.append(Entry(OTHER, Status.OK, "judge", REPLY))
        cache.append(Entry(KEY, Status.OK, "judge", REPLY, "", 1, 0.5, 0.5))
        cache.append(Entry(THIRD, Status.UNPARSABLE, "judge", {"choices": []}, "no verdict", 2))
        with SavedCalls(path, {KEY, THIRD, "d" * 64}) as saved:  # while a run has the file open
            call = saved.call(KEY)
            assert call is not None
            assert (call.status, call.reply, call.attempts, call.seconds, call.cost) == ("ok", REPLY, 4, 2.0, 0.75)
            failed = saved.call(THIRD)
            assert failed is not None
            assert (failed.status, failed.reply, failed.detail) == ("unparsable", {"choices": []}, "no verdict")
            assert failed.cost is None
            assert saved.call("d" * 64) is None
            assert saved.call(OTHER) is None  # not one of the keys
            assert (KEY in saved, "d" * 64 in saved) == (True, False)


def test_a_file_that_is_not_there_has_no_calls(tmp_path):
    with SavedCalls(tmp_path / "none.jsonl", {KEY}) as saved:
        assert saved.call(KEY) is None


def test_a_line_that_a_crash_cut_short_is_no_entry(tmp_path):
    path = tmp_path / "replies.jsonl"
    with ReplyCache(path) as cache:
        cache.append(Entry(KEY, Status.OK, "judge", REPLY))
    path.write_bytes(path.read_bytes()[:-5])
    with SavedCalls(path, {KEY}) as saved:
        assert KEY not in saved
