//! Traits that nothing implements: code that uses a feature which is off asks for one, and the
//! compiler says why it fails, and what to use.

/// A type that never implements the traits of this module.
#[derive(Clone, Copy, Debug)]
pub struct Off;

macro_rules! never {
    ($($(#[$attr:meta])* $name:ident: $message:literal, $label:literal, $note:literal;)*) => {$(
        $(#[$attr])*
        #[diagnostic::on_unimplemented(message = $message, label = $label, note = $note)]
        #[doc(hidden)]
        pub trait $name {}
    )*};
}

never! {
    #[cfg(not(feature = "sqlite"))]
    NeedsSqlite: "`SqliteStore` needs the feature `sqlite` of tollgate, which is off",
        "this needs the feature `sqlite`",
        "turn it on: `cargo add tollgate --features sqlite`";
    #[cfg(not(feature = "postgres"))]
    NeedsPostgres: "`PostgresStore` needs the feature `postgres` of tollgate, which is off",
        "this needs the feature `postgres`",
        "turn it on: `cargo add tollgate --features postgres`";
    #[cfg(not(feature = "redis"))]
    NeedsRedis: "`RedisStore` needs the feature `redis` of tollgate, which is off",
        "this needs the feature `redis`",
        "turn it on: `cargo add tollgate --features redis`";
    #[cfg(not(feature = "password"))]
    NeedsPassword: "`Passwords` needs the feature `password` of tollgate, which is off",
        "this needs the feature `password`",
        "turn it on: `cargo add tollgate --features password`";
    #[cfg(not(feature = "jwe"))]
    NeedsJwe: "encrypted tokens need the feature `jwe` of tollgate, which is off",
        "this needs the feature `jwe`",
        "turn it on: `cargo add tollgate --features jwe`";
    #[cfg(not(feature = "rate-limit"))]
    NeedsRateLimit: "counting attempts needs the feature `rate-limit` of tollgate, which is off",
        "this needs the feature `rate-limit`",
        "turn it on: `cargo add tollgate --features rate-limit`";
    #[cfg(not(feature = "jwks-client"))]
    NeedsJwksClient: "fetching the keys of another issuer needs the feature `jwks-client` of \
        tollgate, which is off",
        "this needs the feature `jwks-client`",
        "turn it on: `cargo add tollgate --features jwks-client`; \
         without it, `JwksGuard::new` takes a `KeySource` of your own";
    #[cfg(all(feature = "axum", not(feature = "openapi")))]
    NeedsOpenapi: "the OpenAPI document needs the feature `openapi` of tollgate, which is off",
        "this needs the feature `openapi`",
        "turn it on: `cargo add tollgate --features openapi`";
    LayerOfGate: "a gate is no layer: each handler names its caller",
        "a gate has no layer",
        "write `Auth<User>` as the first argument of a handler; a `ProtectedRouter` takes no \
         handler without one, and `gate.install(router)` adds the auth routes";
    SignInOfGate: "a gate signs in with `sign_in` or `sign_in_with`, not with `login`",
        "a gate has no `login`",
        "write `gate.sign_in(user, &client).await?` for a user whom you authenticated, and \
         `gate.sign_in_with(|| Ok(login), &client).await?` to let the backend authenticate";
    SignOutOfGate: "a gate signs out by revoking, not with `logout`",
        "a gate has no `logout`",
        "write `gate.revoke(Revoke::Session(sid)).await?`; `POST /auth/signout` does it for a client";
    VerifyOfGate: "a gate verifies a token with `verify`, not with `validate`",
        "a gate has no `validate`",
        "write `gate.verify(token).await?`; in a handler, `Auth<User>` does it";
    StartOfGate: "a gate is started from its backend",
        "a gate is not made like this",
        "put `#[auth_backend(email, user = User)]` on the struct of the backend and write \
         `Accounts.gate().issuer(\"…\").audience(\"…\").keys(ring).store(store).build().await?`";
}
