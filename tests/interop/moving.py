"""Signs users in with djangorestframework-simplejwt and ravyn-simple-jwt, as programs that use them
do, and prints what they issue.

    moving.py SECRET

prints an object: for each library the pair that a sign-in of the user 7 answers, and for
simplejwt a refresh token that its own rotation replaced.
"""

import asyncio
import datetime
import json
import os
import sys

SECRET = sys.argv[1]


def simplejwt():
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY=SECRET,
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        USE_TZ=True,
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "rest_framework",
            "rest_framework_simplejwt.token_blacklist",
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": [
                "rest_framework_simplejwt.authentication.JWTAuthentication"
            ]
        },
        SIMPLE_JWT={"ROTATE_REFRESH_TOKENS": True, "BLACKLIST_AFTER_ROTATION": True},
    )
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.urls import path
    from rest_framework.test import APIClient
    from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

    global urlpatterns
    urlpatterns = [
        path("token/", TokenObtainPairView.as_view()),
        path("token/refresh/", TokenRefreshView.as_view()),
    ]
    call_command("migrate", verbosity=0)
    User.objects.create_user("ada", password="correct horse battery staple", id=7)
    client = APIClient()
    login = {"username": "ada", "password": "correct horse battery staple"}
    first = client.post("/token/", login).json()
    second = client.post("/token/refresh/", {"refresh": first["refresh"]}).json()
    from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken

    denied = [str(row.token.jti) for row in BlacklistedToken.objects.all()]
    return {
        "access": second["access"],
        "refresh": second["refresh"],
        "replaced": first["refresh"],
        "denied": denied,
    }


def ravyn():
    from ravyn_simple_jwt.backends import BackendEmailAuthentication
    from ravyn_simple_jwt.token import Token

    lives = datetime.timedelta(days=1)

    class Backend(BackendEmailAuthentication):
        # The backend of the library's own documentation.
        async def authenticate(self):
            expires = datetime.datetime.now(datetime.timezone.utc) + lives
            pair = {}
            for name in ("access_token", "refresh_token"):
                token = Token(sub=7, exp=expires)
                extra = {"token_type": name}
                pair[name] = token.encode(key=SECRET, algorithm="HS256", claims_extra=extra)
            return pair

    login = Backend(email="ada@example.com", password="correct horse battery staple")
    return asyncio.run(login.authenticate())


os.environ.setdefault("RAVYN_SETTINGS_MODULE", "ravyn.conf.global_settings.RavynSettings")
print(json.dumps({"simplejwt": simplejwt(), "ravyn": ravyn()}))
