"""`caretally audit keygen`, `checkpoint`, `verify`, `prove`: what a person and a script see."""

from __future__ import annotations

import json
import stat
from hashlib import sha256
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import pytest

from infra.codec import link
from infra.transparency import checkpoint_of, is_consistent, is_included, verifier_of
from infra.transparency.merkle import leaf_hash
from projections.ports import Store
from services.audit.attesting import attestation
from services.wire.encode import to_cloudevent
from tests.audit.test_tamper_evidence import Vandal, filled
from tests.services.command import Command, Ran, command, store
from tests.services.test_ingest import ingest_into, logged, take

__all__ = ["command", "store"]


class Clinic:
    """A filled log, a key, and commands that know it."""

    def __init__(self, command: Command, store: Store) -> None:
        self.store, self.folder = filled(store), command.folder
        self._command = command
        self.key = command.folder / "log.key"
        self.made = command("audit", "keygen", self.key, "--name", "clinic.example/log")

    def __call__(self, *args: object) -> Ran:
        settings = {"CARETALLY_SIGNING_KEY": str(self.key), "CARETALLY_HTTP": "off"}
        return self._command("audit", *args, **settings)

    def unset(self, *args: object) -> Ran:
        return self._command("audit", *args)


@pytest.fixture
def clinic(command: Command, store: Store) -> Clinic:
    return Clinic(command, store)


def test_a_key_is_made_once_and_its_public_half_is_printed(clinic: Clinic) -> None:
    assert clinic.made.code == 0
    public = verifier_of(clinic.made.out.decode())
    assert public.name == "clinic.example/log"
    assert stat.S_IMODE(clinic.key.stat().st_mode) == 0o600
    again = clinic.unset("keygen", clinic.key)
    assert (again.code, again.out) == (2, b"")
    assert "never written over" in again.err
    assert "expected text without blanks" in clinic.unset("keygen", "x", "--name", "a b").err


def test_a_checkpoint_is_printed_kept_and_written_to_its_file(clinic: Clinic) -> None:
    said = clinic("checkpoint")
    assert said.code == 0
    file = clinic.folder / "caretally-data" / "checkpoints" / "checkpoint-000001.txt"
    assert file.read_bytes() == said.out
    public = verifier_of(clinic.key.with_name("log.key.pub").read_text())
    assert checkpoint_of(public.open(file.read_text())).size == 16
    (again,) = clinic("checkpoint", "--json").lines()
    assert (again["number"], again["new"], again["size"], again["sent"]) == (1, False, 16, 0)


def test_without_a_key_no_checkpoint_is_made(clinic: Clinic) -> None:
    said = clinic.unset("checkpoint")
    assert (said.code, said.out) == (2, b"")
    assert "caretally audit keygen FILE" in said.err
    clinic.key.chmod(0o644)
    assert "expected mode 0600" in clinic("checkpoint").err
    clinic.key.unlink()
    assert "No such file" in clinic("checkpoint").err


def test_what_was_touched_is_named_and_the_exit_code_is_1(clinic: Clinic) -> None:
    clinic("checkpoint")
    clean = clinic("verify")
    assert (clean.code, clean.out) == (0, b"")
    assert "16 events, 1 checkpoints, 0 accesses: nothing was touched" in clean.err
    event = clinic.store.log(0, 3)[2]
    Vandal(clinic.store).set(event, state=event.state.replace(b"2025", b"2024"))
    found = clinic("verify", "--json")
    assert found.code == 1
    *faults, summary = found.lines()
    assert (event.stream_id, event.version, event.position) in {
        (f["stream"], f["version"], f["position"]) for f in faults
    }
    assert summary["faults"] == len(faults)
    assert f"p1/pt1, version {event.version}, position 3: changed" in clinic("verify").out.decode()
    only = clinic("verify", "--patient", "pt1", "--json")
    assert (only.code, clinic("verify", "--patient", "pt2").code) == (1, 0)
    assert "not in the store" in clinic("verify", "--patient", "nobody").err


