from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0005_chain'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['action', '-at'], name='audit_action_at'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['actor_name', '-at'], name='audit_name_at'),
        ),
    ]
