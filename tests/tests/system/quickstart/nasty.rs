//! Requests that nobody means well by, over raw sockets: each is refused as listed, and nothing
//! changes.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use tollgate_tests::{PASSWORD, Tokens};

use crate::quickstart::program::{HOST, Place, Program, bare, post};

/// A request in words, its bytes, and its answer: the status, and the problem's code where the gate
/// answers and not the server.
type Case = (&'static str, Vec<u8>, u16, &'static str);

/// A word of the requests that no answer may repeat.
const SECRET: &str = "hunter2";

fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\n{HOST}{headers}\r\n").into_bytes()
}

fn body(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\n{HOST}content-length: {}\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn json_of(path: &str, text: impl AsRef<[u8]>) -> Vec<u8> {
    body(path, JSON, text.as_ref())
}

const JSON: &str = "content-type: application/json\r\n";
const SIGNIN: &str = "/auth/signin";
const REFRESH: &str = "/auth/refresh-access";

#[test]
fn bad_credentials_are_refused_as_listed() {
    let place = Place::new();
    let program = place.start();
    let tokens = program.sign_in("ada@example.com");
    let access = &tokens.access;
    let as_it_is = |header: &str| get("/me", &format!("{header}\r\n"));
    let bearer = |token: &str| as_it_is(&format!("authorization: Bearer {token}"));
    let [head, claims, signature] = access.split('.').collect::<Vec<_>>()[..] else {
        panic!("{access}")
    };

    let cases: Vec<Case> = vec![
        ("no header", get("/me", ""), 401, "missing_token"),
        (
            "an empty header",
            as_it_is("authorization:"),
            401,
            "missing_token",
        ),
        (
            "the scheme alone",
            as_it_is("authorization: Bearer"),
            401,
            "invalid_token",
        ),
        (
            "the scheme and a space",
            as_it_is("authorization: Bearer "),
            401,
            "invalid_token",
        ),
        (
            "two spaces",
            as_it_is(&format!("authorization: Bearer  {access}")),
            200,
            "",
        ),
        (
            "a space and a tab",
            as_it_is(&format!("authorization: Bearer \t{access}")),
            401,
            "invalid_token",
        ),
        (
            "a tab",
            as_it_is(&format!("authorization: Bearer\t{access}")),
            401,
            "invalid_token",
        ),
        (
            "no scheme",
            as_it_is(&format!("authorization: {access}")),
            401,
            "missing_token",
        ),
        (
            "another scheme",
            as_it_is(&format!("authorization: Basic {access}")),
            401,
            "missing_token",
        ),
        (
            "a scheme like ours",
            as_it_is(&format!("authorization: Bearerx {access}")),
            401,
            "missing_token",
        ),
        (
            "two headers",
            get(
                "/me",
                &format!("authorization: Bearer {access}\r\n").repeat(2),
            ),
            400,
            "invalid_request",
        ),
        (
            "two headers, one of them foreign",
            as_it_is(&format!(
                "authorization: Basic eA==\r\nauthorization: Bearer {access}"
            )),
            400,
            "invalid_request",
        ),
        (
            "two in one header",
            as_it_is(&format!("authorization: Bearer {access}, Bearer {access}")),
            401,
            "invalid_token",
        ),
        (
            "something behind",
            bearer(&format!("{access} {SECRET}")),
            401,
            "invalid_token",
        ),
        (
            "a comma behind",
            bearer(&format!("{access},")),
            401,
            "invalid_token",
        ),
        (
            "quotes",
            bearer(&format!("\"{access}\"")),
            401,
            "invalid_token",
        ),
        (
            "padding",
            bearer(&format!("{access}=")),
            401,
            "invalid_token",
        ),
        (
            "another last character",
            bearer(&flip_last(access)),
            401,
            "invalid_token",
        ),
        (
            "parts in another order",
            bearer(&format!("{claims}.{head}.{signature}")),
            401,
            "invalid_token",
        ),
        (
            "four parts",
            bearer(&format!("{access}.{signature}")),
            401,
            "invalid_token",
        ),
        (
            "five parts",
            bearer(&format!("{access}.{signature}.{signature}")),
            401,
            "invalid_token",
        ),
        (
            "no signature",
            bearer(&format!("{head}.{claims}.")),
            401,
            "invalid_token",
        ),
        ("dots", bearer(&".".repeat(7000)), 401, "invalid_token"),
        ("8 KiB", bearer(&"a".repeat(8 * 1024)), 401, "invalid_token"),
        (
            "100 KiB",
            bearer(&format!("{}.{claims}.{signature}", "a".repeat(100_000))),
            401,
            "invalid_token",
        ),
        ("2 MB", bearer(&"a".repeat(2_000_000)), 431, ""),
        ("words", bearer(SECRET), 401, "invalid_token"),
        (
            "a letter beyond ASCII",
            bearer("ä.ö.ü"),
            401,
            "invalid_token",
        ),
        (
            "bytes beyond UTF-8",
            [
                &b"GET /me HTTP/1.1\r\nconnection: close\r\nauthorization: Bearer \xff\xfe\r\n\r\n"
                    [..],
            ]
            .concat(),
            401,
            "invalid_token",
        ),
        ("a NUL", bearer("a\0b"), 400, ""),
        (
            "a line break inside",
            bearer(&format!("{head}\r\n .{claims}.{signature}")),
            400,
            "",
        ),
        (
            "a refresh token",
            bearer(&tokens.refresh),
            401,
            "invalid_token",
        ),
        (
            "the token in the query",
            get(&format!("/me?access_token={access}"), ""),
            401,
            "missing_token",
        ),
        (
            "the token in a cookie",
            as_it_is(&format!("cookie: access_token={access}")),
            401,
            "missing_token",
        ),
        (
            "the token in another header",
            as_it_is(&format!("x-authorization: Bearer {access}")),
            401,
            "missing_token",
        ),
        (
            "two hundred headers",
            as_it_is(&"x: y\r\n".repeat(200)),
            431,
            "",
        ),
        (
            "no request",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03hello\r\n\r\n".to_vec(),
            400,
            "",
        ),
        (
            "not HTTP",
            format!("{SECRET}\r\n\r\n").into_bytes(),
            400,
            "",
        ),
        ("another method", bare("POST", "/me", access), 405, ""),
        ("a method of nobody's", bare("BREW", "/me", access), 405, ""),
        ("TRACE", bare("TRACE", "/me", access), 405, ""),
        ("a path in capitals", bare("GET", "/ME", access), 404, ""),
        ("a slash behind", bare("GET", "/me/", access), 404, ""),
        (
            "dots in the path",
            bare("GET", "/admin/../me", access),
            404,
            "",
        ),
    ];
    unmoved(&place, &program, &tokens, &cases);

    // The same header as it should be, in forms that the standard allows.
    for fine in [
        format!("authorization: bearer {access}"),
        format!("AUTHORIZATION:BEARER {access}  "),
    ] {
        assert_eq!(program.send(&as_it_is(&fine)).status, 200, "{fine}");
    }
    let old = format!("GET /me HTTP/1.0\r\nauthorization: Bearer {access}\r\n\r\n");
    assert_eq!(program.send(old.as_bytes()).status, 200);
    let head = program.exchange(&bare("HEAD", "/me", access));
    assert!(head.starts_with(b"HTTP/1.1 200 ") && head.ends_with(b"\r\n\r\n"));
}

#[test]
fn bad_bodies_are_refused_as_listed() {
    let place = Place::new();
    let program = place.start();
    let tokens = program.sign_in("ada@example.com");
    let grace = program.sign_in("grace@example.com");
    let login = json!({ "email": "ada@example.com", "password": PASSWORD }).to_string();
    let with = |name: &str, value: Value| {
        let mut login: Value = serde_json::from_str(&login).unwrap();
        login[name] = value;
        json_of(SIGNIN, login.to_string())
    };
    let refresh = |token: &str| post(REFRESH, &json!({ "refresh_token": token }));
    let with_bearer = |bytes: &[u8], token: &str| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.replacen(
            "\r\n\r\n",
            &format!("\r\nauthorization: Bearer {token}\r\n\r\n"),
            1,
        )
        .into_bytes()
    };
    let utf16: Vec<u8> = login.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let chunked = |size: usize| {
        let head = format!(
            "POST {SIGNIN} HTTP/1.1\r\n{HOST}{JSON}transfer-encoding: chunked\r\n\r\n{size:x}\r\n"
        );
        [
            head.into_bytes(),
            vec![b'['; size],
            b"\r\n0\r\n\r\n".to_vec(),
        ]
        .concat()
    };
    let head_only =
        |headers: &str| format!("POST {SIGNIN} HTTP/1.1\r\n{HOST}{JSON}{headers}\r\n").into_bytes();

    let cases: Vec<Case> = vec![
        ("no body", json_of(SIGNIN, ""), 400, "invalid_request"),
        (
            "no type",
            body(SIGNIN, "", login.as_bytes()),
            415,
            "unsupported_media_type",
        ),
        (
            "text",
            body(SIGNIN, "content-type: text/plain\r\n", login.as_bytes()),
            415,
            "unsupported_media_type",
        ),
        (
            "two types",
            body(SIGNIN, &JSON.repeat(2), login.as_bytes()),
            415,
            "unsupported_media_type",
        ),
        (
            "a type like ours",
            body(
                SIGNIN,
                "content-type: application/jsonx\r\n",
                login.as_bytes(),
            ),
            415,
            "unsupported_media_type",
        ),
        (
            "a form",
            body(
                SIGNIN,
                "content-type: application/x-www-form-urlencoded\r\n",
                b"email=ada%40example.com&password=hunter2",
            ),
            415,
            "unsupported_media_type",
        ),
        (
            "half of it",
            json_of(SIGNIN, &login[..20]),
            400,
            "invalid_request",
        ),
        ("a list", json_of(SIGNIN, "[]"), 400, "invalid_request"),
        ("null", json_of(SIGNIN, "null"), 400, "invalid_request"),
        (
            "text in quotes",
            json_of(SIGNIN, format!("\"{SECRET}\"")),
            400,
            "invalid_request",
        ),
        (
            "something behind",
            json_of(SIGNIN, format!("{login} {SECRET}")),
            400,
            "invalid_request",
        ),
        (
            "twice",
            json_of(SIGNIN, login.repeat(2)),
            400,
            "invalid_request",
        ),
        (
            "a mark in front",
            json_of(SIGNIN, format!("\u{feff}{login}")),
            400,
            "invalid_request",
        ),
        ("UTF-16", json_of(SIGNIN, utf16), 400, "invalid_request"),
        (
            "no UTF-8",
            json_of(SIGNIN, b"{\"email\": \"\xff\", \"password\": \"hunter2\"}"),
            400,
            "invalid_request",
        ),
        (
            "half a surrogate",
            json_of(SIGNIN, r#"{"email": "\ud800", "password": "hunter2"}"#),
            400,
            "invalid_request",
        ),
        (
            "deep",
            json_of(SIGNIN, "[".repeat(16_000)),
            400,
            "invalid_request",
        ),
        (
            "deep beside the login",
            json_of(
                SIGNIN,
                format!(
                    "{}, \"x\": {}",
                    &login[..login.len() - 1],
                    "[".repeat(16_000)
                ),
            ),
            400,
            "invalid_request",
        ),
        (
            "a member twice",
            json_of(
                SIGNIN,
                format!("{}, \"email\": \"x\"}}", &login[..login.len() - 1]),
            ),
            400,
            "invalid_request",
        ),
        (
            "no password",
            json_of(SIGNIN, r#"{"email": "ada@example.com"}"#),
            400,
            "invalid_request",
        ),
        (
            "a password that is null",
            with("password", Value::Null),
            400,
            "invalid_request",
        ),
        (
            "a password that is a list",
            with("password", json!([PASSWORD])),
            400,
            "invalid_request",
        ),
        (
            "an address that is a number",
            with("email", json!(1)),
            400,
            "invalid_request",
        ),
        (
            "an empty password",
            with("password", json!("")),
            401,
            "invalid_credentials",
        ),
        (
            "an empty address",
            with("email", json!("")),
            401,
            "invalid_credentials",
        ),
        (
            "a space behind the password",
            with("password", json!(format!("{PASSWORD} "))),
            401,
            "invalid_credentials",
        ),
        (
            "a NUL behind the password",
            with("password", json!(format!("{PASSWORD}\0"))),
            401,
            "invalid_credentials",
        ),
        (
            "a password of 1024 bytes",
            with("password", json!("p".repeat(1024))),
            401,
            "invalid_credentials",
        ),
        (
            "a password of 1025 bytes",
            with("password", json!("p".repeat(1025))),
            400,
            "invalid_request",
        ),
        (
            "a password of 15 KiB",
            with("password", json!("p".repeat(15_000))),
            400,
            "invalid_request",
        ),
        (
            "SQL",
            with("email", json!("' OR 1=1 --")),
            401,
            "invalid_credentials",
        ),
        (
            "SQL with a union",
            with(
                "email",
                json!("x' UNION SELECT id, email, role, '', 0 FROM users --"),
            ),
            401,
            "invalid_credentials",
        ),
        (
            "a wildcard",
            with("email", json!("ada@%")),
            401,
            "invalid_credentials",
        ),
        (
            "a NUL behind the address",
            with("email", json!("ada@example.com\0")),
            401,
            "invalid_credentials",
        ),
        (
            "a line break in the address",
            with("email", json!("ada@example.com\r\nx: y")),
            401,
            "invalid_credentials",
        ),
        (
            "a device's name with a line break",
            with("device_name", json!("a\nb")),
            400,
            "invalid_request",
        ),
        (
            "a device's name without end",
            with("device_name", json!("d".repeat(10_000))),
            400,
            "invalid_request",
        ),
        (
            "a device's id that is a number",
            with("device_id", json!(7)),
            400,
            "invalid_request",
        ),
        (
            "17 KiB",
            with("x", json!("x".repeat(17_000))),
            413,
            "payload_too_large",
        ),
        (
            "17 KiB in a chunk",
            chunked(17_000),
            413,
            "payload_too_large",
        ),
        (
            "100 MB announced",
            head_only("content-length: 104857600\r\n"),
            413,
            "payload_too_large",
        ),
        (
            "100 MB announced with a question",
            head_only("content-length: 104857600\r\nexpect: 100-continue\r\n"),
            413,
            "payload_too_large",
        ),
        (
            "more than anyone has announced",
            head_only("content-length: 18446744073709551615\r\n"),
            431,
            "",
        ),
        (
            "less than nothing announced",
            head_only("content-length: -1\r\n"),
            400,
            "",
        ),
        (
            "two lengths",
            head_only("content-length: 4\r\ncontent-length: 5\r\n"),
            400,
            "",
        ),
        (
            "a chunk of no size",
            [
                head_only("transfer-encoding: chunked\r\n"),
                b"hunter2\r\n".to_vec(),
            ]
            .concat(),
            400,
            "invalid_request",
        ),
        ("GET", get(SIGNIN, ""), 405, "method_not_allowed"),
        ("PUT", bare("PUT", SIGNIN, ""), 405, "method_not_allowed"),
        (
            "GET of a refresh",
            get(&format!("{REFRESH}?refresh_token={}", tokens.refresh), ""),
            405,
            "method_not_allowed",
        ),
        (
            "a refresh without a token",
            json_of(REFRESH, "{}"),
            400,
            "invalid_request",
        ),
        (
            "a refresh with a number",
            json_of(REFRESH, r#"{"refresh_token": 1}"#),
            400,
            "invalid_request",
        ),
        (
            "a refresh with a token in the query",
            json_of(&format!("{REFRESH}?refresh_token={}", tokens.refresh), "{}"),
            400,
            "invalid_request",
        ),
        (
            "a refresh as a form",
            body(
                REFRESH,
                "content-type: application/x-www-form-urlencoded\r\n",
                format!("refresh_token={}", tokens.refresh).as_bytes(),
            ),
            415,
            "unsupported_media_type",
        ),
        ("a refresh with nothing", refresh(""), 401, "invalid_grant"),
        (
            "a refresh with words",
            refresh(SECRET),
            401,
            "invalid_grant",
        ),
        (
            "a refresh with the prefix",
            refresh("tgr1_"),
            401,
            "invalid_grant",
        ),
        (
            "a refresh with an access token",
            refresh(&tokens.access),
            401,
            "invalid_grant",
        ),
        (
            "a refresh with a space in front",
            refresh(&format!(" {}", tokens.refresh)),
            401,
            "invalid_grant",
        ),
        (
            "a refresh with padding",
            refresh(&format!("{}=", tokens.refresh)),
            401,
            "invalid_grant",
        ),
        (
            "a refresh in capitals",
            refresh(&tokens.refresh.to_uppercase()),
            401,
            "invalid_grant",
        ),
        (
            "a refresh without the last character",
            refresh(&tokens.refresh[..tokens.refresh.len() - 1]),
            401,
            "invalid_grant",
        ),
        (
            "a refresh with another last character",
            refresh(&flip_last(&tokens.refresh)),
            401,
            "invalid_grant",
        ),
        (
            "a refresh with another prefix",
            refresh(&tokens.refresh.replace("tgr1", "tgr2")),
            401,
            "invalid_grant",
        ),
        (
            "a refresh of 15 KiB",
            refresh(&format!("tgr1_{}", "A".repeat(15_000))),
            401,
            "invalid_grant",
        ),
        (
            "a refresh with a bearer alone",
            bare("POST", REFRESH, &tokens.refresh),
            415,
            "unsupported_media_type",
        ),
        (
            "signing out nobody",
            bare("POST", "/auth/signout", ""),
            401,
            "invalid_token",
        ),
        (
            "signing out words",
            bare("POST", "/auth/signout", SECRET),
            401,
            "invalid_token",
        ),
        (
            "signing out without anything",
            body("/auth/signout", "", b""),
            401,
            "missing_token",
        ),
        (
            "signing out two at once",
            with_bearer(
                &post("/auth/signout", &json!({ "refresh_token": grace.refresh })),
                &tokens.access,
            ),
            400,
            "invalid_request",
        ),
        (
            "signing out words in a body",
            post("/auth/signout", &json!({ "refresh_token": SECRET })),
            401,
            "invalid_grant",
        ),
        (
            "signing out by GET",
            bare("GET", "/auth/signout", &tokens.access),
            405,
            "method_not_allowed",
        ),
        (
            "another's session",
            bare(
                "DELETE",
                &format!("/auth/sessions/{}", grace.session),
                &tokens.access,
            ),
            404,
            "not_found",
        ),
        (
            "a session of nobody's",
            bare(
                "DELETE",
                "/auth/sessions/AAAAAAAAAAAAAAAAAAAAAA",
                &tokens.access,
            ),
            404,
            "not_found",
        ),
        (
            "a path in place of a session",
            bare("DELETE", "/auth/sessions/..%2F..%2Fetc", &tokens.access),
            404,
            "not_found",
        ),
        (
            "a session with a NUL",
            bare("DELETE", "/auth/sessions/%00", &tokens.access),
            404,
            "not_found",
        ),
        (
            "a session beyond UTF-8",
            bare("DELETE", "/auth/sessions/%ff%fe", &tokens.access),
            404,
            "not_found",
        ),
        (
            "a session without end",
            bare(
                "DELETE",
                &format!("/auth/sessions/{}", "a".repeat(9000)),
                &tokens.access,
            ),
            404,
            "not_found",
        ),
        (
            "the session of a user, by nobody",
            bare(
                "DELETE",
                &format!("/auth/sessions/{}", tokens.session),
                SECRET,
            ),
            401,
            "invalid_token",
        ),
        (
            "the sessions of nobody",
            get("/auth/sessions", ""),
            401,
            "missing_token",
        ),
        (
            "another's password to prove oneself",
            with_bearer(
                &post(
                    "/auth/reauthenticate",
                    &json!({ "email": "grace@example.com", "password": PASSWORD }),
                ),
                &tokens.access,
            ),
            401,
            "invalid_credentials",
        ),
        (
            "a wrong password to prove oneself",
            with_bearer(
                &post(
                    "/auth/reauthenticate",
                    &json!({ "email": "ada@example.com", "password": SECRET }),
                ),
                &tokens.access,
            ),
            401,
            "invalid_credentials",
        ),
        (
            "nothing to revoke",
            post("/auth/revoke", &json!({})),
            400,
            "invalid_request",
        ),
        (
            "nothing to verify",
            post("/auth/verify", &json!({})),
            400,
            "invalid_request",
        ),
        (
            "words to verify",
            post("/auth/verify", &json!({ "token": SECRET })),
            401,
            "invalid_token",
        ),
        // RFC 7009 section 2.2: the text is not a token, so there is nothing left to revoke.
        (
            "words to revoke",
            post("/auth/revoke", &json!({ "token": SECRET })),
            200,
            "",
        ),
    ];
    unmoved(&place, &program, &tokens, &cases);

    // R54, R98: what a body or a header says beside the login changes nothing about who one is.
    let more = json!({ "email": "grace@example.com", "password": PASSWORD, "roles": ["admin"], "sub": "x", "id": "x", "disabled": false });
    let claimed = program
        .send(&with_bearer(&post(SIGNIN, &more), &tokens.access))
        .tokens();
    assert_ne!(claimed.session, tokens.session);
    assert_eq!(
        program.get("/me", &claimed.access).json(),
        program.get("/me", &grace.access).json()
    );
    let more = json!({ "refresh_token": claimed.refresh, "roles": ["admin"], "session_id": tokens.session });
    let claimed = program.post(REFRESH, &more).tokens();
    program
        .get("/admin/report", &claimed.access)
        .assert_problem(403, "forbidden");
}

/// R112.
#[test]
fn a_hundred_megabytes_are_refused_while_they_come() {
    let place = Place::new();
    let program = place.start();
    program.sign_in("ada@example.com");
    let before = memory(&program);
    for framing in ["content-length: 104857600", "transfer-encoding: chunked"] {
        let mut stream = TcpStream::connect(("127.0.0.1", place.port())).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        write!(
            stream,
            "POST {SIGNIN} HTTP/1.1\r\n{HOST}{JSON}{framing}\r\n\r\n"
        )
        .unwrap();
        let block = vec![b'['; 65_536];
        let mut sent = 0;
        // It says so and hangs up, after which sending fails.
        for _ in 0..1600 {
            let done = match framing {
                "transfer-encoding: chunked" => write!(stream, "10000\r\n")
                    .and_then(|()| stream.write_all(&block))
                    .and_then(|()| write!(stream, "\r\n")),
                _ => stream.write_all(&block),
            };
            if done.is_err() {
                break;
            }
            sent += block.len();
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(sent < 50_000_000, "{sent}");
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 413 "),
            "{answer}"
        );
    }
    let after = memory(&program);
    assert!(after < before + 20_000, "{before} KiB, {after} KiB");
    program.sign_in("ada@example.com");
}

/// Many that say half of a request and stay, or go.
#[test]
fn those_who_never_finish_hold_up_nobody() {
    let place = Place::new();
    let program = place.start();
    let tokens = program.sign_in("ada@example.com");
    let halves: [&[u8]; 5] = [
        b"",
        b"G",
        b"GET /me HTTP/1.1\r\nauthorization: Bea",
        b"POST /auth/signin HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"em",
        b"POST /auth/refresh-access HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{",
    ];
    let mut open = Vec::new();
    for half in halves.iter().cycle().take(200) {
        let mut stream = TcpStream::connect(("127.0.0.1", place.port())).unwrap();
        stream.write_all(half).unwrap();
        open.push(stream);
    }
    assert_eq!(program.get("/me", &tokens.access).status, 200);
    for stream in open.drain(..100) {
        let _ = stream.shutdown(Shutdown::Both);
    }
    // Hangs up while it signs in, and while it refreshes.
    for request in [
        post(
            SIGNIN,
            &json!({ "email": "ada@example.com", "password": PASSWORD }),
        ),
        post(REFRESH, &json!({ "refresh_token": tokens.refresh })),
    ] {
        for _ in 0..10 {
            TcpStream::connect(("127.0.0.1", place.port()))
                .unwrap()
                .write_all(&request)
                .unwrap();
        }
    }
    // However far the refreshes came, the token that the client has still leads on.
    assert_eq!(
        program.refresh(&tokens.refresh).tokens().session,
        tokens.session
    );
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(program.get("/me", &tokens.access).status, 200));
        }
    });
    assert!(start.elapsed() < Duration::from_secs(10));
    drop(open);
}

