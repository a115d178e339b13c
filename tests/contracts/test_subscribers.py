"""What every ledger of deliveries promises, whatever lies under it."""

from __future__ import annotations

import pytest

from infra.eventstore import open_store
from infra.eventstore.deliveries import open_deliveries
from projections.deliveries import (
    Deliveries,
    DeliveryState,
    Due,
    Outcome,
    Secret,
    Subscriber,
    SubscriberState,
)
from projections.ports import Store
from tests.contracts.made import batch, event, transition

NOW = 1_750_000_000_000_000
LATER = NOW + 60_000_000


@pytest.fixture
def ledger(store: Store) -> Deliveries:
    return open_deliveries(store)


def subscriber(id: str = "s1", **parts: object) -> Subscriber:
    given = {
        "id": id,
        "url": "https://alerts.example/in",
        "secrets": (Secret("whsec_bmV3"), Secret("whsec_b2xk", LATER)),
        "practices": ("p1",),
        "types": ("claim.diverged",),
        "read_through": 3,
        "added_at_us": NOW,
    }
    return Subscriber(**(given | parts))  # type: ignore[arg-type]


def ended(position: int, stream: str, state: DeliveryState = DeliveryState.DELIVERED) -> Outcome:
    return Outcome(position, stream, state, 1, None, "200")


def tried(position: int, stream: str, next_at_us: int, attempts: int = 1) -> Outcome:
    return Outcome(position, stream, DeliveryState.PENDING, attempts, next_at_us, "500")


def test_a_subscriber_comes_back_whole(ledger: Deliveries) -> None:
    """Filters, state and secrets, the newest secret first."""
    ledger.add(subscriber())
    ledger.add(subscriber("s0", added_at_us=NOW + 1, practices=(), types=()))
    assert ledger.subscribers() == [
        subscriber(),
        subscriber("s0", added_at_us=NOW + 1, practices=(), types=()),
    ]


def test_one_id_is_one_subscriber(ledger: Deliveries) -> None:
    ledger.add(subscriber())
    with pytest.raises(Exception):  # noqa: B017, PT011 (each database has its own)
        ledger.add(subscriber(url="https://other.example"))
    assert ledger.subscribers() == [subscriber()]


def test_secrets_never_show_in_words_about_a_subscriber() -> None:
    assert "whsec" not in repr(subscriber())


def test_filters_let_through_what_they_name_and_empty_ones_everything() -> None:
    assert subscriber().wants("p1", "claim.diverged")
    assert not subscriber().wants("p2", "claim.diverged")
    assert not subscriber().wants("p1", "month.at-risk")
    assert subscriber(practices=(), types=()).wants("p2", "month.at-risk")


def test_state_hold_and_secrets_change_in_place(ledger: Deliveries) -> None:
    ledger.add(subscriber())
    assert ledger.set_state("s1", SubscriberState.DISABLED, "410 Gone")
    ledger.hold("s1", LATER)
    ledger.set_secrets("s1", [Secret("whsec_b2xk", LATER), Secret("whsec_eA==")])
    (found,) = ledger.subscribers()
    assert (found.state, found.reason) == (SubscriberState.DISABLED, "410 Gone")
    assert found.held_until_us == LATER
    assert found.secrets == (Secret("whsec_eA=="), Secret("whsec_b2xk", LATER))
    assert not ledger.set_state("nobody", SubscriberState.PAUSED, "")


def test_a_removed_subscriber_leaves_nothing(ledger: Deliveries) -> None:
    ledger.add(subscriber())
    ledger.enqueue("s1", 3, 4, [(4, "p1/a")], NOW)
    assert ledger.remove("s1")
    assert not ledger.remove("s1")
    assert ledger.subscribers() == []
    assert ledger.counts("s1") == {"pending": 0, "failed": 0}
    ledger.add(subscriber())
    assert ledger.subscribers() == [subscriber()]
    assert ledger.due("s1", LATER, 10) == []


def test_reading_on_and_the_ledger_move_together_and_only_from_where_they_were(
    ledger: Deliveries,
) -> None:
    """Two processes that read the same transitions put each in the ledger once."""
    ledger.add(subscriber())
    assert ledger.enqueue("s1", 3, 9, [(5, "p1/a"), (8, "p1/b")], NOW)
    assert not ledger.enqueue("s1", 3, 9, [(5, "p1/a"), (8, "p1/b")], NOW)
    assert ledger.subscribers()[0].read_through == 9
    assert ledger.due("s1", NOW, 10) == [Due(5, "p1/a", 0), Due(8, "p1/b", 0)]
    assert not ledger.enqueue("nobody", 0, 9, [(5, "p1/a")], NOW)


def test_a_delivery_that_is_in_the_ledger_stays_as_it_is(ledger: Deliveries) -> None:
    ledger.add(subscriber())
    ledger.enqueue("s1", 3, 5, [(5, "p1/a")], NOW)
    ledger.record("s1", [ended(5, "p1/a")], NOW)
    assert ledger.enqueue("s1", 5, 6, [(5, "p1/a")], NOW)
    assert ledger.due("s1", LATER, 10) == []


