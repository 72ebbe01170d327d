//! Opens a page a given number of times, as a signed-in browser does, with the layer of pages or
//! without it, for a tool that counts instructions: `scripts/instructions pages`.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tollgate::gate::AuthBackend;
use tollgate::prelude::*;
use uuid::Uuid;

// Nothing of the library of these benches is used: its allocator counts, and would be counted.
#[derive(Clone, JwtClaims)]
struct User {
    #[claim(sub)]
    id: Uuid,
    email: String,
}

impl User {
    fn ada() -> Self {
        Self {
            id: Uuid::from_u128(0x0190_5b1e_7c5a_7000_8000_0000_0000_0ada),
            email: "ada@example.com".into(),
        }
    }
}

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

/// The layer around the page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Around {
    Nothing,
    /// A layer that does nothing: what axum takes for any layer.
    Idle,
    Pages,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [page, around, count] = &args[..] else {
        panic!("page-instructions (line|notes|sessions) (bare|idle|pages) COUNT");
    };
    let around = match &**around {
        "bare" => Around::Nothing,
        "idle" => Around::Idle,
        "pages" => Around::Pages,
        other => panic!("no such layer: {other}"),
    };
    let count: u32 = count.parse().expect("how often");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        match &**page {
            "line" => line(around, count).await,
            "notes" => example("/", around, count).await,
            "sessions" => example("/sessions", around, count).await,
            other => panic!("no such page: {other}"),
        }
    });
}

/// Opens a page of one line.
async fn line(around: Around, count: u32) {
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
    let app = gate.install(surround(pages, &gate, around));
    let browser = Browser::open(app.with_state(gate.clone())).await;
    let cookies = format!(
        "__Host-tollgate-access={}; __Host-tollgate-refresh={}",
        issued.access_token,
        issued.refresh_token.expose()
    );
    browser.reload("/", &cookies, count).await;
}

/// Opens a page of the example, which reads its database and writes HTML.
async fn example(path: &str, around: Around, count: u32) {
    let folder = TempDir::new().expect("a folder");
    let gate = pages::open(folder.path(), Settings::default()).await;
    let gate = gate.expect("the example");
    let routes = surround(pages::routes(&gate), &gate, around);
    // Where its routes take forms the gate has pages, with the layer around this page or without.
    drop(gate.pages("/login"));
    let mut browser = Browser::open(pages::serve(routes, &gate)).await;
    let cookies = browser.sign_in().await;
    for number in 0..NOTES {
        browser.write(number, &cookies).await;
    }
    browser.reload(path, &cookies, count).await;
}

fn surround<B: AuthBackend>(
    pages: Router<Gate<B>>,
    gate: &Gate<B>,
    around: Around,
) -> Router<Gate<B>> {
    match around {
        Around::Nothing => pages,
        Around::Idle => pages.layer(tower::layer::layer_fn(Idle)),
        Around::Pages => pages.layer(gate.pages("/login")),
    }
}

/// A service that hands on.
#[derive(Clone)]
struct Idle<S>(S);

impl<S: tower::Service<R>, R> tower::Service<R> for Idle<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(
        &mut self,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.0.call(request)
    }
}

/// A browser with one connection, which stays open.
struct Browser {
    connection: TcpStream,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Browser {
    async fn open(app: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = tokio::spawn(async move { axum::serve(listener, app).await });
        let connection = TcpStream::connect(address).await.expect("a connection");
        Self { connection, server }
    }

    /// Signs in to the example, and returns the cookies.
    async fn sign_in(&mut self) -> String {
        let form = "email=ada%40example.com&password=correct+horse+battery+staple&next=%2F";
        let request = format!(
            "POST /login HTTP/1.1\r\nhost: app.example\r\norigin: https://app.example\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            form.len()
        );
        let mut buffer = vec![0; 1 << 16];
        let answer = self.ask(&request, &mut buffer).await;
        let cookies = answer.lines().filter_map(|line| {
            let (pair, _) = line.strip_prefix("set-cookie: ")?.split_once(';')?;
            (!pair.ends_with('=')).then_some(pair)
        });
        cookies.collect::<Vec<_>>().join("; ")
    }

    /// Writes a note.
    async fn write(&mut self, number: usize, cookies: &str) {
        let form = format!("text=The+lamp+on+the+pier+is+out+again%2C+for+night+{number:02}.");
        let request = format!(
            "POST /notes HTTP/1.1\r\nhost: app.example\r\norigin: https://app.example\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\ncookie: \
             {cookies}\r\n\r\n{form}",
            form.len()
        );
        let mut buffer = vec![0; 1 << 16];
        let answer = self.ask(&request, &mut buffer).await;
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    }

    /// Opens a page again and again.
    async fn reload(mut self, path: &str, cookies: &str, count: u32) {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: app.example\r\nuser-agent: Mozilla/5.0 (X11; Linux \
             x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36\r\naccept: \
             text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\naccept-language: \
             en\r\naccept-encoding: gzip, deflate, br\r\nsec-fetch-site: same-origin\r\n\
             sec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\nsec-fetch-user: ?1\r\n\
             referer: https://app.example/\r\nupgrade-insecure-requests: 1\r\ncookie: {cookies}; \
             theme=dark\r\n\r\n"
        );
        let mut buffer = vec![0; 1 << 16];
        let first = self.ask(&request, &mut buffer).await;
        let end: [u8; 5] = *first.as_bytes().last_chunk().expect("a page");
        for _ in 1..count {
            let sent = self.connection.write_all(request.as_bytes()).await;
            sent.expect("it is sent");
            // The end of the text, and not the head, says that it is all there: little of what is
            // counted is the browser's.
            let mut len = 0;
            while !buffer[..len].ends_with(&end) {
                len += self.read(&mut buffer[len..]).await;
            }
            assert!(buffer.starts_with(b"HTTP/1.1 200"));
        }
        self.server.abort();
    }

    /// Sends a request, and reads its answer to the end.
    async fn ask<'b>(&mut self, request: &str, buffer: &'b mut [u8]) -> &'b str {
        let sent = self.connection.write_all(request.as_bytes()).await;
        sent.expect("it is sent");
        let mut len = 0;
        while end_of(&buffer[..len]).is_none_or(|end| len < end) {
            len += self.read(&mut buffer[len..]).await;
        }
        std::str::from_utf8(&buffer[..len]).expect("text")
    }

    async fn read(&mut self, buffer: &mut [u8]) -> usize {
        let read = self.connection.read(buffer).await.expect("an answer");
        assert_ne!(read, 0, "the server hung up");
        read
    }
}

/// The notes on the page of the example.
const NOTES: usize = 20;

/// Returns how long an answer is, once its head is there.
fn end_of(answer: &[u8]) -> Option<usize> {
    let find = |text: &[u8], what: &[u8]| text.windows(what.len()).position(|w| w == what);
    let head = find(answer, b"\r\n\r\n")? + 4;
    let length = find(&answer[..head], b"content-length: ")? + 16;
    let digits = answer[length..].iter().take_while(|b| b.is_ascii_digit());
    let length = digits.fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
    Some(head + length)
}
