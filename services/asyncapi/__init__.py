"""What goes in and out over Kafka, as an AsyncAPI 3 document made from the code that does it."""

from services.asyncapi.document import document

__all__ = ["document"]
