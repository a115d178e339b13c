"""`/api/v1`: reads of patients' months for programs, described by an OpenAPI document.

One module a resource; each names its routes in `ROUTES`, with the right that each needs beside its
function. `application` puts them together.
"""
