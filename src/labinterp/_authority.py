"""Whose limits a caller asks for, by the catalog's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from labinterp.errors import InputError

if TYPE_CHECKING:
    from labinterp._catalog import Catalog


def chosen(catalog: Catalog, authority: str | Mapping[str, str] | None) -> str | Mapping[str, str] | None:
    """Whose limits are asked for, by the catalog's names.

    Raises:
        UnknownAuthorityError: Nobody of that name draws lines in the catalog.
        InputError: It is neither a name nor a mapping.
    """
    if isinstance(authority, str) and authority in catalog.table["limits"]:  # a set's id names its own analyte
        authority = {catalog.table["limits"][authority]["analyte"]: authority}
    elif authority is not None and not isinstance(authority, (str, Mapping)):
        raise InputError("authority is a name such as 'nam', a limit set's id, or a mapping from analyte to one of them")
    elif isinstance(authority, Mapping):
        authority = {catalog.analyte_id(name): who for name, who in authority.items()}
    for one in () if authority is None else authority.values() if isinstance(authority, Mapping) else (authority,):
        catalog.check_authority(one)
    return authority
