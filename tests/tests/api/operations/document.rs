//! What the routes for operations answer is what the document says of them.

use crate::openapi::assert_fits;

use super::*;

#[tokio::test]
async fn answers_of_the_routes_are_as_documented() {
    let office = Office::new().await;
    office.clock.advance(Duration::from_secs(16 * 60));
    let document = office
        .send(request(Method::GET, "/openapi.json", None, None))
        .await;
    let document = document.json();
    office.sign_in("", "ada").await;
    let chief = office.sign_in("/staff", "chief").await;
    let sessions = office
        .ask(Method::GET, "/admin/subjects/1/sessions", &chief)
        .await;
    let sid = sessions.json()[0]["session_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let tokens = office
        .ask(Method::GET, "/admin/subjects/1/tokens", &chief)
        .await;
    let jti = tokens.json()[0]["token_id"].as_str().unwrap().to_owned();
    let before = office.shop.keys().current();
    let mut seen = std::collections::BTreeSet::new();
    for (method, path, given) in [
        ("get", "/well/live", ""),
        ("get", "/well/ready", ""),
        ("get", "/inside/health", ""),
        ("get", "/other-port/health", ""),
        ("get", "/admin/keys", ""),
        ("get", "/admin/subjects/{subject}/sessions", "1"),
        ("get", "/admin/subjects/{subject}/tokens", "1"),
        ("delete", "/admin/sessions/{id}", &sid),
        ("delete", "/admin/sessions/{id}", &sid),
        ("get", "/admin/subjects/{subject}/tokens", "1"),
        ("delete", "/admin/tokens/{id}", &jti),
        ("delete", "/admin/tokens/{id}", "nothing"),
        ("delete", "/admin/subjects/{subject}/sessions", "1"),
        ("post", "/admin/pause", ""),
        ("post", "/admin/resume", ""),
        ("post", "/admin/keys/rotate", ""),
        ("post", "/admin/keys/rotate", ""),
        ("delete", "/admin/keys/{name}", "seal-1"),
        ("delete", "/admin/keys/{name}", "nothing"),
        ("delete", "/admin/keys/{name}", &before),
    ] {
        let operation = &document["paths"][path][method];
        assert!(operation["responses"].get("default").is_none(), "{path}");
        // The token of the chief is of the key before until then.
        let chief = office.sign_in("/staff", "chief").await;
        let asked = match path.split_once('{') {
            Some((head, rest)) => format!("{head}{given}{}", rest.split_once('}').unwrap().1),
            None => path.to_owned(),
        };
        let answer = office
            .ask(method.to_uppercase().parse().unwrap(), &asked, &chief)
            .await;
        let status = answer.status.as_u16().to_string();
        let response = &operation["responses"][&status];
        assert!(
            !response.is_null(),
            "{method} {path}: {status} is not documented"
        );
        seen.insert((method, path, status));
        let response = match response["$ref"].as_str() {
            Some(place) => document.pointer(place.trim_start_matches('#')).unwrap(),
            None => response,
        };
        if answer.text.is_empty() {
            assert!(response.get("content").is_none(), "{method} {path}");
            continue;
        }
        let kind = answer.headers["content-type"].to_str().unwrap();
        let schema = &response["content"][kind]["schema"];
        assert!(
            !schema.is_null(),
            "{method} {path}: {kind} is not documented"
        );
        assert_fits(&document, schema, &answer.json(), path);
    }
    assert_eq!(seen.len(), 19, "{seen:?}");
    let parameters = |path: &str| {
        let all = document["paths"][path]["get"]["parameters"]
            .as_array()
            .unwrap();
        let names = all
            .iter()
            .map(|parameter| parameter["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        parameters("/admin/subjects/{subject}/sessions"),
        [
            "subject",
            "after",
            "client_id",
            "device_id",
            "address",
            "seen_since"
        ]
    );
    assert_eq!(
        parameters("/admin/subjects/{subject}/tokens"),
        [
            "subject",
            "after",
            "active",
            "kind",
            "device_id",
            "issued_since",
            "issued_before"
        ]
    );
    // Figures are also refused, and then the answer is a problem.
    let unwell = &document["paths"]["/inside/health"]["get"]["responses"]["503"]["content"];
    assert!(unwell.get("application/json").is_some());
    assert!(unwell.get("application/problem+json").is_some());
}
