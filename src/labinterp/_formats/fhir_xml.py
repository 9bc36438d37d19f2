"""XML of FHIR -> the same plain data as its JSON, so that one reader answers both.

`value` attributes become primitives, what may repeat a list, `id` and extensions of a primitive the part with the underscore, a resource within
`resource` or `contained` the object itself. Read by plain walking: no schema is asked, what is dirty and readable is not dropped.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

from labinterp._delimited import decode
from labinterp._formats.fhir_elements import READ, WRAPPERS, is_primitive, may_repeat, stands_once, typed
from labinterp._formats.fhir_json import TWICE
from labinterp._formats.kinds import FHIR_NAMESPACE, XHTML, other_xml
from labinterp._formats.xml_elements import HARMFUL, Root, Walk, declares_entities, xml_text
from labinterp.errors import InputError

_BESIDE: Final = frozenset(["id", "extension"])  # of a primitive: they stand beside its value


def xml_documents(data: bytes, encoding: str | None = None) -> tuple[list[tuple[str, Any]], list[str]]:
    """The resource of a file of XML: (place, plain data), and what of it could not be read. The counterpart of `fhir_json.documents`.

    Args:
        data: The file.
        encoding: Of it, where it is to be read otherwise than it says.

    Raises:
        InputError: It is no XML of FHIR, or nothing of it can be read; it declares a document type, or is nested too deeply.

    Example:
        >>> xml_documents(b'<Observation xmlns="http://hl7.org/fhir"><valueInteger value="5"/></Observation>')[0]
        [('', {'valueInteger': 5, 'resourceType': 'Observation'})]
    """
    if declares_entities(data):
        raise InputError(HARMFUL)
    tree = _Tree()
    broken = tree.walk.through(decode(data, encoding)[0] if encoding else xml_text(data))
    notes = [f"Parts of the XML that are not of FHIR's namespace and were passed over: {tree.foreign}."] if tree.foreign else []
    if broken is None:
        return [("", tree.root)], notes
    where = f"line {broken.line}, column {broken.column}"
    if tree.root is not None:
        return [("", tree.root)], [f"The file goes on after the end of its XML, at {where}, which was not read.", *notes]
    left = tree.left()
    if left is None:
        raise InputError(f"this is not XML to its end, or damaged: {where}: {broken.said}")
    return [("", left)], [f"The file is truncated or damaged: its XML ends at {where}. What stands before was read.", *notes]


class _Open:
    """An element that has begun.

    Attributes:
        name: Of it, without its namespace.
        node: What was read of it.
        known: Whether it is part of a resource that is read, so that what may repeat in it is known.
        value: Its attribute `value`.
        inside: Resources that stand in it.
        many: Names that were made lists because they stood more than once.
    """

    __slots__ = ("inside", "known", "many", "name", "node", "value")

    def __init__(self, name: str, known: bool, value: str | None) -> None:
        self.name, self.known, self.value = name, known, value
        self.node: dict[str, Any] = {}
        self.inside: list[dict[str, Any]] = []
        self.many: set[str] = set()

    @property
    def is_resource(self) -> bool:
        """Whether it is a resource: their names begin with a capital, those of all other elements do not."""
        return "A" <= self.name[:1] <= "Z"

    def put(self, name: str, value: Any, beside: dict[str, Any] | None) -> None:
        """Take in a child: its value, and what stands beside a primitive one."""
        node = self.node
        if may_repeat(self.name, name):
            listed = node.setdefault(name, [])
            if beside:
                besides = node.setdefault(f"_{name}", [])
                besides += [None] * (len(listed) - len(besides))
                besides.append(beside)
            listed.append(value)
        elif name in self.many:
            node[name].append(value)
        elif name not in node and f"_{name}" not in node:
            node |= ({} if value is None else {name: value}) | ({f"_{name}": beside} if beside else {})
        elif self.known and stands_once(name):
            node |= {name: value, TWICE: True}
        else:
            self.many.add(name)
            node[name] = [node.get(name), value]


class _Tree:
    """What was read so far.

    Attributes:
        root: The resource of the file, once it has ended.
        foreign: How many parts are not of FHIR.
        walk: The way through the file.
    """

    def __init__(self) -> None:
        self.root: dict[str, Any] | None = None
        self.foreign = 0
        self.walk = Walk(self._begun, self._ended, self._said)
        self._open: list[_Open] = []
        self._aside = 0  # elements that are open within a part that is not of FHIR, that part too
        self._page: list[str] | None = None  # the narrative, which nothing is read from: it tells resources apart

    def left(self) -> dict[str, Any] | None:
        """Of a bundle that breaks off, its whole entries, and those of the bundles within it that were open; None where there is none."""
        kept: dict[str, Any] | None = None
        for one in reversed(self._open):
            if one.name == "Bundle":
                if kept is not None:
                    one.put("entry", {"resource": kept}, None)
                kept = {**one.node, "resourceType": "Bundle"} if "entry" in one.node else None
            elif one.is_resource:
                kept = None
        return kept

    def _begun(self, name: str, attributes: dict[str, str]) -> None:
        if self._aside:
            self._aside += 1
            if self._page is not None:
                self._page += ("<", name, *(part for pair in sorted(attributes.items()) for part in pair), ">")
            return
        space, _, local = name.rpartition(" ")
        above = self._open[-1] if self._open else None
        if space != FHIR_NAMESPACE:
            if above is None:
                raise other_xml(Root(space, local))
            self._aside = 1
            if space == XHTML and local == "div" and above.name == "text":
                self._page = []
            else:
                self.foreign += 1
            return
        one = _Open(local, local in READ if above is None or "A" <= local[:1] <= "Z" else above.known, attributes.get("value"))
        if one.is_resource:
            if above is not None and above.name not in WRAPPERS:
                self._refuse("a resource stands where FHIR has none")
        elif above is None:
            self._refuse("the first element is no resource; accepted: a Bundle, Observation or DiagnosticReport")
        elif "id" in attributes:
            one.node["id"] = attributes["id"]
        if "url" in attributes and local in ("extension", "modifierExtension"):
            one.node["url"] = attributes["url"]
        self._open.append(one)

    def _ended(self, name: str) -> None:
        if self._aside:
            self._aside -= 1
            if self._page is not None:
                self._page.append("</>")
                if not self._aside:
                    self._open[-1].put("div", "".join(self._page), None)
                    self._page = None
            return
        one = self._open.pop()
        above = self._open[-1] if self._open else None
        if one.is_resource:
            one.node["resourceType"] = one.name
            if above is None:
                self.root = one.node
            else:
                above.inside.append(one.node)
        elif above is not None:
            self._closed(one, above)

    def _closed(self, one: _Open, above: _Open) -> None:
        if one.inside:
            if len(one.inside) > 1 and one.name != "contained":
                self._refuse("two resources stand where FHIR has one")
            for resource in one.inside:
                above.put(one.name, resource, None)
            return
        if not one.node.keys() <= _BESIDE or (one.value is None and not is_primitive(one.name)):
            above.put(one.name, one.node, None)
        elif one.value is not None:
            above.put(one.name, typed(above.name, one.name, one.value), one.node or None)
        elif one.node:
            above.put(one.name, None, one.node)

    def _said(self, text: str) -> None:
        if self._page is not None:
            self._page.append(text)
        elif not self._aside and text.strip():
            self._refuse("a text stands between the elements, where FHIR has value=")

    def _refuse(self, said: str) -> NoReturn:
        raise InputError(f"this XML has the namespace of FHIR and is none: {said}, in line {self.walk.line}")
