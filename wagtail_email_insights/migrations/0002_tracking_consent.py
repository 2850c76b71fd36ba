"""Every site starts with the one consent that decides who may be known."""

import hashlib

from django.db import migrations

CODE = "tracking"
SHORT_TEXT = "You may see whether I open your e-mails and which links I follow in them."
FULL_TEXT = (
    "We use this to learn what interests you and to send you fewer and better e-mails. Without "
    "it, opens and clicks are only counted anonymously. You can take it back at any time."
)


def create(apps, schema_editor):
    Consent = apps.get_model("wagtail_email_insights", "Consent")
    ConsentVersion = apps.get_model("wagtail_email_insights", "ConsentVersion")
    database = schema_editor.connection.alias
    consent, _ = Consent.objects.using(database).get_or_create(
        code=CODE, defaults={"name": "E-mail tracking"}
    )
    ConsentVersion.objects.using(database).get_or_create(
        consent=consent,
        language="en",
        content_hash=hashlib.sha256(f"{SHORT_TEXT}\0{FULL_TEXT}".encode()).hexdigest(),
        defaults={"short_text": SHORT_TEXT, "full_text": FULL_TEXT},
    )


class Migration(migrations.Migration):
    dependencies = [("wagtail_email_insights", "0001_initial")]

    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
