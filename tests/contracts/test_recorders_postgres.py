"""The eventsourcing library's own promises about recorders, kept on our PostgreSQL schema."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.tests import persistence as library

from infra.eventstore.postgres_recorder import CarePostgresDatastore, PostgresCareRecorder

pytestmark = pytest.mark.postgres


class OnServer:
    """A recorder on a fresh database, with text ids as in our streams."""

    @pytest.fixture(autouse=True)
    def _url(self, postgres_url: str) -> None:
        self.url = postgres_url

    def setUp(self) -> None:
        self.opened: list[PostgresCareRecorder] = []
        self.datastore = CarePostgresDatastore(self.url)

    def tearDown(self) -> None:
        for recorder in self.opened:
            recorder.close()
        self.datastore.close()

    def new_originator_id(self) -> UUID | str:
        return f"practice/{uuid4()}"

    def create_recorder(self) -> PostgresCareRecorder:
        recorder = PostgresCareRecorder(self.datastore)
        recorder.create_table()
        self.opened.append(recorder)
        return recorder


class TestApplicationRecorder(OnServer, library.ApplicationRecorderTestCase[PostgresCareRecorder]):
    def close_db_connection(self, *_: Any) -> None:
        """The pool outlives the test's threads."""

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestTrackingRecorder(OnServer, library.TrackingRecorderTestCase):
    pass


class TestProcessRecorder(OnServer, library.ProcessRecorderTestCase):
    pass


class TestNotificationIDs(OnServer, library.NonInterleavingNotificationIDsBaseCase):
    pass
