"""Words of a range -> whether it is a person's: men, women, children, grown people, pregnancy, phases and ages in the languages of reports.

The lists are closed. A word that is in none of them names nobody, so that "10 - 33 ug/L" and "normal range" are for everybody.
"""

from __future__ import annotations

from typing import Final

from labinterp._inputs import Age
from labinterp._lazy import pattern
from labinterp._names import plain

_GROWN: Final = 18  # years


def _words(text: str) -> frozenset[str]:
    return frozenset(plain(word) for word in text.split())


_WOMEN: Final = _words(
    "female females woman women frau frauen weiblich weibliche damen femme femmes féminin féminine vrouw vrouwen vrouwelijk donna donne femmina femmine "
    "femminile mujer mujeres femenino femenina kvinde kvinder kvinna kvinnor kvinne kvinner dona dones"
)
_MEN: Final = _words(
    "male males man men mann männer maenner männlich maennlich männliche herren homme hommes masculin masculine mannen mannelijk uomo uomini maschio maschi "
    "maschile hombre hombres varón varones masculino masculina mand mænd män menn"
)
_HERS: Final = {
    "f",
    "w",
}  # only before a colon or between slashes; "M" is a man or a mujer, "V" a vrouw or a varón, so that neither alone tells
_GROWN_UP: Final = _words(
    "adult adults erwachsene erwachsener erwachsenen erw adulte adultes volwassene volwassenen adulto adulti adulta adulte adultos adultas voksne vuxna voksen"
)
_CHILDREN: Final = _words(
    "child children kind kinder kindern enfant enfants kinderen bambino bambini bambina bambine niño niños niña niñas børn barn infant infants säugling säuglinge "
    "saeuglinge nourrisson nourrissons zuigeling zuigelingen neonato neonati newborn newborns neonate neonates neugeborene neugeborenes pasgeborene "
    "pasgeborenen naissance nés nées recién lattante lattanti lactante lactantes adolescent adolescents jugendliche adolescente adolescentes adolescenti "
    "teenager toddler toddlers kleinkind kleinkinder boy boys girl girls jungen mädchen fille filles garçon garçons nyfødt nyfødte nyfödd nyfödda pediatric "
    "paediatric pädiatrisch pédiatrique pediatrico pediatrisch ragazzi"
)
_PREGNANT: Final = _words(
    "pregnant pregnancy schwanger schwangere schwangeren schwangerschaft enceinte enceintes grossesse zwanger zwangere zwangeren zwangerschap gravida gravide "
    "gravidanza incinta embarazada embarazadas embarazo gravid gravide gravida graviditet trimester trimestre trimenon trimestri trimestres ssw gestation "
    "gestational schwangerschaftswoche embaràs"
)
# A phase of life or of the cycle, and an age in words: whether this person is in it is not known here.
_NOT_KNOWN: Final = _words(
    "menopause menopausal premenopausal postmenopausal premenopause postmenopause prämenopausal postmenopausale menopausa menopausia ménopause menopauze "
    "menstruating menstruierend menstruerend cycle zyklus cyclus ciclo follicular follikelphase follikulär folliculaire folliculair follicolare "
    "folicular luteal lutealphase lutéale luteaal luteale lútea luteinica ovulation ovulatorisch midcycle zyklusmitte ovulatoire puberty pubertät puberté tanner prepubertal "
    "smoker smokers raucher fumeur fumeurs roker rokers fumatori fumadores dialysis dialyse dialisi diálisis "
    "year years yr yrs jahr jahre jahren lj ans année années jaar jaren anno anni año años år month months monat monate monaten mois maand maanden mese mesi "
    "mes meses måned måneder månad månader week weeks woche wochen semaine semaines weken settimana settimane semana semanas day days tag tage tagen jour jours "
    "dag dagen giorno giorni día días age alter âge leeftijd età edad alder ålder"
)
_WORD = pattern(r"[^\W\d_]+")
_BOTH = pattern(r"(?<![^\W\d_])[mhfwv]\s*[/+&]\s*[mhfwv](?![^\W\d_])")  # "m/w" is everybody
_LETTER = pattern(r"^([mfwvh])$|(?:^|[\s;,(])([mfwvh])(?=\s*:)|\(([mfw])\)")


def includes(text: str, sex: str | None, age: Age | None, pregnant: bool | None) -> bool | None:
    """Whether the people that a text names include a person.

    Args:
        text: Words beside a range, or of whom it applies to.
        sex: Of the person, where known.
        age: At sampling, where known.
        pregnant: At sampling, where known.

    Returns:
        True where it names nobody in particular; None where it cannot be told.

    Example:
        >>> includes("Männer: 30 - 400", "female", None, None), includes("Schwangere", "male", None, None), includes("10 - 33 ug/L", None, None, None)
        (False, False, True)
    """
    folded = plain(text)
    words = set(_WORD.findall(folded))
    said: list[bool | None] = []
    sexes = {meant for meant, listed in (("female", _WOMEN), ("male", _MEN)) if words & listed}
    letters = {letter for pair in _LETTER.findall(_BOTH.sub(" ", folded)) for letter in pair if letter}
    if len(sexes) == 1:
        said.append(None if sex is None else sex in sexes)
    elif letters and not sexes and not (letters & _HERS and letters - _HERS):
        said.append(None if sex is None or letters - _HERS else sex == "female")
    if words & _PREGNANT:
        said.append(False if sex == "male" else pregnant)
    if words & _CHILDREN:
        said.append(False if age is not None and age.years[0] >= _GROWN else None)
    elif words & _GROWN_UP:
        said.append(None if age is None else True if age.years[0] >= _GROWN else False if age.years[1] <= _GROWN else None)
    if words & _NOT_KNOWN:
        said.append(None)
    return False if False in said else None if None in said else True
