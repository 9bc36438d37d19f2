"""Quantities computed from measured ones: named, cited, tested; never in place of a measured one."""

from __future__ import annotations

from labinterp.errors import InputError


def egfr_ckd_epi_2021(creatinine_mg_dl: float, age_years: float, sex: str) -> float:
    """Estimated glomerular filtration rate from creatinine, CKD-EPI 2021 (without race).

    Args:
        creatinine_mg_dl: Serum creatinine, IDMS-standardised. [mg/dL]
        age_years: Completed years; adults of 18 years and over. [years]
        sex: "female" or "male".

    Returns:
        float: unrounded. [mL/min/1.73 m2]

    Raises:
        InputError: Under 18 years, a sex that is not one of the two, or a creatinine that is not positive.

    Caveats:
        Not valid in acute kidney injury or unstable creatinine, in pregnancy, and at extremes of muscle mass.

    Example:
        >>> round(egfr_ckd_epi_2021(0.9, 55, "female"), 3)
        75.499

    Source:
        Inker et al., N Engl J Med 2021;385:1737-1749; equation as printed by the US National Kidney Foundation.
    """
    if sex not in ("female", "male"):
        raise InputError("CKD-EPI 2021 needs the sex for reference purposes: female or male")
    if age_years < 18:
        raise InputError("CKD-EPI 2021 is for adults of 18 years and over")
    if creatinine_mg_dl <= 0:
        raise InputError("creatinine must be positive")
    kappa, alpha, factor = (0.7, -0.241, 1.012) if sex == "female" else (0.9, -0.302, 1.0)
    ratio = creatinine_mg_dl / kappa
    return float(142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age_years * factor)
