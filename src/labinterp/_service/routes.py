"""The paths of the service, and what each answers with."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from threading import Event
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import ValidationError

from labinterp import __version__
from labinterp._catalog import Catalog
from labinterp._convert import convert
from labinterp._documents import answered, document_json, limits_document
from labinterp._plain import plain_number
from labinterp._published.answers import Document
from labinterp._published.lookups import Analyte, Converted, Health, LimitSet, Versions
from labinterp._service.asks import Conversion, InterpretOptions, Nothing, body_of
from labinterp._service.bodies import JSON_TYPES, of_type, panels_of, paragraph, read_body
from labinterp._service.page import PAGE, PAGE_HEADERS
from labinterp._service.problems import Refused, documented
from labinterp._service.settings import Settings
from labinterp._service.work import Work
from labinterp._whose import authority_of
from labinterp.errors import IncompatibleUnitError, InputError, LabInterpError, UnknownAnalyteError, UnknownAuthorityError, UnknownUnitError

_JSON = ("application/json",)
_LONGEST = 200


class Served(NamedTuple):
    """What the paths answer from."""

    catalog: Catalog
    settings: Settings
    work: Work


def open_paths() -> APIRouter:
    """Paths without a token: whether the service is there, and the page to try it."""
    router = APIRouter()

    @router.get("/health", response_model=Health, responses=documented(422, 500), tags=["service"])
    async def health(options: Annotated[Nothing, Query()]) -> Any:
        """Whether the service answers. Needs no token and waits for no place."""
        return _json('{"status": "ok"}')

    @router.get("/", response_class=Response, include_in_schema=False)
    async def page() -> Any:
        """A page to try the service; it needs no network."""
        return Response(PAGE, media_type="text/html", headers=PAGE_HEADERS)

    return router


def data_paths(served: Served, allowed: Callable[..., Awaitable[None]]) -> APIRouter:
    """Paths that answer questions.

    Args:
        served: What they answer from.
        allowed: Dependency that refuses who may not ask.
    """
    catalog, settings, work = served
    router = APIRouter(dependencies=[Depends(allowed)], responses=documented(*((401,) if settings.token else ()), 422, 500))
    analytes = json.dumps([analyte.to_dict() for analyte in catalog.analytes.values()])
    versions = json.dumps({"labinterp": __version__, "catalog": catalog.version, "as_of": catalog.as_of})

    @router.post(
        "/interpret",
        response_model=Document,
        responses=documented(400, 408, 413, 415, 503, 504),
        openapi_extra=dict(body_of("Results", JSON_TYPES)),
        tags=["results"],
    )
    async def interpret(request: Request, options: Annotated[InterpretOptions, Query()]) -> Any:
        """Interpret results: one panel, a list of panels or rows, or FHIR. The answer is that of `labinterp interpret --to json`.

        Results that cannot be assessed are no error: they come back under `not_assessed`, each with its reason.
        """
        of_type(request, JSON_TYPES)
        with work.place():
            body = await read_body(request, settings)
            return _json(await work.run(partial(_interpreted, served, body, options)))

    @router.get("/analytes", response_model=list[Analyte], tags=["catalog"])
    async def list_analytes(options: Annotated[Nothing, Query()]) -> Any:
        """The analytes with their units, LOINC codes and limit sets."""
        return _json(analytes)

    @router.get("/limits/{analyte:path}", response_model=list[LimitSet], responses=documented(404), tags=["catalog"])
    async def limits(analyte: str, options: Annotated[Nothing, Query()]) -> Any:
        """Who draws which line for an analyte (id, name or LOINC code), since when, for whom, and where it is printed."""
        try:
            id = catalog.analyte_id(analyte[:_LONGEST])
        except UnknownAnalyteError as error:
            why = error.because or "No analyte has this name or code."
            next_step = f"Closest: {', '.join(error.closest)}." if error.closest else "GET /analytes lists them."
            raise Refused(404, "unknown_analyte", f"{why} {next_step}") from None
        return _json(json.dumps(limits_document(catalog, id)))

    @router.get("/convert", response_model=Converted, tags=["catalog"])
    async def convert_asked(question: Annotated[Conversion, Query()]) -> Any:
        """One value in another unit of its analyte. Addresses are kept in many logs: for a patient's value use POST."""
        return _json(json.dumps(_converted(catalog, question)))

    @router.post(
        "/convert",
        response_model=Converted,
        responses=documented(400, 408, 413, 415, 503),
        openapi_extra=dict(body_of("Conversion", _JSON)),
        tags=["catalog"],
    )
    async def convert_sent(request: Request, options: Annotated[Nothing, Query()]) -> Any:
        """One value in another unit of its analyte."""
        of_type(request, _JSON)
        with work.place():
            body = await read_body(request, settings._replace(max_bytes=min(settings.max_bytes, 10_000)))
        return _json(json.dumps(_converted(catalog, _conversion(body))))

    @router.get("/version", response_model=Versions, tags=["service"])
    async def version(options: Annotated[Nothing, Query()]) -> Any:
        """The versions of the program and of the catalog, and the catalog's day."""
        return _json(versions)

    return router


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")


