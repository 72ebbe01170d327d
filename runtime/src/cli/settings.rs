//! `tollgate settings` and `openapi`: documents that are made from the settings.

use serde_json::{Value, json};

use super::args::{Common, Login, Openapi, Settings};
use super::deployment;
use super::output::{Done, Exit, Failure, printable, table};
use crate::error::AuthError;
use crate::gate::{
    AuthBackend, EmailLogin, FromStored, GateBuilder, RouteConfig, SignIn, UsernameLogin,
};
use crate::keys::{Algorithm, KeyRing};
use crate::settings::{ExplainedSetting, file_schema};
use crate::store::MemoryStore;
use crate::token::{JwtClaims, Open};

use super::backend::GivenClaims;

pub(super) fn run(common: &Common, command: &Settings) -> Result<Done, Failure> {
    match command {
        Settings::Schema => {
            let schema = file_schema();
            Ok(Done::new(format!("{schema:#}"), schema))
        }
        Settings::Explain { name } => explain(common, name.as_deref()),
    }
}

fn explain(common: &Common, name: Option<&str>) -> Result<Done, Failure> {
    let settings = deployment::settings(common)?;
    let is_wanted = |setting: &ExplainedSetting| {
        name.is_none_or(|name| {
            let rest = setting.name.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    let found: Vec<_> = settings.explained().into_iter().filter(is_wanted).collect();
    if found.is_empty() {
        let name = printable(name.unwrap_or_default());
        return Err(Failure::new(
            Exit::Missing,
            format!("there is no setting `{name}`: `tollgate settings explain` lists them"),
        ));
    }
    let row = |setting: &ExplainedSetting| {
        vec![
            setting.name.to_owned(),
            setting.value.clone().unwrap_or_default(),
            setting.source.clone(),
            setting.about.to_owned(),
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    let text = table(&["SETTING", "VALUE", "SOURCE", "WHAT IT IS"], &rows);
    let json = found.iter().map(|setting| {
        json!({
            "name": setting.name,
            "variable": setting.variable,
            "value": setting.value,
            "default": setting.default,
            "source": setting.source,
            "about": setting.about,
        })
    });
    Ok(Done::new(
        text,
        json!({ "settings": json.collect::<Vec<_>>() }),
    ))
}

/// Writes the document of a gate with these settings, whose backend has no options of its own.
pub(super) async fn openapi(common: &Common, wanted: &Openapi) -> Result<Done, Failure> {
    let mut settings = deployment::settings(common)?;
    settings
        .issuer
        .get_or_insert_with(|| "https://issuer.example".to_owned());
    settings
        .audience
        .get_or_insert_with(|| "audience".to_owned());
    let document = match wanted.login {
        Login::Email => document::<EmailLogin>(settings).await?,
        Login::Username => document::<UsernameLogin>(settings).await?,
    };
    let json: Value = serde_json::from_str(&document).unwrap_or_default();
    Ok(Done::new(document, json))
}

async fn document<L>(settings: crate::settings::Settings) -> Result<String, Failure>
where
    L: serde::de::DeserializeOwned + Send + 'static,
{
    let gate = GateBuilder::new(Described::<L>(std::marker::PhantomData))
        .settings(settings)
        .keys(KeyRing::generate(Algorithm::EdDSA)?)
        .store(MemoryStore::new())
        .build()
        .await?;
    gate.openapi()
        .to_pretty_json()
        .map_err(|error| Failure::new(Exit::Unavailable, format!("no document: {error}")))
}

/// A backend whose routes are described, and that nobody uses.
struct Described<L>(std::marker::PhantomData<fn() -> L>);

impl<L: serde::de::DeserializeOwned + Send + 'static> AuthBackend for Described<L> {
    type User = DescribedUser;
    type Login = L;
    type Entry = Nowhere;
    type Renewal = FromStored;
    const KIND: &'static str = "described";
    const ROUTES: RouteConfig = RouteConfig::DEFAULT;
}

/// Signs nobody in.
struct Nowhere;

impl<L: serde::de::DeserializeOwned + Send + 'static> SignIn<Described<L>> for Nowhere {
    async fn sign_in(
        _: &Described<L>,
        _: L,
        _: &crate::device::Client,
    ) -> Result<DescribedUser, AuthError> {
        Err(AuthError::Invalid)
    }
}

/// A user of whom nothing is said.
struct DescribedUser(String);

impl JwtClaims for DescribedUser {
    type Claims = GivenClaims;
    type Subject = String;
    type Secrecy = Open;

    fn subject(&self) -> &String {
        &self.0
    }

    fn to_claims(&self) -> GivenClaims {
        GivenClaims::default()
    }
}

impl crate::token::Issuable for DescribedUser {}