def test_a_checkpoint_that_was_handed_out_tells_of_a_log_put_back(clinic: Clinic) -> None:
    """Also where the folder of checkpoints was put back with the database."""
    clinic("checkpoint")
    kept = clinic.folder / "handed-out.txt"
    file = clinic.folder / "caretally-data" / "checkpoints" / "checkpoint-000001.txt"
    file.rename(kept)
    vandal = Vandal(clinic.store)
    vandal("DELETE FROM stored_events WHERE position = 16")
    vandal("UPDATE patients SET version = 7, head = NULL WHERE patient_id = ?", "pt2")
    vandal("DELETE FROM checkpoints")
    vandal("DELETE FROM log_tiles")
    assert clinic("verify").code == 0
    found = clinic("verify", "--checkpoint", kept)
    assert found.code == 1
    assert "handed-out.txt: it has 16 events, the log ends at" in found.out.decode()
    kept.rename(file)
    assert clinic("verify").code == 1
    refused = clinic("checkpoint")
    assert refused.code == 1
    assert "the log ends at position 15, its last checkpoint at 16" in refused.err


def test_signatures_are_checked_with_the_keys_that_are_named(clinic: Clinic) -> None:
    clinic("checkpoint")
    assert "signatures were not checked" in clinic.unset("verify").err
    clinic.unset("keygen", clinic.folder / "other.key", "--name", "clinic.example/log")
    other = clinic.unset("verify", "--key", clinic.folder / "other.key.pub")
    assert other.code == 1
    assert "not signed by clinic.example/log" in other.out.decode()
    both = ("--key", f"{clinic.key}.pub", "--key", clinic.folder / "other.key.pub")
    assert clinic.unset("verify", *both).code == 0
    assert "No such file" in clinic.unset("verify", "--key", "nowhere").err
    assert "expected a public key" in clinic.unset("verify", "--key", clinic.key).err


def test_a_printed_proof_of_an_event_holds_by_itself(clinic: Clinic) -> None:
    """Computed anew from the JSON: leaf, path, root of the signed checkpoint."""
    clinic("checkpoint")
    (said,) = clinic("prove", "--event", "/ehr", "pt2-t1").lines()
    proof = said["inclusion"]
    public = verifier_of(clinic.key.with_name("log.key.pub").read_text())
    checkpoint = checkpoint_of(public.open(said["checkpoint"]))
    key, state = bytes.fromhex(proof["key"]), proof["state"].encode()
    stream, name = proof["stream"].encode(), proof["name"].encode()
    head = f"{proof['position']} {proof['version']} {len(stream)} {len(name)} {len(key)}\n"
    leaf = leaf_hash(head.encode() + stream + name + key + state)
    path = [bytes.fromhex(step) for step in proof["path"]]
    assert is_included(leaf, proof["position"] - 1, proof["size"], path, checkpoint.root)
    assert json.loads(state)["id"] == "pt2-t1"


def test_a_printed_proof_of_two_sizes_holds_by_itself(clinic: Clinic) -> None:
    clinic("checkpoint")
    take(ingest_into(clinic.store), [logged(f"x{n}", 60) for n in range(5)])
    clinic("checkpoint")
    (said,) = clinic("prove", "--from", 16).lines()
    proof = said["consistency"]
    assert (proof["from"], proof["to"]) == (16, 21)
    roots = [bytes.fromhex(proof[name]) for name in ("from_root", "to_root")]
    path = [bytes.fromhex(step) for step in proof["path"]]
    assert is_consistent(16, roots[0], 21, roots[1], path)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "expected --event SOURCE ID or --from SIZE"),
        (["--event", "/ehr", "nothing"], "no event has source '/ehr' and id 'nothing'"),
        (["--from", 9, "--to", 5], "no beginning"),
        (["--from", 9, "--to", 50], "has 16 events, expected at least 50"),
        (["--event", "/ehr", "pt1-late"], "beyond the checkpoint's 16 events"),
    ],
)
def test_what_cannot_be_proven_is_said(clinic: Clinic, args: list[object], said: str) -> None:
    assert "there is no checkpoint yet" in clinic("prove", "--event", "/ehr", "pt1-c0").err
    clinic("checkpoint")
    take(ingest_into(clinic.store), [logged("late", 60)])
    found = clinic("prove", *args)
    assert (found.code, found.out) == (2, b"")
    assert said in found.err


# --- packets --------------------------------------------------------------------------------


