//! Settings with which pages cannot be renewed.

use std::time::Duration;

use tollgate::error::ErrorKind;
use tollgate::prelude::*;
use tollgate::settings::{BindingMode, RefreshCookie, RefreshPolicy, SameSite};
use tollgate_tests::{App, User};

use super::settings;

async fn refused(settings: Settings) -> String {
    let app = App::with(settings).await;
    let error = app.gate.try_pages("/login").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Settings);
    error.to_string()
}

#[tokio::test]
async fn settings_that_would_sign_honest_users_out_are_refused_at_the_start() {
    let with = |change: fn(&mut Settings)| {
        let mut settings = settings();
        change(&mut settings);
        settings
    };
    for (settings, name) in [
        (Settings::default(), "cookies.path"),
        (
            with(|s| s.cookies.same_site = SameSite::Strict),
            "cookies.same_site",
        ),
        (
            with(|s| s.cookies.refresh = Some(RefreshCookie::Path)),
            "cookies.refresh",
        ),
        (
            with(|s| s.refresh.policy = RefreshPolicy::Strict),
            "refresh.policy",
        ),
        (
            with(|s| s.refresh.policy = RefreshPolicy::Window),
            "refresh.policy",
        ),
        (
            with(|s| s.refresh.window = Duration::ZERO),
            "refresh.window",
        ),
        (
            with(|s| s.binding.access_device = BindingMode::Enforce),
            "binding.access_device",
        ),
    ] {
        let text = refused(settings).await;
        assert!(text.contains(&format!("`{name}`")), "{name}: {text}");
        assert_eq!(text.lines().count(), 2, "{text}");
    }
    let all = with(|s| {
        s.cookies.same_site = SameSite::Strict;
        s.refresh.window = Duration::ZERO;
    });
    assert_eq!(refused(all).await.lines().count(), 3);
    for policy in [RefreshPolicy::ConfirmAware, RefreshPolicy::Fixed] {
        let mut settings = settings();
        settings.refresh.policy = policy;
        let app = App::with(settings).await;
        assert!(app.gate.try_pages("/login").is_ok());
    }
}

#[tokio::test]
async fn the_login_page_is_one_plain_path_outside_the_auth_routes() {
    let app = App::with(settings()).await;
    for path in [
        "",
        "/",
        "login",
        "/login/",
        "//login",
        "/a b",
        "/a?b",
        "/..",
        "/auth/login",
        "/auth",
    ] {
        let error = app.gate.try_pages(path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{path}");
    }
    let first: Result<tollgate::pages::Pages<User>, _> = app.gate.try_pages("/login");
    assert!(first.is_ok() && app.gate.try_pages("/login").is_ok());
    let error = app.gate.try_pages("/enter").unwrap_err();
    assert!(error.to_string().contains("`/login`"), "{error}");
}
