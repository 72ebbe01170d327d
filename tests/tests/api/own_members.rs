//! A backend adds members to the answers with tokens: where they are, where they are not, and that
//! none of them is ever one of the gate's.

use axum::Router;
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tollgate::error::{Error, SignInStep};
use tollgate::gate::{Answer, AuthBackend, StepAnswer};
use tollgate::pages::PageForm;
use tollgate::prelude::*;
use tollgate::routing::post;
use tollgate::settings::Settings;
use tollgate_tests::{App, AppBuilder, PASSWORD};

use crate::openapi::assert_fits;

#[derive(Clone, JwtClaims)]
struct Member {
    #[claim(sub)]
    id: u64,
    #[claim(skip)]
    name: String,
}

impl Member {
    fn of(id: u64) -> Self {
        let name = if id == 1 { "Ada" } else { "Grace" };
        Self {
            id,
            name: name.to_owned(),
        }
    }
}

/// The members that greet.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Welcome {
    full_name: String,
    visits: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    motto: Option<String>,
    place: Option<String>,
}

/// Members that are named as the gate's.
#[derive(Serialize, Deserialize)]
struct Clashing {
    expires_in: u64,
}

/// A member that is named as a backend calls its access token.
#[derive(Serialize, Deserialize)]
struct NamedToken {
    token: String,
}

/// Members that serde does not reveal before they are there.
#[derive(Serialize, Deserialize)]
struct Flat {
    #[serde(flatten)]
    all: std::collections::BTreeMap<String, String>,
}

macro_rules! backend {
    ($backend:ident, $members:ty, |$user:ident| $answer:expr $(, $refresh:literal)?) => {
        impl Authenticate for $backend {
            async fn authenticate(&self, login: UsernameLogin, _: &Client) -> Result<Member, AuthError> {
                match &*login.username {
                    "ada" => Ok(Member::of(1)),
                    "grace" => Err(SignInStep::new(2_u64, "totp").into()),
                    _ => Err(AuthError::Invalid),
                }
            }

            async fn step(&self, _: &SignInStep, _: &StepAnswer, _: &Client) -> Result<Member, AuthError> {
                Ok(Member::of(2))
            }
        }

        impl Answer<$members> for $backend {
            $(const ON_REFRESH: bool = $refresh;)?

            fn answer(&self, $user: &Member, _: &Client) -> $members {
                $answer
            }
        }
    };
}

macro_rules! reloads {
    ($($backend:ident),+) => {$(
        impl Refresh for $backend {
            async fn refresh(&self, id: &u64, _: &Client) -> Result<Member, AuthError> {
                Ok(Member { name: "Ada, later".to_owned(), ..Member::of(*id) })
            }
        }
    )+};
}

fn welcome(user: &Member) -> Welcome {
    Welcome {
        full_name: user.name.clone(),
        visits: 3,
        motto: None,
        place: None,
    }
}

#[auth_backend(username, user = Member, answer = Welcome)]
#[derive(Clone)]
struct Once;
backend!(Once, Welcome, |user| welcome(user));

#[auth_backend(username, user = Member, answer = Welcome, names(access_token = "token"))]
#[derive(Clone)]
struct Always;
backend!(Always, Welcome, |user| welcome(user), true);

#[auth_backend(username, user = Member, answer = Welcome, refresh(from = stored))]
#[derive(Clone)]
struct Stored;
backend!(Stored, Welcome, |user| welcome(user), true);

#[auth_backend(username, user = Member, answer = Clashing)]
#[derive(Clone)]
struct Overwriting;
backend!(Overwriting, Clashing, |_user| Clashing { expires_in: 9 });

#[auth_backend(username, user = Member, answer = NamedToken, names(access_token = "token"))]
#[derive(Clone)]
struct Renaming;
backend!(Renaming, NamedToken, |_user| NamedToken {
    token: "mine".to_owned()
});

#[auth_backend(username, user = Member, answer = Flat)]
#[derive(Clone)]
struct Hidden;
backend!(Hidden, Flat, |user| Flat {
    all: [(
        if user.id == 1 {
            "refresh_token"
        } else {
            "motto"
        }
        .to_owned(),
        "mine".to_owned()
    )]
    .into(),
});

#[auth_backend(username, user = Member, answer = Vec<u8>)]
#[derive(Clone)]
struct Listed;
backend!(Listed, Vec<u8>, |user| vec![
    u8::try_from(user.id).unwrap_or_default()
]);

