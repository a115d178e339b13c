"""A site profile: what one EHR means by its codes, and where its patients are cared for.

Written in TOML. A code is written as a token, `system|code`. What a profile does not name is not
guessed: it goes to review or is counted as ignored, as `docs/feeds-fhir.md` says.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator

from infra.addresses import is_loopback
from services.translate.hl7v2.profile import Hl7v2
from services.translate.parts import Activity, Part, Token
from services.wire.scalars import Hcpcs, Icd10, Identifier, Locality, Npi, Source, Zone

Role = Literal["clinical_staff", "billing_practitioner", "other_practitioner", "non_clinical"]


SUBSCRIPTION = re.compile(r"Subscription/[A-Za-z0-9.\-]{1,64}")
QUERY = re.compile(r"[A-Z][A-Za-z]{1,63}\?[^\s#{}]*\{since\}[^\s#{}]*")


def is_safe(url: str) -> bool:
    """Whether nobody between us and this address can read or change what is said."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


class SiteError(ValueError):
    """A profile that cannot be used: one line a fault, each naming file and member."""


class Patients(Part):
    """`linked`: only `identity.linked.v1` says who a patient of theirs is. `identifier`: a Patient
    resource says it, by its identifier in `system`. `id`: their logical id is ours."""

    subject: Literal["linked", "identifier", "id"] = "linked"
    system: Source | None = None

    @model_validator(mode="after")
    def _named(self) -> Patients:
        if (self.subject == "identifier") != (self.system is not None):
            raise ValueError("system: expected with subject 'identifier', and only there")
        return self


class Practitioner(Part):
    """Someone who may bill or see patients; `references` are theirs, such as `Practitioner/12`."""

    npi: Npi
    credential: Identifier | None = None
    references: list[Identifier] = []


class Staff(Part):
    """Someone whose minutes are logged."""

    id: Identifier
    role: Role
    references: list[Identifier] = Field(min_length=1)
    outside_us: bool = False


class Enrolment(Part):
    types: list[Token] = []
    provider_kind: Literal["practitioner", "rhc", "fqhc"] = "practitioner"
    setting: Literal["nonfacility", "facility"] = "nonfacility"
    locality: Locality | None = None


class Consents(Part):
    """`codes`: which categories or codes are consent to care management, and how it was given."""

    codes: dict[Token, Literal["verbal", "written"]] = {}
    npi: Npi | None = None
    """To whom, where the resource names nobody."""
    revoked_on: Literal["period-end", "last-updated"] = "period-end"


class Conditions(Part):
    """Which categories are the clinician's attestation that a condition is chronic."""

    chronic: list[Token] = []
    icd10: dict[Token, Icd10] = {}
    without_icd10: Literal["review", "ignore"] = "review"


class CarePlans(Part):
    categories: list[Token] = [
        "http://hl7.org/fhir/us/core/CodeSystem/careplan-category|assess-plan",
        "http://snomed.info/sct|734163000",
    ]


class Time(Part):
    """Which Task codes, and which Encounter classes and types, are logged work."""

    tasks: dict[Token, Activity] = {}
    encounters: dict[Token, Activity] = {}
    default_role: Role | None = None
    """Of people whom `staff` does not name; without it their time goes to review."""


class Visits(Part):
    """Encounter types and Procedure codes that are visits, with the HCPCS code of each."""

    codes: dict[Token, Hcpcs] = {}
    discussed: list[Token] = []
    """Types or reasons which say that care management was discussed."""


class Stays(Part):
    codes: dict[Token, Literal["inpatient", "snf_part_a", "other"]] = {
        "http://terminology.hl7.org/CodeSystem/v3-ActCode|IMP": "inpatient",
        "http://terminology.hl7.org/CodeSystem/v3-ActCode|ACUTE": "inpatient",
    }


class Services(Part):
    """Codes on claims that are kept as billed services, beside those that the rules know."""

    codes: list[Hcpcs] = []


class Pull(Part):
    """How to ask the server back: SMART Backend Services, or no authorisation at all."""

    token_url: str | None = None
    client_id: str | None = None
    key_file: str | None = None
    key_id: str | None = None
    algorithm: Literal["RS384", "ES384"] = "RS384"
    scope: str = "system/*.read"
    queries: list[str] = []
    """Searches that find what changed; `{since}` is an instant."""
    subscriptions: list[str] = []
    """`Subscription/12`: asked now and then how far they have counted."""

    @model_validator(mode="after")
    def _whole(self) -> Pull:
        given = [self.token_url, self.client_id, self.key_file]
        if any(given) and not all(given):
            raise ValueError("token_url, client_id, key_file: expected all three or none")
        if self.token_url is not None and not is_safe(self.token_url):
            raise ValueError("token_url: expected https://…; found an address without TLS")
        return self

    @field_validator("queries")
    @classmethod
    def _since(cls, queries: list[str]) -> list[str]:
        for query in queries:
            if not QUERY.fullmatch(query):
                raise ValueError("expected TYPE?…_lastUpdated=ge{since}…, without an address")
        return queries

    @field_validator("subscriptions")
    @classmethod
    def _subscriptions(cls, names: list[str]) -> list[str]:
        if not all(map(SUBSCRIPTION.fullmatch, names)):
            raise ValueError("expected Subscription/ID, without an address")
        return names


