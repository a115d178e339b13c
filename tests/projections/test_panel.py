"""Panel figures are sums: put in and taken out again, nothing is left."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from projections.operators import Operator, Operators, doubly_billed
from projections.panel import Figures, Share, figures_of

STATUSES = ("claimed", "diverged", "billable", "blocked", "accruing")
CODES = ("99490", "99439", "99487")

shares = st.lists(
    st.builds(
        Share,
        st.sampled_from(STATUSES),
        st.dictionaries(st.sampled_from(CODES), st.integers(1, 3)).map(
            lambda codes: tuple(sorted(codes.items()))
        ),
        st.decimals(0, 500, places=2),
    )
)


@given(shares, shares)
def test_figures_are_the_sums_of_what_is_in(stays: list[Share], goes: list[Share]) -> None:
    figures = figures_of([*goes, *stays])
    for share in goes:
        figures.add(share, -1)
    assert figures == figures_of(stays)
    assert figures.patients == len(stays)
    assert sum(figures.by_status.values()) == len(stays)
    assert sum(figures.amounts.values()) == sum((s.amount for s in stays), Decimal(0))
    for code in CODES:
        assert figures.codes.get(code, 0) == sum(dict(s.codes).get(code, 0) for s in stays)


def test_nothing_is_left_of_what_was_taken_out() -> None:
    figures = figures_of([Share("billable", (("99490", 1),), Decimal("60.49"))])
    figures.add(Share("billable", (("99490", 1),), Decimal("60.49")), -1)
    assert figures == Figures()


def test_one_person_is_known_by_id_or_by_the_table_that_is_configured() -> None:
    by_id = Operator("north", frozenset({"p1", "p2"}))
    persons = {("p3", "a"): "x", ("p4", "b"): "x"}
    by_table = Operator("south", frozenset({"p3", "p4"}), "table", persons)
    operators = Operators((by_id, by_table))
    assert operators.person("p1", "pt1") == operators.person("p2", "pt1") == ("north", "pt1")
    assert operators.person("p3", "a") == operators.person("p4", "b") == ("south", "x")
    assert operators.person("p3", "b") is None
    assert operators.person("p5", "pt1") is None
    assert not Operators()


def test_a_conflict_takes_two_practices() -> None:
    assert doubly_billed({"p1/a": "p1"}) == set()
    assert doubly_billed({"p1/a": "p1", "p1/b": "p1"}) == set()
    assert doubly_billed({"p1/a": "p1", "p1/b": "p1", "p2/a": "p2"}) == {"p1/a", "p1/b", "p2/a"}