def packet_of(clinic: Clinic, path: Path, sealed: bool = True) -> dict[str, bytes]:
    """A packet of patient pt1 in which its second event is no business of the reader."""
    events = clinic.store.load(["p1/pt1"])["p1/pt1"].events
    bearing = [event for event in events if event.version != 2]
    chain = []
    for event in events:
        own = link(event.stream_id, event.version, event.name, event.state).hex()
        line: dict[str, object] = {"version": event.version, "link": own}
        if event in bearing:
            line |= {"name": event.name, "state": event.state.decode()}
        chain.append(json.dumps(line).encode() + b"\n")
    files = {
        "events.ndjson": b"".join(to_cloudevent(event) + b"\n" for event in bearing),
        "chain.ndjson": b"".join(chain),
        **(attestation(clinic.store, bearing) if sealed else {}),
    }
    head = {"stream": "p1/pt1", "version": 8, "head": json.loads(chain[-1])["link"]}
    write_packet(path, files, head)
    return files


def write_packet(path: Path, files: dict[str, bytes], head: dict[str, object]) -> None:
    listed = [{"name": n, "sha256": sha256(c).hexdigest()} for n, c in files.items()]
    manifest = json.dumps({"chain": head, "files": listed}).encode()
    with ZipFile(path, "w", ZIP_STORED) as packed:
        for name, content in {**files, "manifest.json": manifest}.items():
            packed.writestr(name, content)


@pytest.fixture
def public(clinic: Clinic) -> list[object]:
    return ["--key", f"{clinic.key}.pub"]


def test_a_packet_is_verified_by_the_public_key_alone(
    clinic: Clinic, public: list[object], tmp_path: Path
) -> None:
    clinic("checkpoint")
    packet_of(clinic, tmp_path / "packet.zip")
    clinic.store.close()
    for file in tmp_path.glob("care.db*"):
        file.unlink()
    said = clinic.unset("verify", "--packet", tmp_path / "packet.zip", *public)
    assert (said.code, said.out) == (0, b"")
    assert "7 events, 1 checkpoints" in said.err
    assert not (tmp_path / "care.db").exists()


def test_any_byte_of_a_packet_that_is_changed_is_found(
    clinic: Clinic, public: list[object], tmp_path: Path
) -> None:
    """A file is changed and the manifest made to fit: the seal and the chain tell."""
    clinic("checkpoint")
    path = tmp_path / "packet.zip"
    files = packet_of(clinic, path)
    head = json.loads(files["chain.ndjson"].splitlines()[-1])["link"]
    for name, content in files.items():
        for at in range(0, len(content), 97):
            changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
            write_packet(
                path, {**files, name: changed}, {"stream": "p1/pt1", "version": 8, "head": head}
            )
            assert clinic.unset("verify", "--packet", path, *public).code == 1, (name, at)


def test_a_packet_without_a_seal_is_said_to_have_none(clinic: Clinic, tmp_path: Path) -> None:
    files = packet_of(clinic, tmp_path / "packet.zip", sealed=False)
    assert set(files) == {"events.ndjson", "chain.ndjson"}
    said = clinic.unset("verify", "--packet", tmp_path / "packet.zip")
    assert said.code == 0
    assert "the packet has no checkpoint" in said.err


@pytest.mark.parametrize("content", [b"", b"no zip", None])
def test_what_is_no_packet_is_bad_input(
    clinic: Clinic, content: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "packet.zip"
    if content is not None:
        path.write_bytes(content)
    said = clinic.unset("verify", "--packet", path)
    assert (said.code, said.out) == (2, b"")
    assert said.err.startswith("error: --packet: ")


def test_the_packet_that_is_handed_over_holds_its_own_seal(
    clinic: Clinic, public: list[object], tmp_path: Path
) -> None:
    """`caretally audit packet` and `verify --packet` are of one mind, sealed and not."""
    path = tmp_path / "packet.zip"
    unsealed = clinic("packet", "pt1", "2025-03", "--output", path)
    assert (unsealed.code, unsealed.err) == (0, "")
    assert "no checkpoint" in clinic.unset("verify", "--packet", path, *public).err
    clinic("checkpoint")
    assert clinic("packet", "pt1", "2025-03", "--output", path).code == 0
    said = clinic.unset("verify", "--packet", path, *public, "--json")
    assert said.code == 0
    (summary,) = said.lines()
    assert (summary["events"], summary["checkpoints"], summary["notes"]) == (8, 1, [])
