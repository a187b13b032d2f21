"""The errors of a reconcile, by remedy.

OperatorError
├── SettingsError         an administrator must correct the operator's environment
├── SpecError             a person must act on the object: its message names the field
└── ClusterError          the API server refused or failed; carries its status code
    ├── NotFoundError  AlreadyExistsError
    ├── ConflictError
    │   ├── StaleError           the object is no longer the one that was decided on
    │   └── FieldConflictError   another manager owns a field of an apply that is not forced
    ├── InvalidError      the object itself was refused (422)
    ├── TakenError        an object of that name belongs to another owner
    └── ForbiddenError    a right is missing, or admission refused
        └── PodRefusedError   what makes a pod was refused: a quota, a policy

Messages never hold a value of a Secret or of a spec's credentials.
"""

from external_data_operator.api.conditions import Reason


class OperatorError(Exception):
    """The root of the errors that this package raises."""

    remedy = "Follow the message."


class SettingsError(OperatorError):
    """A variable of the environment is not valid."""

    remedy = "Correct the variable that the message names, in the chart's values."


class SpecError(OperatorError):
    """A spec is not valid; a person must change it."""

    remedy = "Change the field that the message names."

    def __init__(self, message: str, reason: Reason = Reason.INVALID_SPEC) -> None:
        """`message` names the field."""
        super().__init__(message)
        self.reason = reason


class ClusterError(OperatorError):
    """The API server refused or failed; retried with backoff."""

    remedy = "Wait, since the operator retries. If the error stays, check the API server."

    def __init__(self, message: str, status: int = 0) -> None:
        """`status` is the HTTP status; 0 if there was no response."""
        super().__init__(message)
        self.status = status


class NotFoundError(ClusterError):
    """The object does not exist."""

    remedy = "Wait, since the operator creates the object again or waits for it."


class ConflictError(ClusterError):
    """Another client changed the object first."""

    remedy = "Wait, since the operator retries."


class StaleError(ConflictError):
    """The object has changed since it was read for the decision; decided again at once."""

    remedy = "Wait, since the operator reads the object and decides again."


class FieldConflictError(ConflictError):
    """Another manager owns a field."""

    remedy = "Remove the field from the other manager's manifest."


class AlreadyExistsError(ClusterError):
    """An object of that name exists."""

    remedy = "Rename or delete the object if it belongs to another owner."


class InvalidError(ClusterError):
    """The API server refused the object's content."""

    remedy = "Change the field that the message names."


class TakenError(ClusterError):
    """An object of that name exists and belongs to another owner."""

    remedy = "Rename or delete the object that the message names."


class ForbiddenError(ClusterError):
    """A right is missing, or admission refused."""

    remedy = "Grant the rights that the chart's RBAC lists, or check the admission policy."


class PodRefusedError(ForbiddenError):
    """The cluster refused an object that creates a runner's pod."""

    remedy = "Check the quotas and policies of the namespace, and the chart's RBAC."
