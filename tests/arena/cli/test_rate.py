"""`arena rate` on files."""

import csv
import io
import json
import subprocess
import sys

import pytest

import ratings
from arena.exchange.battles_file import read_battles_file
from arena.exchange.formats.battle_columns import BadBattlesFile
from arena.rules.csv_table import csv_table
from tests.support.typed import typed

HEADER = ["model_a", "model_b", "winner", "voter", "prompt_id", "category", "completion_a", "completion_b"]
LONG, SHORT = "# Title\n\n- one **bold**\n- two\n" + "word " * 40, "short answer"


def battles(count=60):
    """Each of three models wins and loses; the longer completion wins more."""
    rows = []
    for i in range(count):
        a, b = ("x", "y", "z")[i % 3], ("y", "z", "x")[i % 3]
        winner = ("model_a", "model_a", "model_b", "tie", "both_bad", "model_a", "model_b")[i % 7]
        longer = (LONG, SHORT) if (winner == "model_a") == (i % 5 > 0) else (SHORT, LONG)
        rows.append([a, b, winner, f"v{i % 9}", f"p{i % 11}", ("math", "prose")[i % 2], *longer])
    return rows


def written(path, rows=None, header=HEADER):
    rows = battles() if rows is None else rows
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])
    else:
        records = [json.dumps(dict(zip(header, row, strict=True))) for row in rows]
        path.write_text("\n".join(records) + "\n", encoding="utf-8")
    return path


def run(*words):
    return typed("rate", *words)


