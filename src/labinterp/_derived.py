"""Quantities computed from measured ones: named, cited, tested functions; never in place of a measured quantity.

The data refers to a function by its name (`[[derive]]` in the file of the derived analyte) and says to which place its value is
given, what is said beside it, and where it comes from. `FUNCTIONS` is the closed list: which analytes a function takes, in which
units, what it asks of the person, and the unit of its value. A function refuses what lies outside its domain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import NamedTuple

from labinterp.errors import InputError

TRANSFERRIN_CONSTANT = 3.98  # 100 / (2 iron / 79,570 g/mol in umol/g, 25.1)


class Function(NamedTuple):
    """One function of the closed list.

    Attributes:
        compute: The function; it takes the inputs and the facts of the person by their names.
        inputs: Analyte -> UCUM code of the unit it takes, in the order of the arguments.
        unit: UCUM code of the value.
        person: What it asks of the person: "sex", "age_years", "pregnant".
        within: Inputs whose usable stretch the data must give.
    """

    compute: Callable[..., float]
    inputs: Mapping[str, str]
    unit: str
    person: tuple[str, ...] = ()
    within: tuple[str, ...] = ()


def egfr_ckd_epi_2021(creatinine: float, age_years: float | None, sex: str | None, pregnant: bool | None = None) -> float:
    """Estimated glomerular filtration rate from creatinine, CKD-EPI 2021 (without race).

    Args:
        creatinine: Serum creatinine, IDMS-standardised. [mg/dL]
        age_years: Completed years; adults of 18 years and over. [years]
        sex: "female" or "male".
        pregnant: Refused where True; None is not stated.

    Returns:
        float: unrounded. [mL/min/1.73 m2]

    Raises:
        InputError: Under 18 years, in pregnancy, an unknown age or sex, or a creatinine that is not positive.

    Caveats:
        Not valid in acute kidney injury or unstable creatinine, in pregnancy, and at extremes of muscle mass.

    Example:
        >>> round(egfr_ckd_epi_2021(0.9, 55, "female"), 3)
        75.499

    Source:
        Inker et al., N Engl J Med 2021;385:1737-1749; equation as printed by the US National Kidney Foundation.
    """
    if pregnant:
        raise InputError("CKD-EPI 2021 is not for pregnancy")
    if sex not in ("female", "male"):
        raise InputError("CKD-EPI 2021 needs the sex for reference purposes, female or male")
    if age_years is None:
        raise InputError("CKD-EPI 2021 needs the age")
    if age_years < 18:
        raise InputError("CKD-EPI 2021 is for adults of 18 years and over")
    _positive(creatinine=creatinine)
    kappa, alpha, factor = (0.7, -0.241, 1.012) if sex == "female" else (0.9, -0.302, 1.0)
    ratio = creatinine / kappa
    return float(142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age_years * factor)


def tibc_from_uibc(iron: float, uibc: float) -> float:
    """Total iron-binding capacity as the sum of what is bound and what is free.

    Args:
        iron: Iron in serum or plasma. [umol/L]
        uibc: Unsaturated iron-binding capacity of the same sample. [umol/L]

    Returns:
        float: Total iron-binding capacity. [umol/L]

    Raises:
        InputError: A number that is not positive (a UIBC of zero is possible and accepted).

    Caveats:
        Free iron, as after an infusion, is counted as bound.

    Example:
        >>> tibc_from_uibc(15.0, 45.0)
        60.0

    Source:
        Definition: TIBC = iron + UIBC, both in one unit.
    """
    _positive(iron=iron)
    if not uibc >= 0 or not isfinite(uibc):
        raise InputError("uibc must not be negative")
    return iron + uibc


def transferrin_saturation_from_tibc(iron: float, tibc: float) -> float:
    """Share of the iron-binding capacity that carries iron.

    Args:
        iron: Iron in serum or plasma. [umol/L]
        tibc: Total iron-binding capacity of the same sample. [umol/L]

    Returns:
        float: Saturation; more than 100 is possible with free iron and is not capped. [%]

    Raises:
        InputError: A number that is not positive.

    Caveats:
        Iron varies over the day and after a meal or a tablet, and the saturation with it.

    Example:
        >>> transferrin_saturation_from_tibc(12.0, 60.0)
        20.0

    Source:
        Definition: 100 x iron / TIBC, both in one unit.
    """
    _positive(iron=iron, tibc=tibc)
    return 100 * iron / tibc


def transferrin_saturation_from_transferrin(iron: float, transferrin: float) -> float:
    """Saturation of transferrin, from its mass.

    Two iron ions bind to one transferrin of 79,570 g/mol, so 1 g/L binds 25.1 umol/L and the saturation is
    3.98 x iron / transferrin. Other constants are in use (3.83 to 4.0 in these units): they move 20 % to between 19.2 % and 22.5 %.

    Args:
        iron: Iron in serum or plasma. [umol/L]
        transferrin: Transferrin of the same sample. [g/L]

    Returns:
        float: Saturation; more than 100 is possible with free iron and is not capped. [%]

    Raises:
        InputError: A number that is not positive.

    Caveats:
        Runs a little lower than the saturation from a measured TIBC, which counts other binding, too.

    Example:
        >>> round(transferrin_saturation_from_transferrin(12.5, 2.5), 3)
        19.9

    Source:
        Molar mass of transferrin, 79,570 g/mol, and two binding sites: 100 / 25.1 = 3.98.
    """
    _positive(iron=iron, transferrin=transferrin)
    return TRANSFERRIN_CONSTANT * iron / transferrin


def adjusted_calcium_uk(calcium: float, albumin: float) -> float:
    """Calcium adjusted for albumin, in the simplified form of Payne's equation that is common in the United Kingdom.

    Args:
        calcium: Total calcium in serum or plasma. [mmol/L]
        albumin: Albumin of the same sample. [g/L]

    Returns:
        float: calcium + 0.02 x (40 - albumin). [mmol/L]

    Raises:
        InputError: A number that is not positive. Below which albumin the estimate is refused is said in the data.

    Caveats:
        An estimate. In 22,658 adults unadjusted calcium followed ionised calcium better than this form, most clearly where albumin was
        low; in 6,549 others adjusting gained nothing. Laboratories are asked to derive a slope of their own; a calcium that the
        laboratory has adjusted is never adjusted again.

    Example:
        >>> round(adjusted_calcium_uk(2.10, 32.0), 3)
        2.26

    Source:
        Payne et al., Br Med J 1973;4:643-646, simplified. Criticism: Desgagnes et al., JAMA Netw Open 2025;8:e2455251 (with an
        erratum); Lian and Asberg, BMJ Open 2018;8:e017703.
    """
    _positive(calcium=calcium, albumin=albumin)
    return calcium + 0.02 * (40 - albumin)


def adjusted_calcium_us(calcium: float, albumin: float) -> float:
    """Calcium adjusted for albumin, in the form common in the United States.

    Args:
        calcium: Total calcium in serum or plasma. [mg/dL]
        albumin: Albumin of the same sample. [g/dL]

    Returns:
        float: calcium + 0.8 x (4.0 - albumin). [mg/dL]

    Raises:
        InputError: A number that is not positive. Below which albumin the estimate is refused is said in the data.

    Caveats:
        As for `adjusted_calcium_uk`: 0.8 mg/dL for each g/dL is 0.01996 mmol/L for each g/L, the same slope.

    Example:
        >>> round(adjusted_calcium_us(8.4, 3.0), 2)
        9.2

    Source:
        Payne et al., Br Med J 1973;4:643-646, simplified. Criticism: as for `adjusted_calcium_uk`.
    """
    _positive(calcium=calcium, albumin=albumin)
    return calcium + 0.8 * (4.0 - albumin)


def vitamin_e_cholesterol_ratio(vitamin_e: float, cholesterol: float) -> float:
    """Vitamin E for each unit of cholesterol, which carries it in blood.

    Args:
        vitamin_e: Alpha-tocopherol in serum or plasma. [umol/L]
        cholesterol: Total cholesterol of the same fasting sample. [mmol/L]

    Returns:
        float: The ratio. [umol/mmol]

    Raises:
        InputError: A number that is not positive.

    Caveats:
        Needs fasting lipids; misleads where cholesterol itself is very low, and in childhood cholestasis.

    Example:
        >>> vitamin_e_cholesterol_ratio(22.0, 5.0)
        4.4

    Source:
        Definition: alpha-tocopherol / total cholesterol. Its limits: Sokol et al., N Engl J Med 1984;310:1209-1212.
    """
    _positive(vitamin_e=vitamin_e, cholesterol=cholesterol)
    return vitamin_e / cholesterol


def _positive(**inputs: float) -> None:
    for name, value in inputs.items():
        if not (value > 0 and isfinite(value)):
            raise InputError(f"{name.replace('_', ' ')} must be positive")


FUNCTIONS: Mapping[str, Function] = {
    "egfr_ckd_epi_2021": Function(egfr_ckd_epi_2021, {"creatinine": "mg/dL"}, "mL/min/{1.73_m2}", person=("age_years", "sex", "pregnant")),
    "tibc_from_uibc": Function(tibc_from_uibc, {"iron": "umol/L", "uibc": "umol/L"}, "umol/L"),
    "transferrin_saturation_from_tibc": Function(transferrin_saturation_from_tibc, {"iron": "umol/L", "tibc": "umol/L"}, "%"),
    "transferrin_saturation_from_transferrin": Function(
        transferrin_saturation_from_transferrin, {"iron": "umol/L", "transferrin": "g/L"}, "%"
    ),
    "adjusted_calcium_uk": Function(adjusted_calcium_uk, {"calcium": "mmol/L", "albumin": "g/L"}, "mmol/L", within=("albumin",)),
    "adjusted_calcium_us": Function(adjusted_calcium_us, {"calcium": "mg/dL", "albumin": "g/dL"}, "mg/dL", within=("albumin",)),
    "vitamin_e_cholesterol_ratio": Function(vitamin_e_cholesterol_ratio, {"vitamin_e": "umol/L", "cholesterol": "mmol/L"}, "umol/mmol"),
}
