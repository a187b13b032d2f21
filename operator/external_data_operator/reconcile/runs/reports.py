"""The report of a run that did not fit into the termination message of its pod."""

from pydantic import ValidationError

from external_data_operator.api.handoff import Document, find_document
from external_data_operator.api.plan import Report


def find_logged_report(log: str, run: str) -> Report | None:
    """The report of a run in the log of its pod; None unless it is complete."""
    content = find_document(log, Document.REPORT, run)
    try:
        return None if content is None else Report.model_validate_json(content)
    except ValidationError:
        return None
