"""`caretally asyncapi`: what goes in and out over Kafka, as a document for machines."""

from __future__ import annotations

from services.cli.frame import configured


def asyncapi() -> None:
    """Print the AsyncAPI 3 document: topics, messages, JSON Schemas, examples.

    It names the topics of these settings. A serving process has the same at /asyncapi.json.

    \b
    Example: caretally asyncapi > asyncapi.json
    """
    import json

    from services.asyncapi import document

    print(json.dumps(document(configured()), indent=2, ensure_ascii=False))
