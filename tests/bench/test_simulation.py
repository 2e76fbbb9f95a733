"""The simulated machine serves in order, shares commits, and waits longer the more it carries."""

from bench import simulate_nine_oclock as simulation
from bench.percentiles import percentile

COSTS = simulation.Costs(
    database="sqlite",
    cores=2,
    hash=0.07,
    login=0.005,
    reads=0.005,
    socket=0.003,
    start=0.01,
    done=0.02,
    mark=[(10, 0.001), (1000, 0.002)],
    frame=0.000_01,
    look=[(10, 0.006), (1000, 0.025)],
    commit=0.004,
    commit_more=0.000_4,
    socket_kib=30,
)


def test_who_comes_first_is_served_first() -> None:
    one, two = simulation.Servers(1), simulation.Servers(2)
    assert [one.serve(at, 3) for at in (0, 1, 10)] == [3, 6, 13]
    assert [two.serve(at, 3) for at in (0, 1, 2)] == [3, 4, 6]


def test_marks_that_come_during_a_commit_share_the_next() -> None:
    commits = simulation.Commits(first=4, more=1)
    assert [commits.serve(at, 0) for at in (0, 1, 2, 9)] == [4, 8, 9, 13]


def test_a_curve_is_a_straight_line_between_two_points_and_beyond_the_last() -> None:
    points = [(10.0, 1.0), (20.0, 2.0), (40.0, 6.0)]
    assert [simulation.between(points, at) for at in (0, 10, 15, 30, 50)] == [0, 1, 1.5, 4, 8]


def test_equal_costs_give_equal_figures_and_more_classes_wait_longer() -> None:
    machines = [simulation.play(COSTS, classes=count, cores=2, logging_in=True) for count in (50, 50, 300)]
    waits = [percentile(machine.logins, 0.99) for machine in machines]
    assert waits[0] == waits[1] < simulation.LOGIN_LIMIT < waits[2]
    assert all(len(machine.marks) % simulation.CLASS_SIZE == 0 for machine in machines)


def test_the_part_that_gives_way_first_comes_first() -> None:
    classes = [carried for _, _, carried in simulation.parts(COSTS, cores=2)]
    assert classes == sorted(classes)
    assert simulation.parts(COSTS, cores=2)[0][0].startswith("passwords")
