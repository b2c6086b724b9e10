"""Findings: the catalogue of codes, what carries them to the user, and the one door they leave by."""

from safewriter.findings.carriers import (
    DistributionWarning as DistributionWarning,
    EventFileWarning as EventFileWarning,
    GraphWarning as GraphWarning,
    InternalWarning as InternalWarning,
    LandingWarning as LandingWarning,
    LogdirWarning as LogdirWarning,
    SafeWriterError as SafeWriterError,
    SafeWriterWarning as SafeWriterWarning,
    ValuesWarning as ValuesWarning,
    error_for as error_for,
    warning_for as warning_for,
)
from safewriter.findings.catalogue import CATALOGUE as CATALOGUE
from safewriter.findings.code import Code as Code, Kind as Kind
from safewriter.findings.desk import (
    CAPTURES as CAPTURES,
    Desk as Desk,
    Policy as Policy,
    guarded as guarded,
    send as send,
)
from safewriter.findings.finding import Finding as Finding
from safewriter.findings.place import (
    Place as Place,
    is_a_handlers as is_a_handlers,
    is_generated as is_generated,
    is_keras as is_keras,
    is_users as is_users,
    users_line as users_line,
    users_place as users_place,
)
from safewriter.findings.select import select_codes as select_codes
