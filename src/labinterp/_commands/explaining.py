"""Commands that explain: one answer step by step, the story of one nutrient, and the states behind an effect."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from labinterp._commands.options import (
    PERSON,
    AgeOption,
    AsOfOption,
    AuthorityOption,
    DecimalOption,
    LimitsOption,
    PregnantOption,
    ResearchOption,
    SexOption,
    ToPlain,
    ToPlainOption,
    age_of,
    authority_of,
    catalog_of,
)
from labinterp._commands.output import console, write_json
from labinterp._documents import document
from labinterp._inputs import LabResult, Patient, read_sex
from labinterp._interpret import interpret as interpret_panel
from labinterp._story import behind, effect_id, effect_list, story
from labinterp.errors import InputError

# Reasons that another set of limits, or another fact of the person, can help with.
_NO_LIMIT = {"no_limit_for_population", "authority_gives_no_limit", "sex_unknown", "age_unknown", "pregnancy_unknown"}


def explain(
    analyte: Annotated[str, typer.Argument(metavar="ANALYTE", help="Id, name or LOINC code.")],
    value: Annotated[
        str | None, typer.Argument(metavar="VALUE", help='Value with its unit, such as "18 ng/mL"; not needed with --muscle.')
    ] = None,
    muscle: Annotated[
        bool, typer.Option("--muscle", metavar="", help="What the analyte has to do with muscle: states, effects, sources.")
    ] = False,
    sex: SexOption = None,
    age: AgeOption = None,
    pregnant: PregnantOption = None,
    context: Annotated[
        list[str] | None,
        typer.Option(
            "--context", metavar="NAME", rich_help_panel=PERSON, help="Declared circumstance, such as inflammation. May be repeated."
        ),
    ] = None,
    authority: AuthorityOption = None,
    as_of: AsOfOption = None,
    decimal: DecimalOption = None,
    limits: LimitsOption = None,
    research: ResearchOption = False,
    to: ToPlainOption = ToPlain.table,
) -> None:
    """Show how one answer comes about, or what an analyte has to do with muscle.

    \b
    labinterp explain vitamin_d "18 ng/mL" --sex female --age 71
    labinterp explain ferritin "40 ug/L" --sex male --age 50 --context inflammation
    labinterp explain vitamin_b12 --muscle
    """
    catalog = catalog_of(limits)
    name = catalog.analyte_id(analyte)
    if value is None:
        if not muscle:
            raise InputError('explain takes a value with its unit, such as "18 ng/mL", or --muscle')
        if to is ToPlain.json:
            write_json(None, story(catalog, name))
            return
        from labinterp._render_story import show_story

        show_story(console(), story(catalog, name))
        return
    patient = Patient(sex=read_sex(sex), age_years=None if age is None else age_of(age), pregnant=pregnant, contexts=context or ())
    options: dict[str, Any] = {"authority": authority_of(authority, catalog), "as_of": as_of, "catalog": catalog, "decimal": decimal}
    report = interpret_panel([LabResult(catalog.table["analytes"][name]["name"], value)], patient, research=research, **options)
    if to is ToPlain.json:
        traces = [finding.trace() for finding in report.findings]
        write_json(None, {**document(catalog, [report]), "trace": traces, **({"story": story(catalog, name)} if muscle else {})})
        return
    from labinterp._render import show_candidates, show_report, show_trace
    from labinterp._render_sources import Sources
    from labinterp._render_story import show_story

    screen = console()
    for finding in (*report.findings, *report.derived):
        show_trace(screen, finding)
        screen.print()
    if any(one.reason in _NO_LIMIT for one in report.not_assessed):
        show_candidates(screen, catalog, name)
    sources = Sources()
    show_report(screen, report, catalog, sources)
    sources.show(screen)
    if muscle:
        show_story(screen, story(catalog, name))


def effects(
    effect: Annotated[
        str | None, typer.Argument(metavar="EFFECT", help="Id, name or everyday word, such as cramps. Default: list all.")
    ] = None,
    limits: LimitsOption = None,
    to: ToPlainOption = ToPlain.table,
) -> None:
    """List the muscle effects, or show which measured states can lie behind one, the strongest link first.

    \b
    labinterp effects
    labinterp effects cramps
    """
    catalog = catalog_of(limits)
    data: Any = effect_list(catalog) if effect is None else behind(catalog, effect_id(catalog, effect))
    if to is ToPlain.json:
        write_json(None, data)
        return
    from labinterp._render_story import show_behind, show_effects

    if effect is None:
        show_effects(console(), data)
    else:
        show_behind(console(), data)
