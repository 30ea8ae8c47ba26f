"""Notices say of which duty they speak and to whom in person; a rule knows whether the running clocks wait for it; a clock
is paused only while its case is in hand. Two checks that an empty value passed are closed."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

KINDS = ["sign_for", "first_contact", "resolve", "ruling", "extension", "callback", "supervision", "handover", "missed_call"]


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("cases", "0012_missed_calls"),
    ]

    operations = [
        migrations.AddField("noticerule", "armed", models.BooleanField(default=False)),
        migrations.AddField(
            "notice", "kind",
            models.CharField(
                choices=[("sign_for", "签收"), ("first_contact", "首次联系"), ("resolve", "办结"), ("ruling", "退单裁定"),
                         ("extension", "延期答复"), ("callback", "回访"), ("supervision", "督办答复"), ("handover", "移交答复"),
                         ("missed_call", "未接来电回拨")],
                default="resolve", max_length=16),
            preserve_default=False,
        ),
        migrations.AddField(
            "notice", "officer",
            models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+",
                              to=settings.AUTH_USER_MODEL),
        ),
        migrations.RemoveConstraint("extension", "extension_granted_has_minutes"),
        migrations.AddConstraint(
            "extension",
            models.CheckConstraint(
                name="extension_granted_has_minutes",
                condition=models.Q(decision="granted", granted_minutes__isnull=False, granted_minutes__gt=0,
                                   decided_by__isnull=False)
                | (~models.Q(decision="granted") & models.Q(granted_minutes__isnull=True))),
        ),
        migrations.RemoveConstraint("noticerule", "notice_rule_before_or_after"),
        migrations.AddConstraint(
            "noticerule",
            models.CheckConstraint(
                name="notice_rule_before_or_after",
                condition=models.Q(share_left__isnull=False, share_left__gt=0, share_left__lt=1, minutes_after__isnull=True)
                | models.Q(share_left__isnull=True, minutes_after__isnull=False)),
        ),
        migrations.AddConstraint(
            "notice", models.CheckConstraint(name="notice_kind_known", condition=models.Q(kind__in=KINDS))),
        migrations.AddConstraint(
            "case",
            models.CheckConstraint(name="case_pauses_in_hand", condition=models.Q(paused=False) | models.Q(state="in_hand"))),
        migrations.AddIndex("notice", models.Index(fields=["unit", "to", "-at"], name="notice_of_unit")),
        migrations.AddIndex(
            "notice",
            models.Index(fields=["to", "-at"], condition=models.Q(seen_at__isnull=True), name="notice_unseen_of_all")),
        migrations.AddIndex("notice", models.Index(fields=["to", "-at"], name="notice_of_all")),
    ]
