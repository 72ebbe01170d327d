//! The pages of two gates in one program: each layer is for its own visitors.

use axum::Router;
use axum::response::IntoResponse as _;
use axum::routing::get;
use http::{Method, StatusCode};
use serde_json::json;
use tollgate::clock::Clock;
use tollgate::keys::{Algorithm, KeyRing};
use tollgate::prelude::*;
use tollgate_tests::Answer;
use tower::ServiceExt as _;

use super::{FETCH, PAGE, asked, location, page};
use crate::cookies::Jar;
use crate::realms::{Both, Customer, Desk, Employee, STAFF, Shop, ask};

/// Two gates with cookies, and their clock.
async fn both() -> (Both, Clock) {
    let (builder, clock) = tollgate::testing::ready(Shop.gate()).unwrap();
    let ring = KeyRing::generate(Algorithm::EdDSA).unwrap();
    let shop = builder.keys(ring).cookies("/auth").build().await.unwrap();
    let desk = Desk.gate().share(&shop).realm("staff").audience(STAFF);
    let desk = desk.build().await.unwrap();
    (Both { shop, desk }, clock)
}

fn pages() -> Router<Both> {
    let each = async |customer: Auth<Customer>, employee: Auth<Employee>| {
        format!("{} {}", customer.id(), employee.id())
    };
    let either = async |caller: OneOf<Auth<Customer>, Auth<Employee>>| match caller {
        OneOf::First(_) => "customer",
        OneOf::Second(_) => "employee",
    };
    Router::new()
        .route("/customer", get(async |_: Auth<Customer>| "in"))
        .route("/employee", get(async |_: Auth<Employee>| "in"))
        .route("/each", get(each).post(each))
        .route("/either", get(either))
        .route(
            "/own",
            get(async || Rejection::from(Code::MissingToken).into_response()),
        )
}

/// Returns the routes inside the layers of both gates.
fn inside_both(both: &Both) -> Router {
    pages()
        .layer(both.desk.pages("/staff/login"))
        .layer(both.shop.pages("/login"))
        .merge(both.shop.router())
        .merge(both.desk.router())
        .with_state(both.clone())
}

/// Signs in at both gates.
async fn signed_in(app: &Router) -> Jar {
    let mut jar = Jar::default();
    for path in ["/auth/signin", "/staff/auth/signin"] {
        let body = json!({ "username": "ada", "password": "x" });
        let answer = ask(app, Method::POST, path, Some(body), &jar).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        jar.take(&answer);
    }
    assert!(jar.has("__Host-tollgate-access") && jar.has("__Host-tollgate-staff-access"));
    jar
}

async fn send(app: &Router, request: http::Request<axum::body::Body>) -> Answer {
    Answer::of(app.clone().oneshot(request).await.unwrap()).await
}

/// The login page of the customers would find a customer who is signed in, and send them back.
#[tokio::test]
async fn a_401_of_another_gate_does_not_lead_to_the_login_page_of_this_one() {
    let (both, _) = both().await;
    let app = pages()
        .layer(both.shop.pages("/login"))
        .merge(both.shop.router())
        .merge(both.desk.router())
        .with_state(both.clone());
    let answer = send(&app, page("/customer")).await;
    assert_eq!(location(&answer), "/login?next=%2Fcustomer");
    let answer = send(&app, page("/own")).await;
    assert_eq!(location(&answer), "/login?next=%2Fown");
    let mut jar = signed_in(&app).await;
    jar.0.retain(|(name, _)| !name.contains("staff"));
    for jar in [jar, Jar::default()] {
        let answer = send(&app, jar.send(page("/employee"))).await;
        answer.assert_problem(401, "missing_token");
        assert!(!answer.headers.contains_key("location"));
        let htmx = [&FETCH[..], &[("hx-request", "true")]].concat();
        let answer = send(&app, jar.send(asked(Method::GET, "/employee", &htmx))).await;
        answer.assert_problem(401, "missing_token");
        assert!(!answer.headers.contains_key("hx-redirect"));
        let ahead = [&PAGE[..], &[("sec-purpose", "prefetch")]].concat();
        let answer = send(&app, jar.send(asked(Method::GET, "/employee", &ahead))).await;
        answer.assert_problem(401, "missing_token");
    }
}

#[tokio::test]
async fn a_401_is_answered_by_the_layer_of_its_gate_whichever_is_further_out() {
    let (both, _) = both().await;
    let app = inside_both(&both);
    for (path, expected) in [
        ("/customer", "/login?next=%2Fcustomer"),
        ("/employee", "/staff/login?next=%2Femployee"),
        ("/own", "/staff/login?next=%2Fown"),
    ] {
        let answer = send(&app, page(path)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert_eq!(location(&answer), expected, "{path}");
    }
}

#[tokio::test]
async fn a_caller_of_each_gate_reaches_the_handler() {
    let (both, clock) = both().await;
    let app = inside_both(&both);
    let jar = signed_in(&app).await;
    let answer = send(&app, jar.send(page("/each"))).await;
    assert_eq!(answer.text, "1 1");
    // Both are renewed, or one of them.
    clock.advance(std::time::Duration::from_secs(660));
    for gone in [
        "nothing",
        "__Host-tollgate-access",
        "__Host-tollgate-staff-access",
    ] {
        let mut jar = jar.clone();
        jar.0.retain(|(name, _)| name != gone);
        for method in [Method::GET, Method::POST] {
            let request = asked(method, "/each", &FETCH);
            let answer = send(&app, jar.send(request)).await;
            assert_eq!(answer.text, "1 1", "{gone}");
        }
    }
    // A caller of two gates is one too many where either is taken, and one of them is enough.
    let answer = send(&app, jar.send(asked(Method::GET, "/customer", &FETCH))).await;
    assert_eq!(answer.text, "in");
    let mut jar = jar;
    jar.0.retain(|(name, _)| name.contains("staff"));
    let answer = send(&app, jar.send(asked(Method::GET, "/either", &FETCH))).await;
    assert_eq!(answer.text, "employee");
}
