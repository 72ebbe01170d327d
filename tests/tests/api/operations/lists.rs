//! The lists for administrators: pages, and what the parameters of the query select.

use tollgate::device::{Client, Device};
use tollgate::store::Store;

use super::*;

/// Opens a session from an address and a device.
async fn opened(office: &Office, address: &str, device: &str) -> String {
    let mut client = Client::unknown();
    client.ip = Some(address.parse().unwrap());
    client.device = Device::new(None, Some(device.to_owned()));
    let issued = office.shop.sign_in(Customer { id: 1 }, &client).await;
    issued.unwrap().session_id.to_string()
}

/// Returns the ids of a list, page by page.
async fn all(office: &Office, path: &str, id: &str, chief: &str) -> Vec<String> {
    let (mut found, mut next) = (Vec::new(), Some(path.to_owned()));
    let address = path.split('?').next().unwrap();
    while let Some(path) = next {
        let page = office.ask(Method::GET, &path, chief).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        let entries = page.json();
        let entries = entries.as_array().unwrap();
        assert!(entries.len() <= 100);
        found.extend(
            entries
                .iter()
                .map(|entry| entry[id].as_str().unwrap().to_owned()),
        );
        next = page.headers.get("link").map(|link| {
            let link = link.to_str().unwrap();
            let (target, relation) = link.split_once("; ").unwrap();
            assert_eq!(relation, "rel=\"next\"");
            // The query alone: the path may be another one before a proxy.
            let query = target.trim_matches(['<', '>']);
            assert!(query.starts_with('?'), "{query}");
            format!("{address}{query}")
        });
    }
    found
}

#[tokio::test]
async fn sessions_are_selected_and_come_in_pages() {
    let office = Office::new().await;
    let (mut phone, mut laptop) = (Vec::new(), Vec::new());
    for number in 0..205 {
        office.clock.advance(Duration::from_millis(10));
        match number % 41 {
            0 => laptop.push(opened(&office, "2001:db8::7", "laptop").await),
            _ => phone.push(opened(&office, "192.0.2.7", "a phone & more").await),
        }
    }
    let chief = office.sign_in("/staff", "chief").await;
    let list = async |query: &str| {
        let path = format!("/admin/subjects/1/sessions{query}");
        all(&office, &path, "session_id", &chief).await
    };
    assert_eq!(list("").await.len(), 205);
    assert_eq!(list("?device_id=laptop").await, laptop);
    assert_eq!(list("?device_id=a+phone+%26+more").await, phone);
    assert_eq!(list("?address=192.0.2.7").await, phone);
    assert_eq!(
        list("?address=2001:db8:0::7&client_id=first-party").await,
        laptop
    );
    assert_eq!(list("?address=2001:db8::7&device_id=other").await, [""; 0]);
    assert_eq!(list("?client_id=other").await, [""; 0]);
    let now = office.clock.now().as_secs();
    assert_eq!(list(&format!("?seen_since={}", now + 1)).await, [""; 0]);
    assert_eq!(list(&format!("?seen_since={}", now - 10)).await.len(), 205);
    // The same in code.
    let sessions = office.shop.sessions().on_device("laptop");
    assert_eq!(sessions.count(1).await.unwrap(), 5);
    let page = sessions.page(1, None, 2).await.unwrap().unwrap();
    assert_eq!(
        page.iter()
            .map(|session| session.session_id.to_string())
            .collect::<Vec<_>>(),
        laptop[..2]
    );

    let unknown = Client::unknown();
    let other = office.shop.sign_in(Customer { id: 2 }, &unknown).await;
    let other = other.unwrap().session_id;
    for (query, told) in [
        (format!("?after={other}"), "after"),
        ("?after=nothing".to_owned(), "after"),
        ("?address=anywhere".to_owned(), "`address`"),
        ("?seen_since=-1".to_owned(), "`seen_since`"),
        ("?seen_since=yesterday".to_owned(), "`seen_since`"),
        ("?client_id=a&client_id=b".to_owned(), "`client_id`"),
    ] {
        let path = format!("/admin/subjects/1/sessions{query}");
        let refused = office.ask(Method::GET, &path, &chief).await;
        refused.assert_problem(400, "invalid_request");
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(told), "{query}: {detail}");
    }
}

#[tokio::test]
async fn tokens_are_selected_and_come_in_pages() {
    let office = Office::on(Store::from(MemoryStore::new())).await;
    let first = opened(&office, "192.0.2.7", "phone").await;
    office.clock.advance(Duration::from_secs(2));
    let later = office.clock.now().as_secs();
    for _ in 0..60 {
        office.clock.advance(Duration::from_millis(10));
        opened(&office, "192.0.2.7", "laptop").await;
    }
    let chief = office.sign_in("/staff", "chief").await;
    office
        .shop
        .revoke(tollgate::session::Revoke::session(first.parse().unwrap()))
        .await
        .unwrap();
    let list = async |query: &str| {
        let path = format!("/admin/subjects/1/tokens{query}");
        all(&office, &path, "token_id", &chief).await.len()
    };
    // Each session has two rows.
    assert_eq!(list("").await, 122);
    assert_eq!(list("?active=true").await, 120);
    assert_eq!(list("?active=false").await, 2);
    assert_eq!(list("?kind=access").await, 61);
    assert_eq!(list("?kind=refresh&active=true").await, 60);
    assert_eq!(list("?device_id=phone").await, 2);
    assert_eq!(list(&format!("?issued_since={later}")).await, 120);
    assert_eq!(list(&format!("?issued_before={later}")).await, 2);
    for (query, told) in [
        ("?after=nothing", "after"),
        ("?after=AAAAAAAAAAAAAAAAAAAAAA", "after"),
        ("?active=perhaps", "`active`"),
        ("?kind=other", "`kind`"),
        ("?issued_since=1e9", "`issued_since`"),
        ("?active=true&active=false", "`active`"),
    ] {
        let path = format!("/admin/subjects/1/tokens{query}");
        let refused = office.ask(Method::GET, &path, &chief).await;
        refused.assert_problem(400, "invalid_request");
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(told), "{query}: {detail}");
    }
}
