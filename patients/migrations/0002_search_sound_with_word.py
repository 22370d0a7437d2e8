"""Words that sound alike are read from the index alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0001_initial")]

    operations = [
        migrations.RemoveIndex(model_name="searchkey", name="search_key_sound"),
        migrations.AddIndex(
            model_name="searchkey", index=models.Index(fields=["sound", "word"], name="search_key_sound_word")
        ),
    ]
