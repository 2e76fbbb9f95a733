"""The table of `python -m bench.whole_requests`: the least CPU time, the most requests, and ratios round by round."""

from bench.results import Figures
from bench.whole_requests import table


def figures(per_s: float, failed: int = 0) -> Figures:
    return {"per_s": per_s, "cpu_us": 1e6 / per_s, "failed": failed}


def test_a_route_is_compared_round_by_round_with_whoever_has_it() -> None:
    rates = [(100, 400, 200), (50, 100, 100), (200, 400, 400)]
    rounds = [{way: figures(rate) for way, rate in zip(("plain", "quick", "Node"), of, strict=True)} for of in rates]
    alone = [{"plain": figures(100), "quick": figures(250, failed=number)} for number in range(3)]
    _, both, ours = table({"GET /auth/me": rounds, "GET /getAttendance": alone})
    assert both == ("`GET /auth/me`", "5000 (200)", "2500 (400)", "2500 (400)", "2.00", "1.00")
    assert ours == ("`GET /getAttendance`", "10000 (100)", "4000 (250), 3 failed", "", "2.50", "")