def _interpreted(served: Served, body: bytes, options: InterpretOptions, gone: Event) -> str:
    """The document of a body."""
    catalog = served.catalog
    panels = panels_of(body, served.settings)
    try:
        asked = {
            "authority": authority_of(options.authority, catalog, "authority"), "as_of": options.as_of, "decimal": options.decimal,
            "research": options.research, "catalog": catalog,
        }  # fmt: skip
        reports = []
        for panel in panels:
            if gone.is_set():
                return ""
            reports.append(answered(panel, panel.patient, asked))
    except UnknownAuthorityError:
        raise Refused(422, "authority", "No authority or limit set has this name. GET /limits/{analyte} lists them.") from None
    except UnknownAnalyteError:
        raise Refused(422, "authority", "The authority names an analyte that is not in the catalog. GET /analytes lists them.") from None
    except InputError as error:
        raise Refused(422, "input", paragraph(error, body.decode("utf-8", "replace"))) from None
    return document_json(catalog, reports)


def _conversion(body: bytes) -> Conversion:
    """The question in a body."""
    try:
        data = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused(400, "not_json", "The body is not JSON in UTF-8.") from None
    try:
        return Conversion.model_validate(data)
    except ValidationError:
        text = 'The body has the form {"analyte": "vitamin_d", "value": "20 ng/mL", "unit": "nmol/L"}, and decimal where a number reads two ways.'
        raise Refused(422, "form", text) from None


def _converted(catalog: Catalog, question: Conversion) -> dict[str, Any]:
    """The answer to a conversion; what is said of a fault names the analyte and its units, never the value."""
    try:
        made = convert(question.value, question.unit, analyte=question.analyte, catalog=catalog, decimal=question.decimal)
    except UnknownAnalyteError:
        raise Refused(422, "unknown_analyte", "No analyte has this name or code. GET /analytes lists them.") from None
    except UnknownUnitError as error:
        raise Refused(422, "unknown_unit", f"The unit cannot be read. {error.analyte} is given in: {', '.join(error.accepted)}.") from None
    except IncompatibleUnitError as error:
        raise Refused(422, "incompatible_unit", paragraph(error)) from None
    except LabInterpError:
        usual = catalog.table["analytes"][catalog.analyte_id(question.analyte)]["usual"][0]
        raise Refused(422, "unreadable_value", f'No value with a unit could be read. Write it as "20 {usual}".') from None
    return {
        "analyte": catalog.analyte_id(question.analyte),
        "comparator": made.comparator or None,
        "value": plain_number(made.value),
        "value_high": None if made.high is None else plain_number(made.high),
        "unit": made.unit,
        "exact": str(made.value),
    }
