//! The guide and the reference of the repository, a page a module.
//!
//! Their code is compiled by the tests of the repository, which have the crates that it names.

macro_rules! pages {
    ($($name:ident = $page:literal,)*) => {$(
        #[doc = tollgate_macros::page!($page)]
        pub mod $name {
            // The documentation is made anew when the page changes.
            const _: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $page));
        }
    )*};
}

pages! {
    action_tokens = "docs/guide/action-tokens.md",
    browsers = "docs/guide/browsers.md",
    choosing_a_store = "docs/guide/choosing-a-store.md",
    clients = "docs/guide/clients.md",
    cluster = "docs/guide/cluster.md",
    command_line = "docs/guide/command-line.md",
    deploying = "docs/guide/deploying.md",
    flows = "docs/guide/flows.md",
    incident_day = "docs/guide/incident-day.md",
    key_rotation_day = "docs/guide/key-rotation-day.md",
    keys = "docs/guide/keys.md",
    limits = "docs/guide/limits.md",
    mobile_and_machines = "docs/guide/mobile-and-machines.md",
    moving = "docs/guide/moving.md",
    moving_from_axum_login = "docs/guide/moving-from-axum-login.md",
    moving_from_d_jwt_auth = "docs/guide/moving-from-d-jwt-auth.md",
    moving_from_fastauth = "docs/guide/moving-from-fastauth.md",
    moving_from_jsonwebtoken = "docs/guide/moving-from-jsonwebtoken.md",
    moving_from_ravyn = "docs/guide/moving-from-ravyn.md",
    moving_from_simplejwt = "docs/guide/moving-from-simplejwt.md",
    moving_from_wc_django_jwt = "docs/guide/moving-from-wc-django-jwt.md",
    operations = "docs/guide/operations.md",
    pages = "docs/guide/pages.md",
    passwords = "docs/guide/passwords.md",
    realms = "docs/guide/realms.md",
    refresh = "docs/guide/refresh.md",
    registry = "docs/guide/registry.md",
    scaling = "docs/guide/scaling.md",
    second_factor = "docs/guide/second-factor.md",
    sessions_in_pictures = "docs/guide/sessions-in-pictures.md",
    start = "docs/guide/start.md",
    tests = "docs/guide/tests.md",
    threat_model = "docs/guide/threat-model.md",
    throttle = "docs/guide/throttle.md",
    two_kinds = "docs/guide/two-kinds.md",
    watching = "docs/guide/watching.md",
    your_application = "docs/guide/your-application.md",
}

/// The reference: settings, problems, events, tables and exact rules.
pub mod reference {
    pages! {
        command_line = "docs/reference/command-line.md",
        events = "docs/reference/events.md",
        issuers = "docs/reference/issuers.md",
        metrics = "docs/reference/metrics.md",
        mistakes = "docs/reference/mistakes.md",
        pages = "docs/reference/pages.md",
        performance = "docs/reference/performance.md",
        problems = "docs/reference/problems.md",
        realms = "docs/reference/realms.md",
        requirements = "docs/reference/requirements.md",
        rotation = "docs/reference/rotation.md",
        settings = "docs/reference/settings.md",
    }
}