reloads!(Once, Always, Overwriting, Renaming, Hidden, Listed);

/// Signs in whom the program knows, and adds two members.
async fn guest<B: AuthBackend<User = Member>>(
    _: Public,
    flow: AuthFlow<B>,
) -> Result<SignedIn, Rejection> {
    let allowed = flow.allow("guest", "ada").await?;
    let signed_in = flow.open(allowed, &Member::of(1)).await?;
    Ok(signed_in.with("guest", true).with("visits", 4))
}

fn of<B: AuthBackend<User = Member> + Clone>(backend: B) -> AppBuilder<B> {
    AppBuilder::of(backend, |gate| {
        let app = tollgate::ProtectedRouter::<Gate<B>>::new().route("/guest", post(guest::<B>));
        gate.install(app).with_state(gate.clone())
    })
}

async fn refused<B: AuthBackend<User = Member> + Clone>(backend: B) -> String {
    let built: Result<App<B>, Error> = of(backend).try_build().await;
    built.err().unwrap().to_string()
}

fn login() -> Value {
    json!({ "username": "ada", "password": PASSWORD })
}

/// Returns the names of the members of an answer.
fn names(body: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = body
        .as_object()
        .unwrap()
        .keys()
        .map(|name| &**name)
        .collect();
    names.sort_unstable();
    names
}

const TOKENS: [&str; 6] = [
    "access_token",
    "expires_in",
    "refresh_expires_in",
    "refresh_token",
    "session_id",
    "token_type",
];

#[tokio::test]
async fn a_sign_in_answers_with_the_members_of_the_backend_and_a_refresh_without() {
    let app = of(Once).build().await;
    let body = app.post("/auth/signin", login()).await.json();
    assert_eq!(
        (&body["fullName"], &body["visits"], &body["place"]),
        (&json!("Ada"), &json!(3), &json!(null))
    );
    assert!(body.get("motto").is_none() && body["access_token"].is_string());
    let refresh = json!({ "refresh_token": body["refresh_token"] });
    let refreshed = app.post("/auth/refresh-access", refresh).await.json();
    assert_eq!(names(&refreshed), TOKENS);
    let access = refreshed["access_token"].as_str().unwrap();
    let again = app
        .post_as("/auth/reauthenticate", access, Some(login()))
        .await
        .json();
    assert!(again["access_token"].is_string() && again.get("fullName").is_none());
}

#[tokio::test]
async fn a_step_answers_with_the_members_of_its_user() {
    let app = of(Once).build().await;
    let grace = json!({ "username": "grace", "password": PASSWORD });
    let asked = app.post("/auth/signin", grace).await;
    let asked = asked.json();
    assert!(asked.get("fullName").is_none(), "{asked}");
    let answer = json!({ "step_token": asked["step_token"], "code": "1" });
    let body = app.post("/auth/signin/step", answer).await.json();
    assert_eq!(body["fullName"], "Grace");
}

#[tokio::test]
async fn a_refresh_answers_with_the_members_of_today_where_the_backend_says_so() {
    let app = of(Always).build().await;
    let body = app.post("/auth/signin", login()).await.json();
    assert!(body["token"].is_string());
    for _ in 0..2 {
        // A repeated answer has them too.
        let refresh = json!({ "refresh_token": body["refresh_token"] });
        let refreshed = app.post("/auth/refresh-access", refresh).await.json();
        assert_eq!(refreshed["fullName"], "Ada, later");
    }
}

#[tokio::test]
async fn a_member_of_the_gate_keeps_it_from_starting() {
    let error = refused(Overwriting).await;
    assert!(
        error.contains("`expires_in`") && error.contains("rename the field"),
        "{error}"
    );
    let error = refused(Renaming).await;
    assert!(error.contains("`token`"), "{error}");
    let error = refused(Stored).await;
    assert!(
        error.contains("`Answer::ON_REFRESH`") && error.contains("`refresh(from = stored)`"),
        "{error}"
    );
}

