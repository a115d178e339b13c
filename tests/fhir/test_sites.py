"""Site profiles: the example is one, and a wrong one is told by file, member and what was meant."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from services.translate.site import Site, SiteError, read_site, read_sites
from tests.fhir.made import PROFILE, site

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "site-profile.toml"
LEAST = """
name = "hill"
source = "https://hill.example/fhir/"
practice = "p1"
timezone = "America/Denver"
"""


def test_the_example_is_a_profile_with_what_is_commented_out_and_without() -> None:
    plain = read_site(EXAMPLE)
    assert plain.pull is None
    text = re.sub(r"^# (?=\[pull\]|[a-z_]+ = )", "", EXAMPLE.read_text(), flags=re.M)
    assert "\n[pull]" in text


def test_the_commented_part_is_valid_too(tmp_path: Path) -> None:
    head, _, tail = EXAMPLE.read_text().partition("# [pull]")
    file = tmp_path / "p.toml"
    file.write_text(head + re.sub(r"^# ?", "", f"# [pull]{tail}", flags=re.M))
    pull = read_site(file).pull
    assert pull is not None
    assert pull.algorithm == "RS384"


def test_a_base_address_has_no_slash_at_its_end(tmp_path: Path) -> None:
    (tmp_path / "hill.toml").write_text(LEAST)
    assert read_site(tmp_path / "hill.toml").source == "https://hill.example/fhir"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LEAST.replace("hill", "Hill", 1), "name"),
        (LEAST.replace("America/Denver", "America/Dever"), "timezone"),
        (LEAST.replace('practice = "p1"', ""), "practice is missing"),
        (f"{LEAST}colour = 1", "colour is not known"),
        (f"{LEAST}[patients]\nsubject = 'identifier'", "patients: system: expected"),
        (f"{LEAST}[patients]\nsubject = 'mrn'", "patients.subject"),
        (f"{LEAST}[[practitioners]]\nnpi = '1000000005'", "practitioners.0.npi"),
        (f"{LEAST}[[staff]]\nid = 'a'\nrole = 'nurse'\nreferences = ['x']", "staff.0.role"),
        (f"{LEAST}[enrolment]\ntypes = ['ccm']", "enrolment.types.0"),
        (f"{LEAST}[visits.codes]\n'a|b' = '9921'", "visits.codes"),
        (f"{LEAST}[pull]\nclient_id = 'x'", "pull: token_url, client_id, key_file"),
        (f"{LEAST}[pull]\nqueries = ['https://x/Task?a={{since}}']", "pull.queries"),
        (f"{LEAST}[pull]\nqueries = ['Task?_lastUpdated=ge2020']", "pull.queries"),
        (LEAST.replace("https", "http") + "[pull]\n", "source: expected https"),
        ("name = ", "expected TOML"),
        ("\xff", "expected TOML"),
    ],
)
def test_a_wrong_profile_names_the_file_and_the_member(
    tmp_path: Path, text: str, expected: str
) -> None:
    file = tmp_path / "hill.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(SiteError) as error:
        read_site(file)
    assert str(error.value).startswith(f"{file}: ")
    assert expected in str(error.value)


def test_every_fault_has_a_line(tmp_path: Path) -> None:
    file = tmp_path / "hill.toml"
    file.write_text(f"{LEAST}colour = 1\nshape = 2")
    with pytest.raises(SiteError) as error:
        read_site(file)
    assert len(str(error.value).splitlines()) == 2


def test_profiles_are_read_from_files_and_folders_and_have_different_names(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(LEAST)
    (tmp_path / "b.toml").write_text(LEAST.replace("hill", "dale", 1))
    assert sorted(read_sites(f"{tmp_path}")) == ["dale", "hill"]
    assert sorted(read_sites(f"{tmp_path / 'a.toml'}, {EXAMPLE}")) == ["hill", "river"]
    assert read_sites("") == {}
    with pytest.raises(SiteError, match="name"):
        read_sites(f"{tmp_path},{tmp_path / 'a.toml'}")
    with pytest.raises(SiteError, match="cannot be read"):
        read_sites(str(tmp_path / "none.toml"))


def test_asking_back_needs_tls_but_on_this_machine() -> None:
    pull: dict[str, Any] = {"pull": {}}
    assert site(source="http://127.0.0.1:8080/fhir", **pull).pull is not None
    with pytest.raises(ValueError, match="https"):
        site(source="http://ehr.example/fhir", **pull)
    assert site(source="http://ehr.example/fhir").pull is None
    assert PROFILE["name"] == "river"


@pytest.mark.parametrize(
    ("more", "speaks"),
    [
        ({}, True),
        ({"hl7v2": {}}, False),
        ({"hl7v2": {}, "staff": [], "time": {"default_role": "clinical_staff"}}, False),
        ({"hl7v2": {}, "patients": {"subject": "id"}}, True),
        ({"hl7v2": {}, "time": {"tasks": {"urn:x|call": {"activity": "phone_call"}}}}, True),
    ],
)
def test_fhir_is_expected_unless_the_profile_is_of_hl7_v2_alone(
    more: dict[str, Any], speaks: bool
) -> None:
    """A topic of a feed that nobody told of is not waited for."""
    given = {"name": "a", "source": "urn:a", "practice": "p1", "timezone": "America/New_York"}
    assert Site(**given, **more).speaks_fhir is speaks