def board(*words):
    result = run(*words, "--format", "json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_json_has_the_agreed_keys_and_nothing_else_is_on_standard_output(tmp_path):
    plain = board(written(tmp_path / "b.csv"))
    assert list(plain) == ["method", "parameters", "battles", "components", "models", "style"]
    assert plain["style"] == {}
    assert plain["battles"] == 60
    assert list(plain["models"][0]) == [
        "model", "rating", "lower", "upper", "rank", "rank_low", "rank_high",
        "battles", "wins", "losses", "ties", "both_bad", "provisional",
    ]  # fmt: skip
    ratings = [model["rating"] for model in plain["models"]]
    assert ratings == sorted(ratings, reverse=True)


def test_csv_jsonl_and_parquet_give_the_same_board(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    expected = board(written(tmp_path / "b.csv"))
    assert board(written(tmp_path / "b.jsonl")) == expected
    pandas.read_csv(tmp_path / "b.csv").to_parquet(tmp_path / "b.parquet")
    assert board(tmp_path / "b.parquet") == expected


@pytest.mark.parametrize("prior", ["-1", "nan", "inf"])
def test_a_prior_that_is_no_precision_is_wrong_use(tmp_path, prior):
    result = run(written(tmp_path / "b.csv"), "--prior", prior)
    assert result.returncode == 2
    assert f"--prior {prior} is out of range. Give a precision of zero or more" in result.stderr


def test_without_prior_or_anchor_the_mean_is_1000(tmp_path):
    plain = board(written(tmp_path / "b.csv"), "--prior", "0")
    assert sum(model["rating"] for model in plain["models"]) / 3 == pytest.approx(1000)
    assert plain["parameters"]["prior"] == 0


@pytest.mark.parametrize("method", ["bt", "davidson", "elo"])
def test_every_method_can_be_anchored(tmp_path, method):
    plain = board(written(tmp_path / "b.csv"), "--method", method, "--anchor", "y=1114")
    anchored = next(model for model in plain["models"] if model["model"] == "y")
    assert anchored["rating"] == pytest.approx(1114)
    assert plain["parameters"]["anchor"] == {"y": 1114}


def test_style_gives_coefficients_with_intervals(tmp_path):
    style = board(written(tmp_path / "b.csv"), "--style")["style"]
    assert "length" in style
    assert style["length"]["lower"] < style["length"]["value"] < style["length"]["upper"]


def test_style_reads_conversations_too(tmp_path):
    rows = [
        [
            *row[:6],
            *([{"role": "user", "content": "?"}, {"role": "assistant", "content": text}] for text in row[6:]),
        ]
        for row in battles()
    ]
    header = [*HEADER[:6], "conversation_a", "conversation_b"]
    talked = board(written(tmp_path / "b.jsonl", rows, header), "--style")
    as_text = [[*row[:6], *(json.dumps(talk) for talk in row[6:])] for row in rows]
    assert board(written(tmp_path / "t.csv", as_text, header), "--style") == talked
    assert talked == board(written(tmp_path / "b.csv"), "--style")


@pytest.mark.parametrize("cluster", ["voter", "prompt"])
def test_clusters_change_intervals_and_not_ratings(tmp_path, cluster):
    file = written(tmp_path / "b.csv")
    plain, honest = board(file), board(file, "--cluster", cluster)
    for one, two in zip(plain["models"], honest["models"], strict=True):
        assert one["rating"] == two["rating"]
        assert one["lower"] != two["lower"]


def test_category_leaves_the_others_out(tmp_path):
    assert board(written(tmp_path / "b.csv"), "--category", "math")["battles"] == 30


def test_weights_are_used(tmp_path):
    rows = [[*row[:3], "2" if row[2] == "model_a" else "1"] for row in battles()]
    weighted = board(written(tmp_path / "b.csv", rows, [*HEADER[:3], "weight"]))
    assert weighted["models"][0]["rating"] != board(written(tmp_path / "c.csv"))["models"][0]["rating"]
    assert weighted["battles"] == 60


@pytest.mark.parametrize(
    ("public", "ours"), [("a", "model_a"), ("b", "model_b"), ("both_equal", "tie"), ("tie (bothbad)", "both_bad")]
)
def test_public_names_of_outcomes_are_understood(tmp_path, public, ours):
    rows = [[*row[:2], public if row[2] == ours else row[2]] for row in battles()]
    assert board(written(tmp_path / "a.csv", rows, HEADER[:3])) == board(written(tmp_path / "b.csv"))


def test_csv_and_table_list_every_model(tmp_path):
    file = written(tmp_path / "b.csv")
    rows = list(csv.DictReader(io.StringIO(run(file, "--format", "csv").stdout)))
    assert [row["model"] for row in rows] == [model["model"] for model in board(file)["models"]]
    table = run(file).stdout
    assert all(name in table for name in ("x", "y", "z", "60 battles"))


def test_the_table_says_when_the_board_falls_apart(tmp_path):
    rows = [*(row[:3] for row in battles()), ["p", "q", "tie"]]
    assert "2 components" in " ".join(run(written(tmp_path / "b.csv", rows, HEADER[:3])).stdout.split())


def test_the_table_shows_coefficients(tmp_path):
    assert "length" in run(written(tmp_path / "b.csv"), "--style").stdout


def test_an_undefeated_model_without_prior_is_null_in_json(tmp_path):
    rows = [*(row[:3] for row in battles()), ["best", "x", "model_a"]]
    plain = board(written(tmp_path / "b.csv", rows, HEADER[:3]), "--prior", "0")
    best = next(model for model in plain["models"] if model["model"] == "best")
    assert (best["rating"], best["upper"], best["provisional"]) == (None, None, True)
    assert best["lower"] is not None


def test_elo_of_very_many_battles_gives_no_interval(tmp_path, monkeypatch):
    monkeypatch.setattr("arena.cli.rate_methods.ELO_BATTLES", 10)
    plain = board(written(tmp_path / "b.csv"), "--method", "elo")
    assert {model["lower"] for model in plain["models"]} == {None}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [["x", "y", "modelA"]],
            "UnknownWinner: row 0: winner 'modelA' is unknown. Expected model_a, model_b, tie or both_bad",
        ),
        ([["x", "y", ""]], "MissingValue: row 0: no winner"),
        ([["x", "", "tie"]], "MissingValue: row 0: model_b has no model"),
        ([["x", "x", "tie"]], "SelfBattle: row 0: 'x' against itself"),
        ([], "NoBattles: no battles: the columns are empty"),
        ([["x", "y"]], "row 0: 2 fields where the header has 3"),
    ],
)
def test_a_bad_row_is_reported(tmp_path, rows, message):
    result = run(written(tmp_path / "b.csv", rows, HEADER[:3]))
    assert result.returncode == 2
    assert message in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--category", "poems"], "no battle has category 'poems'. Choose one of: math, prose"),
        (["--anchor", "w=1000"], "UnknownModel: 'w' is not among the 3 rated models"),
        (["--prior", "1e-9"], "prior 1e-09 is lost in rounding. Give 0, or 1e-06 or more"),
        (["--prior", "1e-320", "--method", "davidson"], "is lost in rounding"),
    ],
)
def test_what_the_file_cannot_give_is_reported(tmp_path, words, message):
    result = run(written(tmp_path / "b.csv"), *words)
    assert (result.returncode, message in result.stderr) == (2, True), result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--style"], "--style needs a column conversation_a"),
        (["--cluster", "voter"], "--cluster voter needs a column voter"),
        (["--cluster", "prompt"], "--cluster prompt needs a column prompt_id"),
        (["--category", "math"], "--category needs a column category"),
    ],
)
def test_a_column_that_is_needed_is_named(tmp_path, words, message):
    result = run(written(tmp_path / "b.csv", [row[:3] for row in battles()], HEADER[:3]), *words)
    assert (result.returncode, message in result.stderr) == (2, True), result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--method", "davidson", "--style"],
        ["--method", "elo", "--cluster", "voter"],
        ["--method", "glicko"],
        ["--anchor", "x"],
        ["--anchor", "x=high"],
        ["--cluster", "moon"],
        ["--format", "xml"],
    ],
)
def test_wrong_use_has_code_two(tmp_path, words):
    result = run(written(tmp_path / "b.csv"), *words)
    assert result.returncode == 2
    assert words[0] in result.stderr or "--style" in result.stderr


