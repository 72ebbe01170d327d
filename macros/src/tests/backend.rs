//! Inputs and mistakes of `auth_backend`.

use quote::quote;

use super::{messages, tokens};
use crate::backend;

pub(super) const BACKEND: &str = "struct Accounts { db: SqlitePool, passwords: Passwords }";

/// Every option of a backend.
pub(super) const BACKEND_OPTIONS: &str = r##"
    login = Login<A, B>, user = User<T>, kind = "customers", prefix = "/session", tag = "session", openapi = false,
    signin(path = "/in", summary = "in", description = "lets in"), refresh(path = "/renew", from = stored),
    names(access_token = "token", refresh_token = "renewal"), disable(revoke, signout_all), crate = ::gatekeeper
"##;

pub(super) const MISTAKES: &[(&str, &str)] = &[
    ("email, user =", "`user` needs a value: write `user = …`"),
    ("login =, user = U", "`login` needs a value"),
    (
        "email, user = \"U\"",
        "expected a type: write `user = User`",
    ),
    ("email, user", "`user` takes a type: write `user = User`"),
    ("email user = U", "separate options with commas"),
    (
        "email, user = U, user = V",
        "`user` is given twice: keep one",
    ),
    ("email, user = U, kind", "write `kind = \"accounts\"`"),
    (
        "email, user = U, kind = \"\"",
        "cannot be the name of a kind",
    ),
    ("email, user = U, kind = \"9a\"", "beginning with a letter"),
    (
        "email, user = U, kind = \"a.b\"",
        "cannot be the name of a kind",
    ),
    (
        "email, user = U, kind = \"é\"",
        "cannot be the name of a kind",
    ),
    (
        "email, user = U, kind = \"a23456789-123456789-123456789-123456789-123456789-123456789-12345\"",
        "at most 64",
    ),
    (
        "login = Login<'_>, user = U",
        "hold owned values in it, such as `String` for `&str`",
    ),
    (
        "login = (u64, &Login), user = U",
        "outlives the body of the request",
    ),
    ("email, user = U, bound()", "`bound` is empty"),
    (
        "email, user = U, bound(R)",
        "expected bounds: write `bound(R: Repository)`",
    ),
    ("email, user = U, refresh = kept", "unknown source `kept`"),
    ("login = Login<A, B>, user = U, no", "unknown option `no`"),
    ("emial, user = U", "did you mean `email`?"),
    ("email, usr = U", "did you mean `user`?"),
    (
        "user = U",
        "add `email`, `username`, `login = MyLogin`, or `guard`",
    ),
    ("email, username, user = U", "one way to sign in"),
    (
        "email, guard, user = U",
        "`guard` cannot be combined with `email`",
    ),
    ("guard = Partner, user = U", "`guard` takes no value"),
    ("email, user = U, prefix = \"/\"", "the prefix is empty"),
    (
        "email, user = U, prefix = \"/auth/\"",
        "ends in a slash: write `/auth`",
    ),
    (
        "email, user = U, prefix = \"/a//b\"",
        "empty or relative segment",
    ),
    (
        "email, user = U, prefix = \"/a/../b\"",
        "empty or relative segment",
    ),
    ("email, user = U, prefix = \"/a b\"", "percent-encoded"),
    (
        "email, user = U, signin(path = \"/:id\")",
        "holds a parameter",
    ),
    (
        "email, user = U, signin(path = \"/sessions/own\")",
        "`end_session` is at `/sessions/{id}` already",
    ),
    (
        "email, user = U, signin(path = \"/in\"), refresh(path = \"/in\")",
        "`signin` is at `/in` already",
    ),
    (
        "email, user = U, signin(path = \"/in\"), disable(signin)",
        "`signin` is disabled",
    ),
    (
        "email, user = U, step(path = \"/in\"), disable(signin)",
        "`signin` is disabled",
    ),
    (
        "email, user = U, end_session(path = \"/in/{id}\"), disable(sessions)",
        "`sessions` is disabled",
    ),
    (
        "email, user = U, refresh(path = \"/in/step\"), signin(path = \"/in\")",
        "`step` is at `/in/step` already",
    ),
    (
        "email, user = U, signin(path = \"/a\"), verify(path = \"/a/step\"), prefix = \"/b\"",
        "`step` is at `/a/step` already",
    ),
    (
        "email, user = U, sessions(path = \"/a\"), step(path = \"/a/b\")",
        "where `end_session` would be: choose another path, or say `end_session(path = \"…\")`",
    ),
    (
        "email, user = U, signout(path = \"/revoke\")",
        "`revoke` is at `/revoke` already",
    ),
    (
        "email, user = U, prefix = \"/a\", jwks(path = \"/a/verify\")",
        "`verify` is at `/verify` already",
    ),
    ("email, user = U, signout(path = \"out\")", "write `/out`"),
    (
        "email, user = U, introspect(path = \"/in/\")",
        "write `/in`",
    ),
    (
        "email, user = U, sessions(path = \"/of/{id}\")",
        "holds a parameter, and nothing would read it: write a fixed path, as in `/sessions`",
    ),
    (
        "email, user = U, end_session(path = \"/devices\")",
        "lacks the id of the session: write `/devices/{id}`",
    ),
    (
        "email, user = U, end_session(path = \"/devices/{sid}\")",
        "call it `{id}`, as in `/sessions/{id}`",
    ),
    (
        "email, user = U, end_session(path = \"/{id}/of/{id}\")",
        "holds `{id}` twice",
    ),
    (
        "email, user = U, end_session(path = \"/x{id}/{id}\")",
        "keep `{id}` alone",
    ),
    (
        "email, user = U, end_session(path = \"/{user}/{id}\")",
        "holds a parameter beside `{id}`",
    ),
    (
        "email, user = U, end_session(path = \"/devices/{id}/\")",
        "ends in a slash: write `/devices/{id}`",
    ),
    (
        "email, user = U, end_session(path = \"devices/{id}\")",
        "lacks its leading slash: write `/devices/{id}`",
    ),
    (
        "email, user = U, revoke(summary = \"\")",
        "the summary is empty",
    ),
    (
        "email, user = U, verify = \"/v\"",
        "write `verify(path = \"/verify\")`",
    ),
    (
        "email, user = U, disable(introspect)",
        "unknown route `introspect`",
    ),
    ("email, user = U, signin()", "`signin` is empty"),
    (
        "email, user = U, signin(from = stored)",
        "unknown option `from`",
    ),
    (
        "email, user = U, names(access_token = \"refresh_token\")",
        "both tokens would be called",
    ),
    (
        "email, user = U, names(access_token = \"a\", refresh_token = \"a\")",
        "both tokens would be called",
    ),
    (
        "email, user = U, names(access_token = \"a b\")",
        "ASCII letters",
    ),
    (
        "email, user = U, signin(summary = \" \")",
        "the summary is empty",
    ),
    (
        "email, user = U, openapi",
        "`openapi` takes `true` or `false`",
    ),
    (
        "email, user = U, prefix = \"\"",
        "the prefix is empty: write a name after the slash, as in `/auth`",
    ),
    ("email, user = U, prefix = \"//\"", "the prefix is empty"),
    (
        "email, user = U, signin(path = \"//\")",
        "the path is empty: write a name after the slash, as in `/signin`",
    ),
    ("email, user = U, signin(path = \"\")", "the path is empty"),
    (
        "email, user = U, end_session(path = \"/\")",
        "the path is empty: write a name after the slash, as in `/sessions/{id}`",
    ),
    (
        "email, user = U, refresh(from = stored), disable(refresh)",
        "`refresh` is disabled, so no claims are read from what is `stored`",
    ),
    (
        "email, user = U, refresh = stored, disable(refresh)",
        "leave `stored` or `disable(refresh)` out",
    ),
    (
        "email, user = U, refresh(summary = \"x\"), disable(refresh)",
        "`refresh` is disabled, so its summary is shown nowhere",
    ),
    (
        "email, user = U, verify(description = \"y\"), disable(verify)",
        "`verify` is disabled, so its description is shown nowhere",
    ),
    (
        "email, user = U, end_session(summary = \"y\"), disable(sessions)",
        "leave the summary or `disable(sessions)` out",
    ),
    (
        "email, user = U, step(summary = \"y\"), disable(signin)",
        "`signin` is disabled, so its summary is shown nowhere",
    ),
];

#[test]
fn a_backend_comes_out_as_it_came_in() {
    for item in [
        BACKEND,
        "enum Accounts { One }",
        "struct Accounts<'a>(&'a str);",
        "fn accounts() {}",
        "struct",
    ] {
        let out = backend::expand(quote!(emial), tokens(item)).to_string();
        assert!(out.starts_with(&tokens(item).to_string()), "{out}");
    }
}

#[test]
fn nothing_but_a_struct_is_a_backend() {
    for item in [
        "fn f() {}",
        "trait T {}",
        "impl X {}",
        "union U { a: u8 }",
        "const X: u8 = 1;",
    ] {
        let messages = messages(&backend::expand(quote!(email, user = U), tokens(item)));
        assert!(
            messages.len() == 1 && messages[0].contains("a backend is a struct"),
            "{item}: {messages:?}"
        );
    }
}
