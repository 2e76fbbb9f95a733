"""The table of `make bench`: medians, ratios, and whether what is wanted is reached."""

from bench import side_by_side_table
from bench.results import Figures
from bench.table import shown


def run(cpu: float, lost: int = 0) -> Figures:
    steady = {"cpu_us_per_frame": cpu, "p99_ms": 2 * cpu, "kib_per_socket": 30.5, "marks": 300, "frames": 300}
    steady["opening_cpu_us"] = 100 * cpu
    burst = {"cpu_us_per_frame": cpu / 10, "lost": lost, "out_of_order": 0, "marks": 500, "frames": 500}
    return {"steady": {**steady, "p50_ms": cpu}, "burst": burst}


def test_a_line_compares_the_medians_of_the_runs() -> None:
    found = {"ours": [run(4.0), run(90.0), run(5.0)], "yardstick": [run(10.0), run(1.0), run(11.0)]}
    line = side_by_side_table.ROWS[0].of(found)
    assert (line["ours"], line["yardstick"], line["ratio"], line["reached"]) == (5.0, 10.0, 0.5, True)
    assert side_by_side_table.cells(line) == ("5 µs", "10 µs", "0.50", "≤ 0.8 of Node", "reached")


def test_a_frame_lost_in_most_runs_is_seen_and_compared_with_nothing() -> None:
    found = {"ours": [run(4.0, lost=3), run(4.0), run(4.0, lost=7)], "yardstick": [run(4.0)] * 3}
    line = next(row.of(found) for row in side_by_side_table.ROWS if "lost" in row.name)
    assert side_by_side_table.cells(line) == ("3", "0", "", "0", "not reached")


def test_fewer_sockets_than_wanted_are_not_enough() -> None:
    faults = dict.fromkeys(side_by_side_table.FAULTS, 0)
    for sockets, lost, word in ((10_000, 0, "reached"), (8_000, 0, "not reached"), (10_000, 1, "not reached")):
        many = {"wanted": 10_000, "sockets": sockets, **faults, "lost": lost, **run(5.0)}
        result = {"table": {"sockets": 1000, "runs": 3, "rows": []}, "many": many}
        assert side_by_side_table.in_words(result)[-1][-1] == word
        assert f"{sockets:,} sockets" in side_by_side_table.as_text(result)


def table(rows: list[Figures], missing: list[str]) -> Figures:
    return {
        "sockets": 1000,
        "runs": 3,
        "sides": ["ours", "yardstick", "bun", *side_by_side_table.FLOORS],
        "missing": missing,
        "rows": rows,
    }


def test_bun_is_compared_like_the_yardstick_and_the_floors_stand_beside_them() -> None:
    found = {"ours": [run(6.0)], "yardstick": [run(12.0)], "bun": [run(4.0)]}
    found |= {"floor": [run(3.0)], "python_floor": [run(3.5)]}
    rows = [row.of(found) for row in side_by_side_table.ROWS]
    result = {"table": table(rows, missing=[])}
    assert side_by_side_table.heading(result)[1:] == (
        *("this server", "Node", "ratio", "Bun", "ratio", "floor in C", "floor in Python", "target", ""),
    )
    lines = side_by_side_table.in_words(result)
    assert lines[0][1:] == ("6 µs", "12 µs", "0.50", "4 µs", "1.50", "3 µs", "3.5 µs", "≤ 1.0 of Bun", "not reached")
    memory = lines[-1]
    assert memory[5:8] == ("1.00", "", ""), "the floors keep nothing that could be compared"


def test_a_yardstick_that_is_not_installed_is_named_where_it_would_be_compared() -> None:
    found = {"ours": [run(6.0)], "yardstick": [run(12.0)], "floor": [run(3.0)]}
    rows = [side_by_side_table.ROWS[0].of(found), side_by_side_table.logins_line(12.0, logins=50)]
    compared, alone = side_by_side_table.in_words({"table": table(rows, missing=["bun"])})
    assert compared[1:8] == ("6 µs", "12 µs", "0.50", "not installed", "", "3 µs", "")
    assert alone[1:] == ("12 ms", "", "", "", "", "", "", "≤ 50 ms", "reached")


def test_without_bun_its_targets_are_nodes_or_nobodys() -> None:
    found = {"ours": [run(6.0)], "yardstick": [run(12.0)]}
    by_name = {row.name: row.of(found) for row in side_by_side_table.ROWS}
    frame, memory = by_name["one mark at a time: server CPU a frame"], by_name["memory a socket"]
    assert (frame["target"], frame["reached"]) == ("≤ 0.8 of Node", True)
    assert (memory["target"], memory["reached"]) == ("≤ 1.15 of Bun", None)


def rush_of(**found: int) -> Figures:
    times = {kind: {"p50_ms": 1.0, "p99_ms": 90.0, "most_ms": 99.0} for kind in ("claim", "check-in", "teacher's mark")}
    return {"students": 1500, "seconds": 60.0, "answered": 1500, "lost": 0, "doubled": 0, "times": times, **found}


def test_a_rush_reaches_its_targets_only_if_nobody_is_left_out() -> None:
    assert [line["reached"] for line in side_by_side_table.rush_lines(rush_of())] == [True, True, True]
    assert [line["reached"] for line in side_by_side_table.rush_lines(rush_of(lost=1))] == [False, False, False]
    assert [line["reached"] for line in side_by_side_table.rush_lines(rush_of(answered=1499))] == [False, False, False]


def test_a_page_that_was_not_always_answered_is_told() -> None:
    page = {"students": 30, "per_s": 100.0, "cpu_us": 9000.0, "failed": 0}
    assert [line["reached"] for line in side_by_side_table.page_lines(page)] == [None, None]
    assert side_by_side_table.page_lines({**page, "failed": 2})[0]["reached"] is False


def test_a_route_is_compared_in_pairs() -> None:
    rates = [(100, 40, 200), (300, 100, 200), (80, 20, 10)]
    rounds = [
        {side: {"per_s": rate, "failed": 0} for side, rate in zip(("ours", "yardstick", "bun"), of_round, strict=True)}
        for of_round in rates
    ]
    line = side_by_side_table.rest_line("GET /auth/me", rounds)
    assert (line["ours"], line["ratio"], line["bun_ratio"], line["reached"]) == (100, 3.0, 1.5, True)
    rounds[0]["ours"]["failed"] = 1
    assert side_by_side_table.rest_line("GET /auth/me", rounds)["reached"] is False


def test_figures_are_shown_with_three_digits_that_matter() -> None:
    assert [shown(value) for value in (0, 3, 0.01234, 4.567, 123.4, 2300.7, 10_000)] == [
        *("0", "3", "0.0123", "4.57", "123", "2,301", "10,000"),
    ]
