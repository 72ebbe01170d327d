//! The lines that the quickstart prints, pasted into a shell.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::quickstart::program::Place;

#[test]
fn the_printed_lines_work_as_printed() {
    let place = Place::new();
    let program = place.start();
    let banner = program.banner();
    assert!(
        banner.starts_with(&format!("listening on {}\n", program.address())),
        "{banner}"
    );
    // The page that the second line names.
    assert!(banner.contains(&format!("{}/docs/swagger\n", program.address())));
    let page = program.get("/docs/swagger", "");
    assert_eq!(page.status, 200, "{page:?}");
    assert!(
        page.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    let (_, lines) = banner.split_once("line by line:\n").unwrap();

    let mut shell = Command::new("bash");
    shell
        .args(["--noprofile", "--norc", "-s"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    shell
        .stdin
        .take()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
    let output = shell.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    let statuses: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("HTTP/1.1 "))
        .collect();
    let tokens: Vec<Value> = said
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    // Every printed line was run, and every answer was looked at.
    assert_eq!(lines.matches("curl ").count(), 8);
    assert_eq!(
        statuses,
        [
            "200 OK",
            "200 OK",
            "204 No Content",
            "401 Unauthorized",
            "403 Forbidden"
        ],
        "{said}"
    );
    let [ada, renewed, grace] = &tokens
        .iter()
        .filter(|body| body["access_token"].is_string())
        .collect::<Vec<_>>()[..]
    else {
        panic!("{said}")
    };
    let [me, dead, denied] = &tokens
        .iter()
        .filter(|body| body["access_token"].is_null())
        .collect::<Vec<_>>()[..]
    else {
        panic!("{said}")
    };
    assert_eq!(ada["session_id"], renewed["session_id"]);
    assert!(
        ada["refresh_token"] != renewed["refresh_token"]
            && ada["session_id"] != grace["session_id"]
    );
    assert_eq!(
        (&me["email"], &me["roles"][0]),
        (&"ada@example.com".into(), &"admin".into())
    );
    assert!(
        said.lines()
            .any(|line| line == "for ada@example.com: all is well"),
        "{said}"
    );
    assert_eq!(
        (&dead["code"], &denied["code"]),
        (&"invalid_token".into(), &"forbidden".into())
    );
}
