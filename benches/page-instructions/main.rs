//! Opens a page a given number of times, as a signed-in browser does, with the layer of pages or
//! without it, for a tool that counts instructions: `scripts/instructions pages`.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tollgate::prelude::*;
use tollgate_benches::claims::User;
use uuid::Uuid;

#[auth_backend(email, user = User)]
struct Accounts;

impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
        Ok(User::ada())
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, _: &Uuid, _: &Client) -> Result<User, AuthError> {
        Ok(User::ada())
    }
}

fn main() {
    let mut args = std::env::args().skip(1);
    let has_layer = match args.next().as_deref() {
        Some("page") => true,
        Some("cookie") => false,
        _ => panic!("with the layer (page) or without it (cookie)"),
    };
    let count: u32 = args
        .next()
        .and_then(|text| text.parse().ok())
        .expect("how often");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(run(has_layer, count));
}

async fn run(has_layer: bool, count: u32) {
    let gate = Accounts
        .gate()
        .issuer("https://accounts.example.com")
        .audience("https://api.example.com")
        .cookies("/auth")
        .keys(KeyRing::generate(Algorithm::EdDSA).expect("a ring"))
        .store(MemoryStore::new())
        .build()
        .await
        .expect("a gate");
    let issued = gate.sign_in(User::ada(), &Client::unknown()).await;
    let issued = issued.expect("a session");
    let pages = Router::new().route(
        "/",
        get(async |user: Auth<User>| Html(format!("<h1>The page of {}</h1>", user.subject()))),
    );
    let pages = if has_layer {
        pages.layer(gate.pages("/login"))
    } else {
        pages
    };
    let app = gate.install(pages).with_state(gate.clone());
    serve(app, &issued, count).await;
}

/// Opens a page as a browser does that is signed in, over a connection that stays open.
async fn serve(app: Router, issued: &Issued, count: u32) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let mut browser = TcpStream::connect(address).await.expect("a connection");
    let request = format!(
        "GET / HTTP/1.1\r\nhost: app.example\r\nuser-agent: Mozilla/5.0 (X11; Linux x86_64) \
         AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36\r\naccept: \
         text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\naccept-language: \
         en\r\naccept-encoding: gzip, deflate, br\r\nsec-fetch-site: same-origin\r\n\
         sec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\nsec-fetch-user: ?1\r\n\
         referer: https://app.example/\r\nupgrade-insecure-requests: 1\r\ncookie: \
         __Host-tollgate-access={}; __Host-tollgate-refresh={}; theme=dark\r\n\r\n",
        issued.access_token,
        issued.refresh_token.expose(),
    );
    let mut answer = vec![0; 4096];
    for _ in 0..count {
        browser
            .write_all(request.as_bytes())
            .await
            .expect("it is sent");
        let mut len = 0;
        while !answer[..len].ends_with(b"</h1>") {
            let read = browser.read(&mut answer[len..]).await.expect("an answer");
            assert_ne!(read, 0, "the server hung up");
            len += read;
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"));
    }
    server.abort();
}