OF_FHIR = frozenset({"patients", "enrolment", "care_plans", "visits", "stays", "pull"})
"""Parts of a profile that have weight for FHIR alone."""


class Site(Part):
    """One EHR's profile."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    source: Source
    """The FHIR base address: references are relative to it, and events have it as `source`."""
    practice: Identifier
    timezone: Zone
    """Of the patients: dates of instants are taken in it."""
    without_last_updated: Literal["review", "clinical-time"] = "review"
    patients: Patients = Patients()
    practitioners: list[Practitioner] = []
    staff: list[Staff] = []
    enrolment: Enrolment = Enrolment()
    consents: Consents = Consents()
    conditions: Conditions = Conditions()
    care_plans: CarePlans = CarePlans()
    time: Time = Time()
    visits: Visits = Visits()
    stays: Stays = Stays()
    services: Services = Services()
    pull: Pull | None = None
    hl7v2: Hl7v2 | None = None
    """What the HL7 v2 messages of the same EHR mean; without it none are taken."""

    @model_validator(mode="after")
    def _asked_safely(self) -> Site:
        if self.pull is not None and not is_safe(self.source):
            raise ValueError("source: expected https://… with pull; found an address without TLS")
        return self

    @field_validator("source")
    @classmethod
    def _base(cls, source: str) -> str:
        return source.rstrip("/")

    def practitioner(self, key: str) -> Practitioner | None:
        """Who this NPI or reference is."""
        return self._practitioners.get(key)

    def member_of_staff(self, reference: str) -> Staff | None:
        """Whose reference this is."""
        return self._staff.get(reference)

    @cached_property
    def speaks_fhir(self) -> bool:
        """Whether FHIR is expected: not where the profile says what HL7 v2 means and nothing that
        has weight for FHIR alone. What comes is taken all the same."""
        codes = self.time.tasks or self.time.encounters or self.consents.codes
        return self.hl7v2 is None or bool(codes or self.model_fields_set & OF_FHIR)

    @cached_property
    def is_plain(self) -> bool:
        """Whether nothing in the profile but printable ASCII can come into an event."""
        named = self.model_dump_json()
        return named.isascii() and "\\" not in named and "\x7f" not in named

    @cached_property
    def patient_system(self) -> str:
        """The system of the logical ids of the site's patients."""
        return f"{self.source}/Patient"

    @cached_property
    def _practitioners(self) -> dict[str, Practitioner]:
        """Whoever comes first has the name."""
        each = reversed(self.practitioners)
        return {name: known for known in each for name in (known.npi, *known.references)}

    @cached_property
    def _staff(self) -> dict[str, Staff]:
        return {name: known for known in reversed(self.staff) for name in known.references}


def read_sites(paths: str) -> Mapping[str, Site]:
    """Profiles by name, of files and of folders with `*.toml`, parted by commas.

    Raises SiteError.
    """
    sites: dict[str, Site] = {}
    for text in filter(None, map(str.strip, paths.split(","))):
        path = Path(text)
        files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
        for file in files:
            site = read_site(file)
            if site.name in sites:
                raise SiteError(f"{file}: name: expected another in each profile; {site.name!r}")
            sites[site.name] = site
    return sites


def read_site(path: Path) -> Site:
    """One profile. Raises SiteError with one line a fault."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SiteError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SiteError(f"{path}: expected TOML: {error}") from None
    try:
        return Site(**document)
    except ValidationError as error:
        faults = [_sentence(path, fault) for fault in error.errors()]
        raise SiteError("\n".join(faults)) from None


def _sentence(path: Path, fault: Any) -> str:
    where = ".".join(str(part) for part in fault["loc"] if part != "[key]") or "profile"
    kind, message = fault["type"], str(fault["msg"]).removeprefix("Value error, ")
    if kind == "extra_forbidden":
        return f"{path}: {where} is not known in a site profile"
    if kind == "missing":
        return f"{path}: {where} is missing"
    if kind == "string_pattern_mismatch":
        message = f"expected another form ({fault['ctx']['pattern']})"
    found = str(fault["input"])[:60]
    return f"{path}: {where}: {message[:1].lower()}{message[1:]}; found {found!r}"