def test_a_weight_that_is_no_number(tmp_path):
    result = run(written(tmp_path / "b.csv", [["x", "y", "tie", "heavy"]], [*HEADER[:3], "weight"]))
    assert "row 0: weight 'heavy' is not a number. Give zero or more" in result.stderr


def test_files_that_cannot_be_read(tmp_path):
    for name, content, message in (
        ("b.txt", "", "has an unknown ending. Give a .csv, .jsonl, .parquet or .json file"),
        (
            "b.csv",
            "left,right\nx,y\n",
            "no column winner. Rename the columns to model_a, model_b, winner; they are: left, right",
        ),
        ("c.csv", "", "they are: none"),
        ("b.jsonl", '{"model_a": ', "line 1: "),
        ("c.jsonl", "[1]\n", "line 1: not a JSON object"),
        ("d.csv", b"model_a\xff", "not UTF-8 text"),
        ("e.jsonl", b'{"model_a": "\xff"}', "not UTF-8 text"),
    ):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(BadBattlesFile, match=message):
            read_battles_file(path)
    with pytest.raises(BadBattlesFile, match="No such file"):
        read_battles_file(tmp_path / "none.csv")


def test_a_parquet_file_that_is_none(tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "b.parquet"
    path.write_text("model_a,model_b,winner\n")
    with pytest.raises(BadBattlesFile, match="Parquet"):
        read_battles_file(path)


def test_without_pyarrow_parquet_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = tmp_path / "b.parquet"
    path.touch()
    with pytest.raises(BadBattlesFile, match=r"needs pyarrow. Run: pip install pyarrow"):
        read_battles_file(path)


def test_blank_lines_and_a_byte_order_mark_are_no_battles(tmp_path):
    path = tmp_path / "b.csv"
    path.write_bytes(b"\xef\xbb\xbfmodel_a,model_b,winner\nx,y,a\n\n")
    assert read_battles_file(path).columns == {"model_a": ["x"], "model_b": ["y"], "winner": ["model_a"]}
    path = tmp_path / "b.jsonl"
    path.write_text('\n{"model_a": "x", "model_b": "y", "winner": "tie"}\n\n')
    assert read_battles_file(path).columns["winner"] == ["tie"]


def test_the_command_starts_without_the_ratings():
    code = "import sys, arena.cli.rate; print('ratings' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


ROW = ["x", "y", "model_a"]
COLUMNS = ["model_a", "model_b", "winner"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("b.csv", "model_a,model_b,winner,winner\nx,y,model_a,model_b\n", "two columns are named 'winner'"),
        ("b.csv", "model_a;model_b;winner\nx;y;model_a\n", "columns are separated by ';'"),
        ("b.csv", 'model_a,model_b,winner\n"x\0",y,model_a\n', "characters that cannot be printed"),
        ("b.jsonl", "[" * 100_000 + "\n", "line 1:"),
        ("b.jsonl", '{"model_a": ["x"], "model_b": "y", "winner": "tie"}\n', "row 0: model_a is ['x']"),
        (
            "b.csv",
            "model_a,model_b,winner,weight\nx,y,model_a,1e308\ny,x,model_a,1e308\n",
            "too large to be added up",
        ),
    ],
)
def test_a_strange_file_is_one_line_of_error(tmp_path, name, text, said):
    (tmp_path / name).write_text(text, encoding="utf-8")
    result = run(tmp_path / name)
    assert result.returncode == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_sides_may_be_named_left_and_right(tmp_path):
    """As in the files of evalica and llmfao."""
    rows = [["x", "y", winner] for winner in ("left", "right", "tie", "left")]
    models = board(written(tmp_path / "b.csv", rows, ["left", "right", "winner"]))["models"]
    assert [(m["model"], m["wins"], m["losses"], m["ties"]) for m in models] == [("x", 2, 1, 1), ("y", 1, 2, 1)]


