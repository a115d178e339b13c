"""Readers of the official CMS fee files: relative values, locality indices, priced amounts.

A file is taken whole or refused whole, with an error that names file, line and column.
"""

from infra.feefiles.model import OFFICIAL, FeeFile, FeeFileError, Plausible, ReadOptions
from infra.feefiles.reading import read_fee_files

__all__ = [
    "OFFICIAL",
    "FeeFile",
    "FeeFileError",
    "Plausible",
    "ReadOptions",
    "read_fee_files",
]
