"""FHIR resources to events: pure functions of a resource and a site profile."""
