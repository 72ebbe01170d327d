"""Signs in before each request that needs it, since other requests sign out everywhere."""

import json
import os
import urllib.request

import schemathesis

PASSWORD = "correct horse battery staple"


@schemathesis.auth(refresh_interval=None)
class SignedIn:
    def get(self, case, context):
        # A sign-out takes one credential: what its body names would be a second one.
        if case.path.endswith("/signout"):
            return None
        is_staff = case.path.startswith("/staff")
        prefix, name = ("/staff", "grace") if is_staff else ("", "ada")
        login = {"email": f"{name}@example.com", "password": PASSWORD, "transport": "body"}
        body = json.dumps(login).encode()
        request = urllib.request.Request(
            os.environ["API"] + prefix + "/auth/signin",
            data=body,
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["access_token"]

    def set(self, case, data, context):
        if data is not None and case.operation.definition.raw.get("security"):
            case.headers = case.headers or {}
            case.headers["Authorization"] = f"Bearer {data}"