/// What is known only when the answer is made is refused then, before a session is opened.
#[tokio::test]
async fn a_member_of_the_gate_that_comes_late_is_never_sent() {
    let app = of(Hidden).build().await;
    app.post("/auth/signin", login())
        .await
        .assert_problem(500, "internal_error");
    assert!(app.gate.sessions().of(1).await.unwrap().is_empty());
    app.post("/guest", json!({}))
        .await
        .assert_problem(500, "internal_error");
    assert!(app.gate.sessions().of(1).await.unwrap().is_empty());
    let grace = json!({ "username": "grace", "password": PASSWORD });
    let asked = app.post("/auth/signin", grace).await.json();
    let answer = json!({ "step_token": asked["step_token"], "code": "1" });
    assert_eq!(
        app.post("/auth/signin/step", answer).await.json()["motto"],
        "mine"
    );
    let listed = of(Listed).build().await;
    listed
        .post("/auth/signin", login())
        .await
        .assert_problem(500, "internal_error");
}

#[tokio::test]
async fn with_cookies_the_body_has_the_members_and_no_token() {
    let mut settings = Settings::default();
    settings.cookies.path = Some("/auth".to_owned());
    let app = of(Once).settings(settings).build().await;
    let answer = app.post("/auth/signin", login()).await;
    let expected = [
        "expires_in",
        "fullName",
        "place",
        "refresh_expires_in",
        "session_id",
        "visits",
    ];
    assert_eq!(names(&answer.json()), expected);
    assert!(answer.headers.get_all("set-cookie").iter().count() >= 2);
}

#[tokio::test]
async fn a_form_of_a_page_is_answered_without_them() {
    let app = AppBuilder::of(Once, |gate| {
        let pages = gate.pages("/login");
        let home = Router::new()
            .route("/", axum::routing::get(async || "home"))
            .layer(pages);
        let login = axum::routing::post_service(gate.form(PageForm::SignIn));
        gate.install(home.route("/login", login))
            .with_state(gate.clone())
    });
    let mut settings = Settings::default();
    settings.cookies.path = Some("/auth".to_owned());
    let app = app.settings(settings).build().await;
    let form = Request::post("/login")
        .header("host", "app.example")
        .header("origin", "https://app.example")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(axum::body::Body::from(format!(
            "username=ada&password={}",
            PASSWORD.replace(' ', "+")
        )));
    let answer = app.send(form.unwrap()).await;
    assert_eq!((answer.status, &*answer.text), (StatusCode::SEE_OTHER, ""));
    assert!(answer.headers.get_all("set-cookie").iter().count() >= 2);
}

#[tokio::test]
async fn a_handler_that_opens_a_session_answers_with_them_too() {
    let app = of(Once).build().await;
    let body = app.post("/guest", json!({})).await.json();
    assert_eq!(
        (&body["fullName"], &body["guest"], &body["visits"]),
        (&json!("Ada"), &json!(true), &json!(4))
    );
}

#[tokio::test]
async fn the_document_has_the_members_where_they_are_answered() {
    let schema_of = |document: &Value, path: &str| {
        let answer = &document["paths"][path]["post"]["responses"]["200"];
        answer["content"]["application/json"]["schema"].clone()
    };
    let app = of(Once).build().await;
    let document = app.get("/openapi.json", "").await.json();
    let signed_in = json!({ "$ref": "#/components/schemas/AuthSignedIn" });
    let tokens = json!({ "$ref": "#/components/schemas/AuthTokens" });
    for path in ["/auth/signin", "/auth/signin/step"] {
        assert_eq!(schema_of(&document, path), signed_in, "{path}");
    }
    assert_eq!(schema_of(&document, "/auth/refresh-access"), tokens);
    let schema = &document["components"]["schemas"]["AuthSignedIn"];
    let required: Vec<&str> = schema["required"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(required.contains(&"fullName") && required.contains(&"access_token"));
    assert!(!required.contains(&"motto") && !required.contains(&"place"));
    assert_eq!(schema["properties"]["visits"]["type"], "integer");
    assert_eq!(
        schema["properties"]["place"]["type"],
        json!(["string", "null"])
    );
    let body = app.post("/auth/signin", login()).await.json();
    assert_fits(&document, &signed_in, &body, "signin");
    let always = of(Always).build().await;
    let document = always.get("/openapi.json", "").await.json();
    assert_eq!(schema_of(&document, "/auth/refresh-access"), signed_in);
    assert!(
        document["components"]["schemas"]
            .get("AuthTokens")
            .is_none()
    );
    // A backend without an answer has the document that it had.
    let plain = serde_json::to_value(tollgate_tests::App::new().await.gate.openapi()).unwrap();
    assert!(plain["components"]["schemas"].get("AuthSignedIn").is_none());
    assert_eq!(schema_of(&plain, "/auth/signin"), tokens);
}
