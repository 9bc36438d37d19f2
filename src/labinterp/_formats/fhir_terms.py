"""The names by which FHIR knows this library's own words, and the systems of others.

Our systems and extensions are named by URLs under w3id.org, where projects without a domain keep lasting names. The path is not registered
yet: the URLs are names, and no address answers.
"""

from __future__ import annotations

from typing import Final, NamedTuple

OURS: Final = "https://w3id.org/labinterp/fhir"
BANDS: Final = f"{OURS}/CodeSystem/band"  # vitamin_d/nam-2011#inadequate
ANALYTES: Final = f"{OURS}/CodeSystem/analyte"  # vitamin_d
DERIVATIONS: Final = f"{OURS}/CodeSystem/derivation"
EFFECTS: Final = f"{OURS}/CodeSystem/effect"
LABELS: Final = f"{OURS}/patient-label"  # an Identifier's system

# extensions
REASON: Final = f"{OURS}/StructureDefinition/not-assessed-reason"
REASON_TEXT: Final = f"{OURS}/StructureDefinition/not-assessed-message"
VALUE_TEXT: Final = f"{OURS}/StructureDefinition/value-as-printed"
NAME_TEXT: Final = f"{OURS}/StructureDefinition/name-as-printed"
UNIT_TEXT: Final = f"{OURS}/StructureDefinition/unit-as-printed"
CITATION: Final = f"{OURS}/StructureDefinition/citation"
FACTS: Final = f"{OURS}/StructureDefinition/facts-at-sampling"
STOOD: Final = f"{OURS}/StructureDefinition/source"
VERSIONS: Final = f"{OURS}/StructureDefinition/made-with"
SAID: Final = f"{OURS}/StructureDefinition/statement"
RANGE_ORIGIN: Final = f"{OURS}/StructureDefinition/range-origin"  # valueCode: "laboratory" or "labinterp"

LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
HPO: Final = "http://human-phenotype-ontology.org"
INTERPRETATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
ABSENT_REASON: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"  # the extension
RANGE_MEANING: Final = "http://terminology.hl7.org/CodeSystem/referencerange-meaning"
CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
SERVICE: Final = "http://terminology.hl7.org/CodeSystem/v2-0074"

# Types of resources that may be named in a note; another word in their place may be anything, a patient's name, too.
TYPES: Final = frozenset(
    [
        "Account",
        "AllergyIntolerance",
        "Appointment",
        "AuditEvent",
        "Basic",
        "Binary",
        "BiologicallyDerivedProduct",
        "BodyStructure",
        "Bundle",
        "CarePlan",
        "CareTeam",
        "ChargeItem",
        "Claim",
        "ClaimResponse",
        "ClinicalImpression",
        "CodeSystem",
        "Communication",
        "Composition",
        "ConceptMap",
        "Condition",
        "Consent",
        "Contract",
        "Coverage",
        "DetectedIssue",
        "Device",
        "DeviceRequest",
        "DiagnosticReport",
        "DocumentManifest",
        "DocumentReference",
        "Encounter",
        "Endpoint",
        "EpisodeOfCare",
        "ExplanationOfBenefit",
        "FamilyMemberHistory",
        "Flag",
        "Goal",
        "Group",
        "HealthcareService",
        "ImagingStudy",
        "Immunization",
        "ImmunizationRecommendation",
        "Invoice",
        "Library",
        "List",
        "Location",
        "Measure",
        "MeasureReport",
        "Media",
        "Medication",
        "MedicationAdministration",
        "MedicationDispense",
        "MedicationRequest",
        "MedicationStatement",
        "MessageHeader",
        "MolecularSequence",
        "NutritionOrder",
        "Observation",
        "ObservationDefinition",
        "OperationOutcome",
        "Organization",
        "OrganizationAffiliation",
        "Parameters",
        "Patient",
        "PaymentNotice",
        "Person",
        "PlanDefinition",
        "Practitioner",
        "PractitionerRole",
        "Procedure",
        "ProcedureRequest",
        "Provenance",
        "Questionnaire",
        "QuestionnaireResponse",
        "ReferralRequest",
        "RelatedPerson",
        "RequestGroup",
        "ResearchSubject",
        "RiskAssessment",
        "Schedule",
        "Sequence",
        "ServiceRequest",
        "Slot",
        "Specimen",
        "SpecimenDefinition",
        "StructureDefinition",
        "Subscription",
        "Substance",
        "SupplyDelivery",
        "SupplyRequest",
        "Task",
        "ValueSet",
        "VisionPrescription",
    ]
)


class AsRead(NamedTuple):
    """What of a FHIR source the way back needs beside its results.

    Attributes:
        statuses: Where a result stood -> status of its Observation, where it says more than final.
        births: Where the first result of a panel stood -> birth date as printed, where it is known to the month or the year only.
    """

    statuses: dict[str, str]
    births: dict[str, str]
