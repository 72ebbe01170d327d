//! A real OpenID provider, oidc-provider for Node: what it issues over HTTP counts here.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tollgate::guard::{Context, GuardRouter, HttpKeys, Issuer, JwksGuard, TokenKind};
use tollgate::prelude::*;
use tollgate_tests::support::interop::{SCRIPTS, copied, node_of, skipped};

use crate::guard::issuer::Partner;

/// The provider, which ends with this.
struct Provider {
    process: Child,
    told: Value,
}

impl Provider {
    /// Starts the provider, which signs a user in and tells what it issued.
    fn start() -> Result<Self, String> {
        let scripts = Path::new(SCRIPTS).join("provider");
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = node_of(kept, "interop-provider", &scripts)?;
        let script = copied(&scripts.join("provider.mjs"), &folder);
        let mut process = Command::new("node")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        // Its warnings stand before.
        let told = BufReader::new(process.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok)
            .find_map(|line| serde_json::from_str(&line).ok());
        Ok(Self {
            told: told.expect("the provider tells what it issued"),
            process,
        })
    }

    fn told(&self, name: &str) -> &str {
        self.told[name].as_str().unwrap()
    }

    /// Guards of this provider that find its keys by themselves.
    fn guards(&self, audience: &str, kind: TokenKind) -> GuardRouter<Partner> {
        let keys = HttpKeys::discovered(self.told("issuer"))
            .dangerous_allow_http()
            .dangerous_allow_private_addresses();
        let issuer = Issuer::new(self.told("issuer"))
            .audience(audience)
            .accept(kind);
        GuardRouter::alone("provider", JwksGuard::new(issuer, keys)).unwrap()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn what_oidc_provider_issues_counts_as_its_kind_and_no_other() {
    let provider = match Provider::start() {
        Ok(provider) => provider,
        Err(why) => return skipped(&format!("oidc-provider: {why}")),
    };
    let (api, app) = ("https://api.example.com", "app");
    for (kind, token, audience, outcome) in [
        (TokenKind::AccessToken, "access", api, Ok("alice")),
        (TokenKind::AccessToken, "machine", api, Ok("app")),
        (TokenKind::LooseAccessToken, "access", api, Ok("alice")),
        (TokenKind::IdToken, "id", app, Ok("alice")),
        (TokenKind::AccessToken, "id", app, Err(Code::InvalidToken)),
        (
            TokenKind::LooseAccessToken,
            "id",
            app,
            Err(Code::InvalidToken),
        ),
        (TokenKind::IdToken, "access", api, Err(Code::InvalidToken)),
        (TokenKind::IdToken, "machine", api, Err(Code::InvalidToken)),
        (
            TokenKind::AccessToken,
            "access",
            app,
            Err(Code::InvalidToken),
        ),
    ] {
        let guards = provider.guards(audience, kind);
        let found = guards.verify(provider.told(token), &Context::none()).await;
        let found = found.map(|verified| {
            assert_eq!(verified.token().issuer(), provider.told("issuer"));
            let nonce = (token == "id").then_some("a-nonce");
            assert_eq!(verified.token().nonce(), nonce);
            verified.claims().id().clone()
        });
        let found = found.as_deref().map_err(Refusal::code);
        assert_eq!(found, outcome, "{token} as {kind:?}");
    }
    // Another letter in the signature makes it another token.
    let mut forged = provider.told("access").to_owned();
    let at = forged.rfind('.').unwrap() + 10;
    let other = if forged.as_bytes()[at] == b'A' {
        "B"
    } else {
        "A"
    };
    forged.replace_range(at..=at, other);
    let guards = provider.guards(api, TokenKind::AccessToken);
    let found = guards.verify(&forged, &Context::none()).await;
    assert_eq!(found.unwrap_err().code(), Code::InvalidToken);
}