/// Several requests in one connection are answered in their order, a refused one among them
/// included.
#[test]
fn one_connection_answers_in_order() {
    let place = Place::new();
    let program = place.start();
    let tokens = program.sign_in("ada@example.com");
    let keep = |bytes: Vec<u8>| {
        String::from_utf8(bytes)
            .unwrap()
            .replace("connection: close\r\n", "")
    };
    let requests = [
        keep(bare("GET", "/me", &tokens.access)),
        keep(bare("GET", "/me", "nothing")),
        keep(post(SIGNIN, &json!({ "email": "ada@example.com" }))),
        keep(bare("GET", "/me", &tokens.access)),
        String::from_utf8(get("/me", "")).unwrap(),
    ];
    let answers = String::from_utf8(program.exchange(requests.concat().as_bytes())).unwrap();
    let statuses: Vec<&str> = answers
        .match_indices("HTTP/1.1 ")
        .map(|(at, _)| &answers[at + 9..at + 12])
        .collect();
    assert_eq!(statuses, ["200", "401", "400", "200", "401"], "{answers}");
}

/// Sends all of them. None is answered otherwise than listed, none changes a session, none is
/// repeated to its sender.
#[track_caller]
fn unmoved(place: &Place, program: &Program, tokens: &Tokens, cases: &[Case]) {
    let sessions = || {
        let db = Connection::open_with_flags(place.sessions(), OpenFlags::SQLITE_OPEN_READ_ONLY)
            .unwrap();
        let mut query = db
            .prepare(
                "SELECT hex(sid), gen, hex(cur_hash), revoked_at, idle_exp, auth_time FROM \
                 tg_session",
            )
            .unwrap();
        let rows = query.query_map([], |row| {
            Ok(format!(
                "{:?}",
                (0..6)
                    .map(|column| row.get::<_, rusqlite::types::Value>(column).unwrap())
                    .collect::<Vec<_>>()
            ))
        });
        rows.unwrap().map(Result::unwrap).collect::<Vec<_>>()
    };
    let before = sessions();
    let mut wrong = Vec::new();
    for (what, request, status, code) in cases {
        let answer = program.send(request);
        let fine = answer.status == *status && answer.code() == *code;
        let echoes = answer.text.contains(SECRET)
            || answer
                .headers
                .values()
                .any(|value| value.as_bytes() == SECRET.as_bytes());
        if !fine || echoes {
            wrong.push(format!("{what}: {} {}", answer.status, answer.text));
        } else if !code.is_empty() {
            answer.assert_problem(*status, code);
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
    assert_eq!(sessions(), before);
    assert_eq!(program.get("/me", &tokens.access).status, 200);
    println!("{} requests", cases.len());
}

/// The same text with another last character, which changes bits that count.
fn flip_last(text: &str) -> String {
    let (rest, last) = text.split_at(text.len() - 1);
    format!("{rest}{}", if last == "A" { "Q" } else { "A" })
}

/// The resident memory of the program in KiB; nothing where the system does not say.
fn memory(program: &Program) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", program.pid())).unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or("0 kB");
    line.trim()
        .split(' ')
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}
