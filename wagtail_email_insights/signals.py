"""Things that happened, told upwards: lower packages send, higher ones and host sites listen.

Every signal is sent after the change is saved, with keyword arguments as listed. Listeners must
not assume that the surrounding transaction has been committed.
"""

from django.dispatch import Signal

subscription_requested = Signal()
"""``subscription``: somebody asked to be put on a list and was sent a mail to confirm it."""

subscription_confirmed = Signal()
"""``subscription``: a contact is now subscribed."""

contact_unsubscribed = Signal()
"""``contact``, ``recipient_lists`` (those left), ``everything`` (bool), ``mailing`` (the one whose
link was used, or None), ``why`` (a LeavingReason, if one was given)."""

consent_agreed = Signal()
"""``record``: a ConsentRecord with action *agree*."""

consent_withdrawn = Signal()
"""``record``: a ConsentRecord with action *withdraw*."""

mailing_state_changed = Signal()
"""``mailing``, ``before``, ``after``: states of the mailing."""

event_recorded = Signal()
"""``event``: an Event that was stored, after its commit; errors of listeners are logged."""
