"""Reading FHIR JSON without trust: any value may stand anywhere, and nothing here raises but
`Review`.

R4 and R5 differ in where they have one value and where a list, and in whether a concept is a
Coding, a CodeableConcept or a CodeableReference: all are read alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from domain.rejections import Reason
from services.translate.outcome import Review

T = TypeVar("T")
Resource = dict[str, Any]

NPI_SYSTEMS = frozenset({"http://hl7.org/fhir/sid/us-npi", "urn:oid:2.16.840.1.113883.4.6"})
PATIENT_MEMBERS = ("subject", "patient", "for", "beneficiary")
"""Where a resource names its patient."""
ID = re.compile(r"[A-Za-z0-9.\-]{1,64}")
_REFERENCE = re.compile(r"(?:^|/)([A-Z][A-Za-z]{1,63})/([A-Za-z0-9.\-]{1,64})(?:/_history/[^/]+)?$")


def text(value: Any) -> str:
    """The string, '' for anything else."""
    return value if isinstance(value, str) else ""


def obj(value: Any) -> Resource:
    """The object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Resource]:
    """The objects of a list; an object alone is a list of one."""
    if type(value) is list:
        return [item for item in value if type(item) is dict]
    return [value] if type(value) is dict else []


def first(resource: Resource, *names: str) -> Any:
    """The first of these members that is there: R4's name, then R5's."""
    for name in names:
        if (found := resource.get(name)) is not None:
            return found
    return None


def tokens(value: Any) -> list[str]:
    """`system|code` of every coding in a Coding, CodeableConcept, CodeableReference, or a list."""
    found = []
    for item in value if type(value) is list else (value,):
        if type(item) is not dict:
            continue
        concept = item.get("concept")
        if type(concept) is dict:
            codings = items(concept.get("coding"))
        else:
            codings = items(item.get("coding")) or [item]
        for coding in codings:
            code = coding.get("code")
            if type(code) is str and code:
                found.append(f"{text(coding.get('system'))}|{code}")
    return found


def match(table: Mapping[str, T], field: str, *values: Any) -> T | None:
    """What the table has for these concepts; two different answers are for review."""
    if not table:
        return None
    return meaning(table, field, [token for value in values for token in tokens(value)])


def meaning(table: Mapping[str, T], field: str, said: list[str]) -> T | None:
    """The same for tokens that were read before."""
    found: list[T] = []
    for token in said:
        if token in table and table[token] not in found:
            found.append(table[token])
    if len(found) > 1:
        sentence = "expected codes that the site profile gives one meaning; found several"
        raise Review(Reason.AMBIGUOUS, field, sentence)
    return found[0] if found else None


def codes_of(systems: frozenset[str], *values: Any) -> list[str]:
    """Codes of these systems, each once, in order."""
    parted = (token.rpartition("|") for value in values for token in tokens(value))
    return list(dict.fromkeys(code for system, _, code in parted if system in systems))


def local_reference(value: Any, base: str) -> str:
    """`Type/id` of a Reference or its text; '' where it is none, or one to another server."""
    found = text(value) or text(obj(value).get("reference"))
    return _local(found, base) if found else ""


@lru_cache(maxsize=16_384)
def _local(found: str, base: str) -> str:
    """Kept: a feed names the same few patients and people over and over."""
    if "://" in found and not found.startswith(f"{base}/"):
        return ""
    matched = _REFERENCE.search(found.removeprefix(f"{base}/"))
    whole = found.removeprefix(f"{base}/").partition("/_history/")[0]
    if matched is None or whole != f"{matched[1]}/{matched[2]}":
        return ""
    return whole


def uuid_reference(value: Any) -> str:
    """The id behind `urn:uuid:`, as bundles refer to their own entries; '' for other references."""
    found = text(value) or text(obj(value).get("reference"))
    found = found.removeprefix("urn:uuid:") if found.startswith("urn:uuid:") else ""
    return found if ID.fullmatch(found) else ""


def identifier(value: Any) -> tuple[str, str] | None:
    """(system, value) of the logical identifier of a Reference."""
    found = obj(obj(value).get("identifier"))
    system, name = text(found.get("system")), text(found.get("value"))
    return (system, name) if system and name else None


def npis_in(resource: Resource) -> Iterator[str]:
    """National provider identifiers among the identifiers of a Practitioner."""
    for each in items(resource.get("identifier")):
        if text(each.get("system")) in NPI_SYSTEMS and text(each.get("value")):
            yield each["value"]


def contained(resource: Resource, value: Any) -> Resource:
    """The contained resource that a Reference means, an empty one where it means none."""
    wanted = text(obj(value).get("reference"))
    for each in items(resource.get("contained")):
        if wanted and wanted == f"#{text(each.get('id'))}":
            return each
    return {}


def required(resource: Resource, *names: str) -> Any:
    """The member under the first of these names; a resource without it is for review."""
    found = first(resource, *names)
    if found is None:
        raise Review(Reason.MISSING_MEMBER, names[0], "expected a value; it is missing")
    return found


def status_of(resource: Resource) -> str:
    """`status`; a resource without one is for review."""
    found = text(required(resource, "status"))
    if not found:
        raise Review(Reason.INVALID_MEMBER, "status", "expected a code; found something else")
    return found


def unmapped_status(field: str, status: str) -> Review:
    """What to raise for a status that no event stands for."""
    sentence = f"no event says what {status[:40]!r} means here; a person must decide"
    return Review(Reason.UNMAPPED_STATUS, field, sentence)
