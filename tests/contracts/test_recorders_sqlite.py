"""The eventsourcing library's own promises about recorders, kept on our SQLite schema."""

from __future__ import annotations

import tempfile
from pathlib import Path
from uuid import UUID, uuid4

from eventsourcing.tests import persistence as library

from infra.eventstore.sqlite_recorder import CareDatastore, SQLiteCareRecorder


class OnFile:
    """A recorder on a fresh database file, with text ids as in our streams."""

    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.datastore = CareDatastore(str(Path(self.folder.name) / "log.db"))

    def tearDown(self) -> None:
        self.datastore.close()
        self.folder.cleanup()

    def new_originator_id(self) -> UUID | str:
        return f"practice/{uuid4()}"

    def create_recorder(self) -> SQLiteCareRecorder:
        recorder = SQLiteCareRecorder(self.datastore)
        recorder.create_table()
        return recorder


class TestApplicationRecorder(OnFile, library.ApplicationRecorderTestCase[SQLiteCareRecorder]):
    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestTrackingRecorder(OnFile, library.TrackingRecorderTestCase):
    pass


class TestProcessRecorder(OnFile, library.ProcessRecorderTestCase):
    pass


class TestNotificationIDs(OnFile, library.NonInterleavingNotificationIDsBaseCase):
    pass
