"""A small application that is broken on purpose. Wapiti, sqlmap, the fuzz and the check of orders must say so of it.

`python -m gunicorn tests.attack.canary`: an injection, an echo of markup, a redirect anywhere, an order by any column.
"""

import django
from django.conf import settings

if not settings.configured:
    settings.configure(
        SECRET_KEY="canary-" * 8, ALLOWED_HOSTS=["127.0.0.1", "testserver"], ROOT_URLCONF=__name__, USE_TZ=True,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "file:canary?mode=memory&cache=shared"}},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    )  # fmt: skip
    django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path

NAMES = ("ann", "bert", "cleo")


def fill() -> None:
    call_command("migrate", verbosity=0)
    for number, name in enumerate(NAMES):
        User.objects.get_or_create(
            username=name, defaults={"password": f"hash-{9 - number}", "email": f"{name}@example.org"}
        )


def home(request):
    links = "".join(
        f'<a href="{address}">x</a>'
        for address in ("/people/?name=ann", "/hello/?to=you", "/go/?next=/", "/list/?sort=id")
    )
    return HttpResponse(f"<html><body>{links}</body></html>")


def people(request):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT username FROM auth_user WHERE username = '{request.GET.get('name', '')}'")
        found = "".join(f"<li>{name}</li>" for (name,) in cursor.fetchall())
    return HttpResponse(f"<html><body><ul>{found}</ul></body></html>")


def hello(request):
    return HttpResponse(f"<html><body><p>Hello {request.GET.get('to', '')}</p></body></html>")


def go(request):
    return HttpResponseRedirect(request.GET.get("next", "/"))


def ordered(request):
    found = User.objects.order_by(request.GET.get("sort", "id"))
    rows = "".join(f'<li id="{user.username:a<14}">{user.username}</li>' for user in found)
    return HttpResponse(f"<html><body><ul>{rows}</ul></body></html>")


def fails(request):
    return HttpResponse(str(1 / int(request.GET.get("by", "1"))))


urlpatterns = [
    path("", home),
    path("people/", people),
    path("hello/", hello),
    path("go/", go),
    path("list/", ordered),
    path("fails/", fails),
]
application = get_wsgi_application()
fill()
