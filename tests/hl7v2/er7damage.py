"""Good HL7 v2 damaged in every way: values, segments, signs, bytes. The same seed damages the same
way."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.hl7v2.samples import foreign
from tests.hl7v2.sent import a40, adt, dft, er7, ft1, mdm, msh, pid, ppr, prb, pv1, time_of, txa

NURSE = "9^ROE^N^^^^^^RIVER"
JUNK = (
    *("", '""', " ", "0", "-1", "1", "22", "99999999999", "1.5", "x", "\u00e9", "\u2028", "I", "O"),
    *("2025", "202503", "20250305", "20250305100000", "20250305100030-0500", "20250230", "Y", "N"),
    *("20250309023000", "20251102013000", "99991231235959", "00010101", "20250305100000+9900"),
    *("20250305100000^20250305102030", "^", "~", "&", "\\", "\\F\\", "\\X41\\", "\\X4\\", "^^^^"),
    *("I10^x^I10C", "99490^x^C4", "CCMMIN", "CCMCLOCK", "AD", "DE", "CG", "CR", "MR", "v1", "c1"),
    *("pt1^^^RIVER^MR", "pt2^^^RIVER", NURSE, "1000000012^^^^^^^^NPI", "x" * 300, "a~b~c", "T"),
    *("ADT^A01", "ADT^A08", "ADT^A11", "ADT^A13", "PPR^PC3", "DFT^P03", "MDM^T11", "ADT^A40"),
)
PIECES = (
    *(b"|", b"^", b"~", b"\\", b"&", b"\r", b"\n", b"\r\n", b"\0", b"\xff", b"\xc3", b"\x0b"),
    *(
        b"\x1c",
        b"MSH|^~\\&|",
        b"BHS|^~\\&|",
        b"\rMSH|",
        b"\rPID|",
        b"\\X",
        b"||||",
        b"\xef\xbb\xbf",
    ),
)
THINGS = {"PV1": 19, "PRB": 4, "FT1": 2, "TXA": 12}
"""Where each has its number."""
CHARSETS = (
    "",
    "ASCII",
    "UNICODE UTF-8",
    "8859/1",
    "8859/15",
    "ISO IR87",
    "nonsense",
    "GB 18030-2000",
)


def corpus() -> list[bytes]:
    """What is damaged: our samples of every kind, and foreign ones where they are at hand."""
    left = pv1(discharged="20250304120000", disposition="20")
    seen = pv1("v2", "O", type="AWV", discharged="20250301")
    clock = ft1("c2", "CCMCLOCK", "", on="20250305100000^20250305102030", by=NURSE)
    ours = [
        *(adt(event, left) for event in ("A01", "A03", "A04", "A08", "A11", "A13", "A28", "A31")),
        *(adt("A03", seen), adt("A31", pid(died="20250305", dead="Y")), adt("A02"), adt("A07")),
        *(
            ppr("PC1", prb(onset="20240101", persistence="C")),
            ppr("PC2", prb("UP", ended="20250306")),
        ),
        *(ppr("PC3", prb("DE")), ppr("PC1", prb(), prb(number="6", code="E11.9^x^I10"))),
        *(dft(ft1()), dft(ft1("c1", "CCMMIN", "", quantity="22", by=NURSE)), dft(clock, ft1("c3"))),
        *(dft(ft1("c1", "CCMMIN", "", kind="CR")), mdm("T02", txa()), mdm("T02", txa("CC", "d2"))),
        mdm("T11", txa()),
    ]
    batch = b"FHS|^~\\&|x\rBHS|^~\\&|x\r" + ours[0] + ours[20] + b"BTS|2\rFTS|1\r"
    merges = [a40("pt2", "pt1"), a40("pt1", "pt3"), a40("pt3", "pt2")]
    whole = er7(msh(charset="8859/1"), pid(), pv1())
    return [
        *ours * 25,
        *merges * 2,
        batch,
        whole,
        *(m for m in foreign().values() if len(m) < 4_000),
    ]


class Damage:
    """Makes damaged messages, without end."""

    def __init__(self, seed: int) -> None:
        self._rng, self._number = random.Random(seed), 0
        self._corpus = corpus()
        self._ways: tuple[Callable[[list[str]], None], ...] = (
            *(self._replace,) * 7,
            *(self._borrow, self._remove, self._double, self._swap, self._lengthen),
        )

    def message(self) -> bytes:
        """One message: damaged as fields, as bytes, or both; a few are left whole."""
        rng, self._number = self._rng, self._number + 1
        lines = rng.choice(self._corpus).decode("utf-8", "replace").replace("\n", "\r").split("\r")
        lines = [line for line in lines if line]
        if rng.random() < 0.9:
            self._stamp(lines)
        if rng.random() < 0.93:
            for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
                rng.choice(self._ways)(lines)
        end = rng.choice(("\r", "\r", "\r", "\n", "\r\n"))
        raw = (end.join(lines) + end).encode("utf-8", "surrogatepass")
        if rng.random() < 0.1:
            raw = self._other_signs(raw)
        return self._bytes(raw) if rng.random() < 0.15 else raw

    def _stamp(self, lines: list[str]) -> None:
        """A control id and a time of its own, so that it is no repetition of an earlier one."""
        for number, line in enumerate(lines):
            fields = line.split("|")
            if fields[0] == "MSH" and len(fields) > 11:
                fields[9] = f"n{self._number}"
                fields[6] = time_of(self._rng.randrange(24), self._rng.randrange(60))
                if self._rng.random() < 0.8:
                    fields[10] = "P"
                if self._rng.random() < 0.05:
                    fields = [*fields[:17], *[""] * (17 - len(fields)), self._rng.choice(CHARSETS)]
                lines[number] = "|".join(fields)
            elif fields[0] in THINGS and len(fields) > THINGS[fields[0]]:
                fields[THINGS[fields[0]]] = f"n{self._rng.randrange(400)}"
                lines[number] = "|".join(fields)

    def _replace(self, lines: list[str]) -> None:
        number = self._rng.randrange(len(lines))
        fields = lines[number].split("|")
        field = self._rng.randrange(len(fields))
        parts = fields[field].split("^")
        if self._rng.random() < 0.5 and len(parts) > 1:
            parts[self._rng.randrange(len(parts))] = self._rng.choice(JUNK)
            fields[field] = "^".join(parts)
        else:
            fields[field] = self._rng.choice(JUNK)
        lines[number] = "|".join(fields)

    def _borrow(self, lines: list[str]) -> None:
        """A segment of another message."""
        other = self._rng.choice(self._corpus).decode("utf-8", "replace").split("\r")
        lines.insert(self._rng.randrange(len(lines) + 1), self._rng.choice(other) or "NTE|1")

    def _remove(self, lines: list[str]) -> None:
        if len(lines) > 1:
            lines.pop(self._rng.randrange(len(lines)))

    def _double(self, lines: list[str]) -> None:
        lines.append(self._rng.choice(lines))

    def _swap(self, lines: list[str]) -> None:
        number = self._rng.randrange(len(lines))
        fields = lines[number].split("|")
        one, other = (self._rng.randrange(len(fields)) for _ in range(2))
        fields[one], fields[other] = fields[other], fields[one]
        lines[number] = "|".join(fields)

    def _lengthen(self, lines: list[str]) -> None:
        number = self._rng.randrange(len(lines))
        lines[number] += self._rng.choice(("|", "^", "~", "&")) * self._rng.choice((1, 30, 1_100))

    def _other_signs(self, raw: bytes) -> bytes:
        signs = self._rng.sample("|^~\\&#!%$*@;", 5)
        table = dict(zip(b"|^~\\&", map(ord, signs), strict=True))
        return bytes(table.get(octet, octet) for octet in raw)

    def _bytes(self, raw: bytes) -> bytes:
        rng, found = self._rng, bytearray(raw)
        for _ in range(rng.choice((1, 1, 2, 5))):
            at = rng.randrange(len(found) + 1)
            way = rng.randrange(4)
            if way == 0:
                found[at:at] = rng.choice(PIECES)
            elif way == 1:
                del found[at : at + rng.choice((1, 3, 50))]
            elif way == 2 and found:
                found[min(at, len(found) - 1)] = rng.randrange(256)
            else:
                del found[at:]
        return bytes(found)
