//! The paths that a gate's settings and its backend's options name, and the refusal of two things
//! at one path.

use super::backend::{AuthRoute, RouteConfig};
use crate::error::{Error, ErrorKind};
use crate::settings::Settings;

/// Refuses a setting whose path is that of a route of the backend.
///
/// # Errors
/// [`ErrorKind::Settings`], with both names and the path.
pub(super) fn refuse_same_paths(settings: &Settings, routes: &RouteConfig) -> Result<(), Error> {
    let mut taken: Vec<(&str, String)> = Vec::new();
    #[cfg(feature = "openapi")]
    if routes.openapi {
        taken.push(("openapi.path", settings.openapi.path.clone()));
        #[cfg(feature = "swagger-ui")]
        taken.push(("openapi.swagger_ui", settings.openapi.swagger_ui.clone()));
    }
    taken.extend(metadata_path(settings).map(|path| (METADATA, path)));
    for (name, path) in taken {
        let route = AuthRoute::ALL
            .into_iter()
            .filter(|route| !routes.is_disabled(*route))
            .find(|route| meets(&routes.full_path(*route), &path));
        if let Some(route) = route {
            let why = format!(
                "`{name}` and the route `{route}` of the backend are both at `{path}`: choose \
                 another path for one of them, for the route with `{route}(path = \"…\")` in \
                 `#[auth_backend]`",
                route = route.name(),
            );
            return Err(Error::new(ErrorKind::Settings, why));
        }
    }
    Ok(())
}

/// The words for the metadata in an error.
const METADATA: &str = "the metadata of RFC 8414";

/// Returns whether a request to a literal path reaches a route.
fn meets(route: &str, path: &str) -> bool {
    let (route, path) = (route.split('/'), path.split('/'));
    route.clone().count() == path.clone().count()
        && route
            .zip(path)
            .all(|(segment, literal)| segment == literal || segment == "{id}")
}

/// Returns the path of the metadata of RFC 8414, which that of the issuer follows (section 3.1);
/// `None` if they are not served: they are there for services that may ask about tokens, and
/// `public_url` gives the address.
pub(crate) fn metadata_path(settings: &Settings) -> Option<String> {
    let issuer = settings.issuer.as_deref()?;
    let is_served = !settings.introspection.services.is_empty() && settings.public_url.is_some();
    let path = path_of(issuer).trim_end_matches('/');
    is_served.then(|| format!("/.well-known/oauth-authorization-server{path}"))
}

/// Returns the path of an address, with its leading slash; empty if it has none.
pub(crate) fn path_of(url: &str) -> &str {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    host.find('/')
        .and_then(|at| host.get(at..))
        .unwrap_or_default()
}