def test_headings_may_have_spaces_and_endings_capitals(tmp_path):
    (tmp_path / "B.CSV").write_text("model_a, model_b, winner\nx,y,model_a\n")
    assert board(tmp_path / "B.CSV")["battles"] == 1


def test_a_name_with_brackets_is_printed_to_the_letter(tmp_path):
    file = written(tmp_path / "b.csv", [["[/red]odd", "y", "model_a"]], COLUMNS)
    assert "[/red]odd" in run(file).stdout


@pytest.mark.parametrize("talk", ["not json", '[{"content": "x"}]', '[{"role": "assistant", "content": null}]'])
def test_a_broken_conversation_is_named_with_its_row(tmp_path, talk):
    header = [*COLUMNS, "conversation_a", "conversation_b"]
    result = run(written(tmp_path / "b.csv", [[*ROW, talk, talk]], header), "--style")
    assert result.returncode == 2
    assert "row 0: not a conversation" in result.stderr


@pytest.mark.parametrize("anchor", ["x=nan", "x=inf", "x"])
def test_an_anchor_is_a_finite_number(tmp_path, anchor):
    assert run(written(tmp_path / "b.csv"), "--anchor", anchor).returncode == 2


def test_elo_refuses_what_it_would_ignore(tmp_path):
    weighted = written(tmp_path / "b.csv", [[*ROW, "2"]], [*COLUMNS, "weight"])
    assert "--method elo does not support weights" in run(weighted, "--method", "elo").stderr
    assert run(written(tmp_path / "c.csv"), "--method", "elo", "--prior", "1").returncode == 2
    for prior in ("-1", "nan", "inf"):
        refused = run(written(tmp_path / "c.csv"), "--prior", prior)
        assert (
            refused.returncode,
            f"--prior {prior} is out of range. Give a precision of zero or more" in refused.stderr,
        ) == (2, True)


STRANGE = [
    '"a,b"',
    '"say ""x"""',
    '"two\nlines"',
    "",
    '""',
    " spaced ",
    "NA",
    "null",
    "12",
    "naïve",
    '"x"y',
    "'=1",
    "'-x",
    "'tis",
]


