"""Why a reconcile stops, by remedy.

OperatorError
├── SettingsError         an administrator must correct the operator's environment
├── SpecError             a person must act on the object: its message names the field
└── ClusterError          the API server refused or failed; carries its status code
    ├── NotFoundError  ConflictError  AlreadyExistsError
    ├── InvalidError      the object itself was refused (422)
    ├── TakenError        an object of that name belongs to somebody else
    └── ForbiddenError    a right is missing, or admission refused
        └── PodRefusedError   what makes a pod was refused: a quota, a policy

Messages never hold a value of a Secret or of a spec's credentials.
"""

from external_data_operator.api.conditions import Reason


class OperatorError(Exception):
    """The root of what this package raises on purpose."""

    remedy = "See the message."


class SettingsError(OperatorError):
    """The environment cannot be used."""

    remedy = "Correct the variable that the message names, in the chart's values."


class SpecError(OperatorError):
    """An object cannot be carried out as written."""

    remedy = "Change the field that the message names."

    def __init__(self, message: str, reason: Reason = Reason.INVALID_SPEC) -> None:
        """`message` is shown in status."""
        super().__init__(message)
        self.reason = reason


class ClusterError(OperatorError):
    """The API server refused or failed; retried with backoff."""

    remedy = "None while it lasts shortly; else look at the API server."

    def __init__(self, message: str, status: int = 0) -> None:
        """`status` is the HTTP status, 0 where there was no answer."""
        super().__init__(message)
        self.status = status


class NotFoundError(ClusterError):
    """The object is not there."""

    remedy = "None; what is missing is made again or waited for."


class ConflictError(ClusterError):
    """Somebody else wrote first."""

    remedy = "None; the operator looks again."


class AlreadyExistsError(ClusterError):
    """An object of that name is there."""

    remedy = "None where it is ours; else rename or delete the other one."


class InvalidError(ClusterError):
    """The API server refused the object's content."""

    remedy = "Change the field that the message names."


class TakenError(ClusterError):
    """An object of that name is there and belongs to somebody else."""

    remedy = "Rename or delete the object that the message names."


class ForbiddenError(ClusterError):
    """A right is missing, or admission refused."""

    remedy = "Grant the rights that the chart's RBAC lists, or look at the admission policy."


class PodRefusedError(ForbiddenError):
    """The cluster does not take what makes a runner's pod."""

    remedy = "Look at the namespace's quotas and policies, and at the chart's RBAC."
