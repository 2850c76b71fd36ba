import django.db.models.functions.datetime
import django.utils.timezone
from django.db import migrations, models


def let_no_old_alert_be_news(apps, schema_editor):
    alerts = apps.get_model('wagtail_email_insights', 'Alert').objects
    alerts.using(schema_editor.connection.alias).update(news_at=models.F('raised_at'))


class Migration(migrations.Migration):

    dependencies = [
        ('wagtail_email_insights', '0003_insights'),
    ]

    operations = [
        migrations.AddField(
            model_name='delivery',
            name='withdrawn',
            field=models.BooleanField(db_default=False, default=False, editable=False, verbose_name='consent withdrawn since'),
        ),
        migrations.AddField(
            model_name='alert',
            name='news_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now),
        ),
        migrations.AddField(
            model_name='alert',
            name='subject',
            field=models.CharField(blank=True, db_default='', default='', max_length=40),
        ),
        migrations.AddField(
            model_name='alert',
            name='worst',
            field=models.CharField(blank=True, choices=[('notice', 'Notice'), ('warning', 'Warning'), ('critical', 'Critical')], db_default='', default='', max_length=8),
        ),
        migrations.RemoveConstraint(
            model_name='alert',
            name='wei_alert_open_once',
        ),
        migrations.RemoveConstraint(
            model_name='alert',
            name='wei_alert_open_once_overall',
        ),
        migrations.AddConstraint(
            model_name='alert',
            constraint=models.UniqueConstraint(condition=models.Q(('over_at__isnull', True)), fields=('email', 'code', 'subject'), name='wei_alert_open_once'),
        ),
        migrations.AddConstraint(
            model_name='alert',
            constraint=models.UniqueConstraint(condition=models.Q(('email__isnull', True), ('over_at__isnull', True)), fields=('code', 'subject'), name='wei_alert_open_once_overall'),
        ),
        migrations.RunPython(let_no_old_alert_be_news, migrations.RunPython.noop),
    ]
