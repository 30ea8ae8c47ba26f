"""How long personal data is kept, field by field, and taking it away when its time is over (PIPL arts. 19 and 47).

Every field of every table that could hold something about a person stands in `PERSONAL`, `BY_CONSENT` or `IMPERSONAL`; a test
finds the one that does not. A class's days are `LIANXIN_RETENTION_DAYS[class]`, counted from the end of the case. The events stay: they
hold no words, and the state of a case can still be made again from them.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from lianxin.kernel.errors import Conflict
from lianxin.kernel.ids import uuid7

from .engine import plain, told_when_held
from .files import remove_files
from .models import (
    TERMINAL,
    AnswerPublication,
    Attachment,
    Case,
    Event,
    EventText,
    Notification,
    PublicVersion,
    Reporter,
    RetentionClass,
)

log = logging.getLogger(__name__)
GONE = "〔已到保存期限，依法删除〕"

REPORTER, WORDS, ATTACHMENT = RetentionClass.REPORTER, RetentionClass.WORDS, RetentionClass.ATTACHMENT
LEDGER, MESSAGE = RetentionClass.LEDGER, RetentionClass.MESSAGE

# Personal fields by table and column, with their class.
PERSONAL: dict[str, RetentionClass] = {
    "cases.Reporter.name": REPORTER,
    "cases.Reporter.phone": REPORTER,
    "cases.Reporter.address": REPORTER,
    "cases.Reporter.email": REPORTER,
    "cases.Reporter.phone_hash": REPORTER,
    "cases.MissedCall.phone": REPORTER,  # sooner: LIANXIN_MISSED_CALL_DAYS after the call back, see missed_calls.py
    "cases.MissedCall.phone_hash": REPORTER,
    "cases.Case.title": WORDS,
    "cases.Case.words": WORDS,
    "cases.Case.place_text": WORDS,
    "cases.Case.lon": WORDS,
    "cases.Case.lat": WORDS,
    "cases.Case.cell": WORDS,
    "cases.EventText.body": WORDS,
    "cases.PublicVersion.title": WORDS,
    "cases.PublicVersion.body": WORDS,
    "cases.PublicVersion.answer": WORDS,
    "cases.Attachment.name": ATTACHMENT,
    "cases.Attachment.sha256": ATTACHMENT,
    "cases.Attachment.thumbnail_sha256": ATTACHMENT,
    "cases.Notification.values": MESSAGE,
    "cases.IdentityReading.why": LEDGER,
    "patrols.Inspection.answers": WORDS,  # of a place; words and photos in it, counted from the inspection, see patrols/housekeeping.py
    "patrols.CheckIn.lon": WORDS,  # a worker's own; sooner: the row is deleted after LIANXIN_CHECK_IN_DAYS
    "patrols.CheckIn.lat": WORDS,
    "fieldwork.Receipt.body": WORDS,  # sealed; sooner: when the worker settles it, or after LIANXIN_FIELD_UNSETTLED_DAYS
    "fieldwork.Receipt.answer": WORDS,  # why it was not taken; counted from the settling, see fieldwork/housekeeping.py
    "fieldwork.Upload.name": ATTACHMENT,  # sooner: when the file is whole, or after LIANXIN_FIELD_UPLOAD_DAYS
    "telephony.Call.number": REPORTER,  # sooner: LIANXIN_CALL_DAYS after the call, see telephony/housekeeping.py
    "telephony.Call.recording": ATTACHMENT,  # a reference into the telephone system, counted from the end of the call
    "telephony.CallEvent.recording": ATTACHMENT,  # sooner: the row is deleted LIANXIN_CALL_DAYS after the call
    "linkage.Handover.payload": WORDS,  # sealed; with the case's, or from the end of what became none: linkage/housekeeping.py
    "linkage.HandoverStep.words": WORDS,  # sealed; likewise
    "linkage.Outgoing.body": WORDS,  # sealed; sooner: LIANXIN_LINKAGE_SENT_DAYS after it was answered
    "linkage.Disclosure.why": LEDGER,
    "exchange.Letter.body": WORDS,  # sealed; sooner: LIANXIN_EXCHANGE_SENT_DAYS after it was taken
    "exchange.Link.proposal": WORDS,  # sealed; with the case's, see exchange/housekeeping.py
    "exchange.Picture.address": WORDS,  # sealed; sooner: when it has been fetched or given up, see exchange/pictures.py
    "exchange.Disclosure.why": LEDGER,
    "transfer.CaseImport.reasons": WORDS,  # may quote a file; sooner: with the file, LIANXIN_IMPORT_DAYS after the upload
    "transfer.CaseImport.name": WORDS,  # of the file; likewise
    "transfer.CaseImport.mapping": WORDS,  # words of the file that are looked up; likewise
    "knowledge.Report.words": WORDS,  # a resident's, counted from the answer, see knowledge/actions.py
}

# Personal fields of people who asked for something that is no case: kept while their consent holds, and deleted with the row
# when it is taken back or ends (care/actions.py). No class, no days of their own.
BY_CONSENT: dict[str, str] = {
    "care.CareEntry.name": "sealed",
    "care.CareEntry.address": "sealed",
    "care.CareEntry.phone": "sealed",
    "care.CareEntry.trusted": "sealed",
    "care.CareEntry.purpose": "sealed",
    "care.CareEntry.witness": "sealed",
    "care.CareVisit.note": "sealed",
    "webhooks.Follow.address": "sealed",  # of who asked for public news; an unconfirmed one goes after two days, see webhooks/following.py
    "webhooks.Follow.address_hash": "a keyed hash",
}

# Free fields that hold nothing about a reporter, each with the reason.
IMPERSONAL: dict[str, str] = {
    "cases.Case.number": "a serial",
    "cases.Case.tracking_digest": "a keyed hash of a random code",
    "cases.Case.language": "a language",
    "cases.Case.source_system": "the name of a system",
    "cases.Case.source_id": "another system's serial; keeps a file from being imported twice",
    "cases.Case.unit_ids": "units",
    "cases.Event.action": "a word of the transition table",
    "cases.Event.from_state": "a state",
    "cases.Event.to_state": "a state",
    "cases.Event.via": "a channel",
    "cases.Event.changes": "state columns",
    "cases.Event.data": "codes of units, reasons and articles",
    "cases.Event.digests": "hashes of whole texts",
    "cases.EventText.field": "a word of the transition table",
    "cases.Clock.calendar": "a calendar",
    "cases.Reporter.language": "a language",
    "cases.Attachment.purpose": "a word of the program",
    "cases.Attachment.size": "a number of bytes",
    "cases.Attachment.content_type": "a media type",
    "cases.Attachment.upload_key": "a hash of a random form key",
    "cases.PublicVersion.lon": "the village's own position",
    "cases.PublicVersion.lat": "the village's own position",
    "cases.Notification.template": "a word of the program",
    "cases.Notification.gateway": "the name of a gateway",
    "cases.IdentityReading.fields": "names of fields",
    "cases.MissedCallTry.key": "a hash of a random form key",
    "cases.MissedCall.line": "the name of a line of the hotline's own",
    "cases.MissedCall.last_key": "a hash of a random form key",
    "cases.Submission.key": "a hash of a random form key",
    "cases.Submission.fingerprint": "a keyed hash",
    "cases.Return.reason": "a code",
    "cases.Return.basis": "the law or decision a joint ruling rests on",
    "cases.Return.bound": "units",
    "cases.CatalogueProposal.assisting_units": "units",
    "cases.CatalogueProposal.basis": "the law or decision a rule rests on",
    "cases.CatalogueProposal.why": "said of a rule of the catalogue, not of a case",
    "cases.CatalogueProposal.reason": "said of a rule of the catalogue, not of a case",
    "cases.CatalogueProposal.key": "a hash of a random form key",
    "knowledge.Report.answer": "said of an article, not of a case",
    "knowledge.Report.calendar": "a calendar",
    "knowledge.Report.key": "a hash of a random form key",
    "hot.HotIssue.name": "a place and words that several cases share, personal data masked; renewed every hour, gone with the issue",
    "hot.HotIssue.place": "the name of a place that most of the cases have",
    "hot.HotIssue.lon": "the middle of several cases",
    "hot.HotIssue.lat": "the middle of several cases",
    "hot.HotIssue.days": "how many reports each day",
    "hot.HotSurge.expected": "how many reports were to be expected",
    "hot.HotSurge.chance": "how likely so many were by chance",
    "fieldwork.Cover.key": "a hash of a random form key",
    "fieldwork.Device.name": "what a worker calls their own telephone",
    "fieldwork.Device.digest": "a hash of a random secret",
    "fieldwork.Device.hint": "four letters of a random secret",
    "fieldwork.Device.version": "a version of the application",
    "fieldwork.Device.why": "said of a telephone, not of a case",
    "fieldwork.Receipt.kind": "a word of the program",
    "fieldwork.Receipt.digest": "a hash of a whole item",
    "fieldwork.Upload.fault": "a sentence of the program",
    "fieldwork.Upload.size": "a number of bytes",
    "fieldwork.Upload.received": "a number of bytes",
    "linkage.Handover.category_theirs": "a code of the other service",
    "linkage.Handover.refusal": "a code",
    "linkage.Handover.result": "a code",
    "linkage.Handover.reference": "the other service's number of a matter",
    "linkage.Matter.their_reference": "the other service's number of a matter",
    "linkage.HandoverStep.kind": "a word of the program",
    "linkage.HandoverStep.badge": "how the other service names its own staff",
    "linkage.HandoverStep.from_state": "a state",
    "linkage.HandoverStep.to_state": "a state",
    "linkage.HandoverStep.data": "codes, numbers and times",
    "linkage.Outgoing.kind": "a word of the program",
    "linkage.Outgoing.last_error": "a fault of the line",
    "linkage.Received.kind": "a word of the program",
    "linkage.Received.digest": "a hash of a whole message",
    "linkage.Received.status": "a word of the program",
    "linkage.Received.answer": "codes and numbers",
    "linkage.Unmapped.value": "a code of the other service",
    "linkage.Disclosure.fields": "names of fields",
    "linkage.Disclosure.shared": "a word of the program",
    "linkage.JointRule.category_theirs": "a code of the other service",
    "linkage.JointRule.words": "said of a category, not of a case",
    "exchange.Unmapped.value": "a code of another system",
    "exchange.Link.theirs": "another system's number of a case",
    "exchange.Link.token": "another system's number of a case that has none yet",
    "exchange.Link.status": "open or closed",
    "exchange.Link.digest": "a hash of another system's whole answer",
    "exchange.Heard.update": "another system's number of an update",
    "exchange.Picture.digest": "a hash of an address",
    "exchange.Picture.fault": "a fault of the line, or another system's own",
    "exchange.Letter.last_error": "a fault of the line, or another system's own",
    "exchange.Disclosure.fields": "names of fields",
    "patrols.InspectionPhoto.question": "the name of a question",
    "publishing.Record.number": "a serial, scrambled",
    "publishing.Record.case_number": "a serial, where words were cleared",
    "publishing.Record.kind": "a kind of matter",
    "publishing.Record.lon": "an area's own position, or the middle of a cell of public space",
    "publishing.Record.lat": "an area's own position, or the middle of a cell of public space",
    "publishing.Record.cell": "a cell of public space, some 75 metres",
    "publishing.Record.title": "words that staff cleared for everyone to read, as in the public version",
    "publishing.Record.body": "words that staff cleared for everyone to read, as in the public version",
    "publishing.Record.answer": "words that staff cleared for everyone to read",
    "publishing.Record.revision": "a number of a refresh",
    "publishing.Waiting.village": "an area; gone when the record appears",
    "publishing.Waiting.crowd": "a number that says which wait to appear together",
    "publishing.Waiting.town": "an area",
    "publishing.Waiting.county": "an area",
    "publishing.Waiting.leaf": "a category",
    "publishing.Waiting.middle": "a category",
    "publishing.Waiting.top": "a category",
    "publishing.Standing.revision": "a number of a refresh",
    "desk.SheetTaken.name": "the name of a list",
    "desk.SheetTaken.narrowed": "names of filters, never words that were searched for",
    "transfer.CaseImport.suffix": "an ending of file names",
    "transfer.CaseImport.size": "a number of bytes",
    "transfer.CaseImport.position": "a number of bytes",
    "transfer.CaseImport.counts": "numbers of rows",
    "transfer.CaseImport.fault": "a sentence of the program about a file as a whole",
    "operations.Copy.database_bytes": "the size of a backup",
    "operations.Copy.file_bytes": "the size of a backup",
    "ogc.DrawnRecord.number": "a serial, scrambled, as in the public record",
    "ogc.DrawnRecord.county_id": "an area",
    "ogc.DrawnRecord.area_id": "an area",
    "ogc.DrawnRecord.category_id": "a category",
    "ogc.DrawnRecord.precision": "how finely the public record says where",
    "ogc.DrawnRecord.stage": "where the matter stands",
    "ogc.DrawnRecord.dated": "what the public record's times stand for",
    "ogc.TileTally.category": "a category",
    "ogc.TileTally.county_id": "an area",
    "ogc.TileTally.area_id": "an area",
    "ogc.TileTally.precision": "how finely public records say where",
    "ogc.TileTally.sum_x": "positions of public records, added up",
    "ogc.TileTally.sum_y": "positions of public records, added up",
    "ogc.TileStanding.revision": "a number of a refresh",
    "ogc.TileStanding.version": "a number of a refresh",
    "telephony.Line.code": "the name of a line of the hotline's own",
    "telephony.Line.name": "the name of a line of the hotline's own",
    "telephony.Line.name_en": "the name of a line of the hotline's own",
    "telephony.Agent.extension": "an extension of the hotline's own",
    "telephony.Call.system_id": "the telephone system's name of a call",
    "telephony.Call.line": "the name of a line of the hotline's own",
    "telephony.CallEvent.system_id": "the telephone system's name of an event",
    "telephony.CallEvent.line": "the name of a line of the hotline's own",
    "telephony.CallEvent.extension": "an extension of the hotline's own",
    "telephony.CallEvent.to": "an extension of the hotline's own, or a service's short number",
    "telephony.CallEvent.digest": "a keyed hash of a whole event",
    "triage.Offer.offered": "codes of categories, areas, services and articles, and ids of cases",
    "triage.Offer.probability": "how sure the system was",
    "triage.Offer.chosen": "one such code",
    "webhooks.Subscription.name": "what a system is called",
    "webhooks.Subscription.url": "the address of a system",
    "webhooks.Subscription.types": "words of the transition table",
    "webhooks.Subscription.units": "units",
    "webhooks.Subscription.areas": "areas",
    "webhooks.Subscription.last_error": "a fault of the line",
    "webhooks.SubscriptionSecret.secret": "a system's key, sealed",
    "webhooks.SubscriptionSecret.hint": "four letters of a random secret",
    "webhooks.Delivery.type": "a word of the transition table",
    "webhooks.Delivery.body": "ids, numbers, codes and times: a test holds it to that",
    "webhooks.Delivery.last_error": "a fault of the line",
    "webhooks.Attempt.request": "heads of a request of our own",
    "webhooks.Attempt.response": "heads of a system's answer",
    "webhooks.Attempt.error": "a fault of the line",
    "webhooks.NewsStanding.revision": "a counter",
    "webhooks.Follow.language": "a language",
    "webhooks.Follow.read_to": "a counter",
    "webhooks.Channel.name": "what an office calls its own group",
    "webhooks.Channel.address": "an office's own address at a service, sealed",
    "webhooks.Channel.service": "the name of a service",
    "webhooks.Channel.read_to": "a counter",
    "webhooks.Channel.last_error": "a fault of the line",
    "webhooks.PushKey.private": "the installation's own key, sealed",
    "webhooks.PushKey.public": "the installation's own key",
}


def _cut(name: RetentionClass, at: datetime) -> datetime:
    """Cases that ended before this have outlived the class."""
    return at - timedelta(days=settings.LIANXIN_RETENTION_DAYS[str(name)])


def due_for_anonymising(at: datetime) -> Q:
    """Ended cases of which something personal has outlived its retention."""
    cuts = [_cut(name, at) for name in (REPORTER, WORDS, ATTACHMENT)]
    texts = EventText.objects.filter(case=OuterRef("pk"), anonymised_at__isnull=True)
    uploads = Attachment.objects.filter(case=OuterRef("pk"), removed_at__isnull=True)
    return Q(state__in=TERMINAL, closed_at__lt=max(cuts)) & (
        Q(closed_at__lt=cuts[0], reporter__isnull=False, reporter__anonymised_at__isnull=True)
        | (Q(closed_at__lt=cuts[1]) & (~Q(words=GONE) | Q(Exists(texts))))
        | (Q(closed_at__lt=cuts[2]) & Q(Exists(uploads)))
        | Q(closed_at__lt=min(cuts), anonymised_at__isnull=True)
    )


def anonymise_due(at: datetime, *, limit: int = 50_000) -> int:
    """Anonymise what is due: identity emptied, words replaced, files removed. Returns how many cases.

    A case that cannot be (a broken disk, say, or somebody holds it just now) is logged and tried again the next night.
    """
    due = list(Case.objects.filter(due_for_anonymising(at)).order_by("closed_at").values_list("pk", flat=True)[:limit])
    count = 0
    for pk in due:
        try:
            with told_when_held(), transaction.atomic():
                count += _anonymise(pk, at)
        except (OSError, Conflict):
            log.exception("case %s could not be anonymised", pk)
    return count


def _anonymise(pk: uuid.UUID, at: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lianxin.anonymise', 'on', true)")
    case = Case.objects.select_for_update().get(pk=pk)
    ended = case.closed_at
    if ended is None:  # reopened since
        return False
    over = [name for name in (REPORTER, WORDS, ATTACHMENT) if ended < _cut(name, at)]
    changed: dict[str, Any] = {}
    if REPORTER in over and case.reporter_id is not None:
        Reporter.objects.filter(pk=case.reporter_id, anonymised_at__isnull=True).update(
            name=None, phone=None, address=None, email=None, phone_hash=None, anonymised_at=at
        )
    if WORDS in over:
        EventText.objects.filter(case=case, anonymised_at__isnull=True).update(body=GONE, anonymised_at=at)
        # What staff have cleared for everyone to read has been redacted; what was only asked for has not.
        PublicVersion.objects.filter(case=case, cleared_at__isnull=True).delete()
        if case.answer_publication == AnswerPublication.WAITING:  # there are no words left to be read
            changed["answer_publication"] = None
        Case.objects.filter(pk=pk).update(words=GONE, title="", place_text="", lon=None, lat=None, cell=None)
    if ATTACHMENT in over:
        remove_files(list(Attachment.objects.filter(case=case, removed_at__isnull=True)), at=at)
    if len(over) == 3 and case.anonymised_at is None:
        changed["anonymised_at"] = at
    if changed:
        Case.objects.filter(pk=pk).update(**changed)
    Event.objects.create(
        id=uuid7(), case=case, action="anonymise", at=at, from_state=case.state, to_state=case.state,
        actor_kind="system", via="housekeeping", version=case.version,
        changes={"case": {name: plain(value) for name, value in changed.items()}} if changed else {},
        data={"classes": [str(name) for name in over]},
    )
    return True


def forget_messages(at: datetime) -> int:
    """The record of messages to reporters whose cases ended long enough ago. Returns how many."""
    count, _models = Notification.objects.filter(
        case__state__in=TERMINAL, case__closed_at__lt=_cut(MESSAGE, at)
    ).delete()
    return count