def test_large_csv_files_are_read_the_same_by_arrow(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    rows = "".join(
        f"m{i % 3},m{i % 3 + 1},{'a' if i % 2 else 'tie'},{text}\n" for i, text in enumerate(STRANGE * 9)
    )
    (tmp_path / "b.csv").write_text("\ufeffmodel_a, model_b,winner,note\n" + rows, encoding="utf-8")
    expected = read_battles_file(tmp_path / "b.csv")
    monkeypatch.setattr("arena.exchange.battles_file.WORTH_ARROW", 0)
    monkeypatch.setattr("arena.exchange.battles_file.ARROW_BLOCK", 600)
    assert read_battles_file(tmp_path / "b.csv") == expected
    assert expected.columns["note"][:3] == ["a,b", 'say "x"', "two\nlines"]


@pytest.mark.parametrize("worth_arrow", [0, 1 << 30])
def test_names_that_look_like_formulas_survive_our_own_csv(tmp_path, monkeypatch, worth_arrow):
    monkeypatch.setattr("arena.exchange.battles_file.WORTH_ARROW", worth_arrow)
    rows = [{"model_a": "=1+1", "model_b": "'@x", "winner": "model_a", "note": "-a"} for _ in range(3)]
    (tmp_path / "b.csv").write_text(csv_table(rows), encoding="utf-8", newline="")
    assert read_battles_file(tmp_path / "b.csv").columns == {name: [rows[0][name]] * 3 for name in rows[0]}
    printed = csv.DictReader(run(tmp_path / "b.csv", "--format", "csv").stdout.splitlines())
    assert {row["model"] for row in printed} == {"'=1+1", "''@x"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model_a,model_b,winner\nx,y\n", "row 0: 2 fields where the header has 3"),
        ("model_a,model_b,winner,winner\nx,y,tie,tie\n", "two columns are named 'winner'"),
        ("model_a;model_b\n", "columns are separated by ';'"),
        ("", "no column model_a or model_b or winner"),
    ],
)
def test_what_arrow_cannot_read_is_reported_as_ever(tmp_path, monkeypatch, text, message):
    monkeypatch.setattr("arena.exchange.battles_file.WORTH_ARROW", 0)
    (tmp_path / "b.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadBattlesFile, match=message):
        read_battles_file(tmp_path / "b.csv")


def test_a_parquet_file_with_missing_values_keeps_them(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = {
        "model_a": ["x", None, "x"],
        "model_b": ["y", "z", "y"],
        "winner": ["tie", "a", "model_b"],
        "n": [1, 2, 3],
    }
    parquet.write_table(pyarrow.table(columns), tmp_path / "b.parquet")
    read = read_battles_file(tmp_path / "b.parquet").columns
    assert read == {**columns, "winner": ["tie", "model_a", "model_b"]}


@pytest.mark.parametrize(
    "lines",
    [
        ['{"model_a": "x"}, {"model_a": "y"}'],
        ['{"model_a": ["x"', '"y"]}'],
        ['{"model_a": [{}', "{}]}", '{"model_a": "x"}, {"model_a": "y"}, 3'],
    ],
)
def test_lines_that_only_make_sense_together_are_refused(tmp_path, lines):
    (tmp_path / "b.jsonl").write_text("\n".join(["{}", *lines]) + "\n")
    with pytest.raises(BadBattlesFile, match="line 2: "):
        read_battles_file(tmp_path / "b.jsonl")


def test_rao_kupper_from_a_file_is_that_of_the_library(tmp_path):
    file = written(tmp_path / "b.csv")
    plain = board(file, "--method", "rao_kupper")
    columns = read_battles_file(file).columns
    fit = ratings.rao_kupper(columns["model_a"], columns["model_b"], columns["winner"], prior=0.25)
    assert plain["method"] == "rao_kupper"
    assert {m["model"]: m["rating"] for m in plain["models"]} == pytest.approx(
        {model: fit.rating(model) for model in fit.models}, abs=0.01
    )
