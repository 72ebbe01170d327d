//! The frame of every page, and what puts text into HTML.

use std::fmt::{self, Display};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Html;
use tollgate::clock::Timestamp;
use tollgate::gate::SessionInfo;
use tollgate::id::SessionId;
use tollgate::prelude::*;

use crate::accounts::{Admin, User};

/// A text in HTML: whatever its writer wrote, it is shown and does nothing.
pub(crate) struct Text<'a>(pub(crate) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => write!(f, "{other}")?,
            }
        }
        Ok(())
    }
}

/// Returns a page for somebody who is signed in. `at` is the entry of the menu.
pub(crate) fn page(user: &Auth<User>, at: &str, title: &str, body: impl Display) -> Html<String> {
    let entry = |path: &str, name: &str| {
        let current = if path == at {
            " aria-current=\"page\""
        } else {
            ""
        };
        format!("<a href=\"{path}\"{current}>{name}</a>")
    };
    let admin = user.satisfies::<Admin>().then(|| entry("/admin", "People"));
    frame(
        title,
        format_args!(
            "<header><a class=\"brand\" href=\"/\">Logbook</a><nav aria-label=\"Pages\">{}{}{}{}</nav>\
             <form class=\"who\" method=\"post\" action=\"/logout\"><span>{}</span>\
             <button class=\"quiet\">Sign out</button></form></header><main><h1>{title}</h1>\
             {body}</main>",
            entry("/", "Notes"),
            entry("/sessions", "Devices"),
            entry("/account", "Account"),
            admin.unwrap_or_default(),
            Text(user.email()),
        ),
    )
}

/// Returns a page for somebody who is not signed in.
pub(crate) fn plain(title: &str, body: impl Display) -> Html<String> {
    frame(
        title,
        format_args!(
            "<main class=\"card\"><p class=\"brand\">Logbook</p><h1>{title}</h1>{body}</main>"
        ),
    )
}

/// Returns the page of a refusal.
pub(crate) fn refused(status: StatusCode) -> Html<String> {
    let (title, text) = match status {
        StatusCode::FORBIDDEN => ("Not for you", "You may not see this page."),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            ("Page not found", "There is no page at this address.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => (
            "That was too long",
            "The form is too long. Go back, shorten it and try again.",
        ),
        _ => (
            "That did not work",
            "The form could not be read. Go back and try again.",
        ),
    };
    plain(
        title,
        format_args!("<p>{text}</p><p><a class=\"button\" href=\"/\">Back to the notes</a></p>"),
    )
}

fn frame(title: &str, body: impl Display) -> Html<String> {
    Html(format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><title>{title} · Logbook</title>\
         <meta name=\"htmx-config\" content='{HTMX}'><link rel=\"icon\" href=\"data:,\">\
         <link rel=\"stylesheet\" href=\"/assets/style.css\"><script src=\"/assets/htmx.js\" \
         defer></script></head><body>{body}</body></html>"
    ))
}

/// Returns a list of sessions. `end` returns the path of the form that ends one.
pub(crate) fn sessions(
    sessions: &[SessionInfo],
    current: Option<SessionId>,
    now: Timestamp,
    end: impl Fn(SessionId) -> String,
) -> String {
    let rows = sessions.iter().rev().map(|session| {
        let agent = session.device.agent();
        let browser = agent.name.as_deref().unwrap_or("A browser");
        let system = agent.os.as_deref().unwrap_or("an unknown system");
        let ip = session.device.ip.as_deref().unwrap_or("an unknown address");
        let action = if Some(session.session_id) == current {
            "<span class=\"badge\">this device</span>".to_owned()
        } else {
            let path = end(session.session_id);
            format!(
                "<form method=\"post\" action=\"{path}\" hx-post=\"{path}\" \
                 hx-target=\"#sessions\" hx-swap=\"outerHTML\"><button class=\"danger\" \
                 aria-label=\"End the session of {} on {}\">End</button></form>",
                Text(browser),
                Text(system),
            )
        };
        format!(
            "<li><div><strong>{} on {}</strong><small>{} · signed in {} · last seen {}</small>\
             </div>{action}</li>",
            Text(browser),
            Text(system),
            Text(ip),
            Ago(now.since(session.created_at)),
            Ago(now.since(session.last_seen_at)),
        )
    });
    let rows: String = rows.collect();
    let rows = if rows.is_empty() {
        "<li class=\"empty\">Not signed in anywhere.</li>".to_owned()
    } else {
        rows
    };
    format!("<ul class=\"list\" id=\"sessions\">{rows}</ul>")
}

/// How long ago something was, in words.
struct Ago(Duration);

impl Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, unit) = match self.0.as_secs() {
            0..60 => return f.write_str("just now"),
            seconds @ 60..3600 => (seconds / 60, "minute"),
            seconds @ 3600..86_400 => (seconds / 3600, "hour"),
            seconds => (seconds / 86_400, "day"),
        };
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "{count} {unit}{plural} ago")
    }
}

/// Nothing of a page is evaluated, and no style is written into it.
const HTMX: &str = r#"{"allowEval":false,"includeIndicatorStyles":false}"#;