def test_only_a_patients_first_pending_delivery_is_due(ledger: Deliveries) -> None:
    """Order per patient: the second waits until the first has ended, whichever way."""
    ledger.add(subscriber())
    wanted = [(4, "p1/a"), (5, "p1/a"), (6, "p1/b"), (7, "p1/a")]
    ledger.enqueue("s1", 3, 7, wanted, NOW)
    assert ledger.due("s1", NOW, 10) == [Due(4, "p1/a", 0), Due(6, "p1/b", 0)]
    ledger.record("s1", [tried(4, "p1/a", LATER), ended(6, "p1/b")], NOW)
    assert ledger.due("s1", NOW, 10) == []
    assert ledger.next_due("s1") == LATER
    assert ledger.due("s1", LATER, 10) == [Due(4, "p1/a", 1)]
    ledger.record("s1", [ended(4, "p1/a", DeliveryState.FAILED)], LATER)
    assert ledger.due("s1", LATER, 10) == [Due(5, "p1/a", 0)]
    ledger.record("s1", [ended(5, "p1/a")], LATER)
    assert ledger.due("s1", LATER, 10) == [Due(7, "p1/a", 0)]
    ledger.record("s1", [ended(7, "p1/a")], LATER)
    assert ledger.next_due("s1") is None
    assert ledger.subscribers()[0].answered_at_us == LATER


def test_one_subscribers_ledger_is_not_anothers(ledger: Deliveries) -> None:
    ledger.add(subscriber())
    ledger.add(subscriber("s2"))
    ledger.enqueue("s1", 3, 4, [(4, "p1/a")], NOW)
    ledger.enqueue("s2", 3, 5, [(4, "p1/a"), (5, "p1/a")], NOW)
    ledger.record("s1", [ended(4, "p1/a")], NOW)
    assert ledger.due("s1", LATER, 10) == []
    assert ledger.due("s2", LATER, 10) == [Due(4, "p1/a", 0)]
    assert ledger.subscribers()[1].answered_at_us == 0


def test_due_is_oldest_first_and_limited(ledger: Deliveries) -> None:
    ledger.add(subscriber())
    ledger.enqueue("s1", 3, 99, [(n, f"p1/{n}") for n in range(4, 24)], NOW)
    ledger.record("s1", [tried(4, "p1/4", NOW + 5)], NOW)
    assert [d.position for d in ledger.due("s1", LATER, 3)] == [5, 6, 7]
    assert [d.position for d in ledger.due("s1", LATER, 99)] == [*range(5, 24), 4]


def test_requeueing_brings_back_what_failed_and_makes_everything_due(ledger: Deliveries) -> None:
    ledger.add(subscriber())
    ledger.hold("s1", LATER)
    ledger.enqueue("s1", 3, 7, [(4, "p1/a"), (5, "p1/a"), (6, "p1/b")], NOW)
    failed = ended(4, "p1/a", DeliveryState.FAILED)
    ledger.record("s1", [failed, tried(6, "p1/b", LATER, 3)], NOW)
    assert ledger.counts("s1") == {"pending": 2, "failed": 1}
    assert ledger.requeue("s1", NOW) == 1
    assert ledger.counts("s1") == {"pending": 3, "failed": 0}
    assert ledger.due("s1", NOW, 10) == [Due(4, "p1/a", 0), Due(6, "p1/b", 0)]
    assert ledger.subscribers()[0].held_until_us == 0


def test_a_sink_begins_at_the_last_transition_and_stays_there(
    ledger: Deliveries, store: Store
) -> None:
    assert ledger.last_transition() == 0
    assert ledger.begin("early") == 0
    store.commit(batch(event(1), transitions=[transition(1), transition(1, alert="a2")]))
    assert ledger.last_transition() == 2
    assert ledger.begin("late") == 2
    assert ledger.begin("early") == 0


def test_raised_are_the_last_transitions_of_alerts_that_stand(
    ledger: Deliveries, store: Store
) -> None:
    first = [transition(1, "pt1", "a1"), transition(1, "pt2", "a2"), transition(2, "pt1", "a1")]
    store.commit(batch(event(1), transitions=[*first, transition(3, "pt1", "a1")]))
    store.commit(batch(event(2), transitions=[transition(1, "pt3", "a3")]))
    assert ledger.raised(0, 5) == [2, 4, 5]
    assert ledger.raised(2, 4) == [4]
    store.commit(batch(event(3), transitions=[transition(2, "pt2", "a2")]))
    assert ledger.raised(0, 6) == [4, 5]


def test_another_process_sees_the_same_ledger(durable_url: str) -> None:
    one, other = open_store(durable_url), open_store(durable_url)
    open_deliveries(one).add(subscriber())
    open_deliveries(one).enqueue("s1", 3, 4, [(4, "p1/a")], NOW)
    assert open_deliveries(other).subscribers() == [subscriber(read_through=4)]
    assert open_deliveries(other).due("s1", NOW, 1) == [Due(4, "p1/a", 0)]
    one.close()
    other.close()
