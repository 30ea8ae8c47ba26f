"""What the record must hold before a case may be closed: that the reporter was told, or could not be."""

from __future__ import annotations

from lianxin.cases.models import Attachment, Case, Contact, Event, Outcome, Reply, Reporter, State
from lianxin.quality.models import CallbackAttempt, Contest, Rating


def unproved(case: Case) -> str:
    """Why the closing of this case is not proved; empty when it is."""
    if case.state != State.CLOSED:
        return ""
    if case.outcome == Outcome.IMPORTED:
        closing = Event.objects.filter(case=case).order_by("-id").first()
        return "" if closing is not None and closing.action in ("close_imported", "anonymise") else "says imported and is not"
    event = Event.objects.filter(case=case, to_state=State.CLOSED).exclude(from_state=State.CLOSED).order_by("-id")[0]
    if event.action == "answer_on_the_spot":
        return "" if event.data.get("means") and event.data.get("contacted_at") else "answered without being told"
    if event.action == "settle_on_the_spot":
        photos = Attachment.objects.filter(case=case, kind="photo", uploaded_by=case.registered_by_id)
        own = event.actor_id == case.registered_by_id
        before, after = photos.exclude(event_id=event.pk).exists(), photos.filter(event_id=event.pk).exists()
        return "" if own and before and after else "settled without photos of before and after"
    if event.action in ("close_handover", "close_with_master"):  # what another service has settled
        taken = Event.objects.filter(case=case if case.master_id is None else case.master_id, action="release_handover", id__lt=event.pk)
        return "" if taken.exists() and case.outcome == Outcome.HANDED_OVER and case.linkage == "" else "settled where it never was"
    has_phone = Reporter.objects.filter(case=case, phone__isnull=False).exists()
    reply = Reply.objects.filter(case=case, round=case.round).order_by("-at").first()
    own = case if case.master_id is None else case.master
    if reply is None and own is not None:
        reply = Reply.objects.filter(case=own).order_by("-at").first()
    if reply is None:
        return "closed without a reply"
    contact = Contact.objects.get(pk=reply.contact_id)
    if not contact.reached or (contact.means == "not_left" and has_phone and contact.case_id == case.pk):
        return "replied without contact"
    before = {"case": case, "round": case.round, "event_id__lt": event.pk}  # what is said afterwards judges no closing
    said = [*CallbackAttempt.objects.filter(**before, outcome="reached").values_list("solved", flat=True),
            *Rating.objects.filter(**before).values_list("solved", flat=True)]
    contested = Contest.objects.filter(**before).exists()
    if case.outcome == Outcome.SOLVED and not any(said):
        return "solved without the reporter saying so"
    if case.outcome in (Outcome.UNREACHED, Outcome.UNASKED) and (said or contested):
        return "unheard though the reporter spoke"
    return ""
