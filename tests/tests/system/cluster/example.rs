//! The example as its one command starts it: on PostgreSQL and on Redis, and its printed lines
//! pasted into a shell.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tollgate_tests::PASSWORD;
use tollgate_tests::process::{Output, bare, built, wait_for};
use tollgate_tests::support::{postgres, redis};

use crate::cluster::node::Remote;

/// Runs the example, walks over its three nodes, and ends it.
fn walk(arguments: &[&str], variable: &str, url: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut example = Command::new(built("postgres-cluster"));
    example
        .args(arguments)
        .env("DATA_DIR", folder.path())
        .env("PORT", "0")
        .env(variable, url);
    example
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut example = example.spawn().unwrap();
    let (out, errors) = (
        Output::of(example.stdout.take().unwrap()),
        Output::of(example.stderr.take().unwrap()),
    );
    wait_for("the example to listen", || {
        if let Some(status) = example.try_wait().unwrap() {
            panic!("it ended ({status}): {}", errors.text());
        }
        out.text().contains("any more") && out.text().ends_with("echo\n\n")
    });
    let said = out.text();
    let (_, rest) = said.split_once("\nlistening on http://127.0.0.1:").unwrap();
    let (port, rest) = rest.split_once('\n').unwrap();
    let cluster = Remote(port.parse().unwrap());

    let mut by = Vec::new();
    let mut saw = |answer: tollgate_tests::Answer| {
        by.push(answer.headers["x-node"].to_str().unwrap().to_owned());
        answer
    };
    let ada = saw(cluster
        .post(
            "/auth/signin",
            &json!({ "email": "ada@example.com", "password": PASSWORD }),
        )
        .unwrap())
    .tokens();
    let next = saw(cluster.refresh(&ada.refresh).unwrap()).tokens();
    assert_eq!(next.session, ada.session);
    assert_eq!(
        saw(cluster
            .send(&bare("POST", "/auth/signout", &next.access))
            .unwrap())
        .status,
        204
    );
    assert_eq!(by, ["1", "2", "3"]);
    for _ in 0..3 {
        assert_eq!(
            cluster.refresh(&next.refresh).unwrap().code(),
            "invalid_grant"
        );
        wait_for("every node to refuse", || {
            (0..3).all(|_| cluster.admits(&next.access) == 401)
        });
    }

    assert_metrics_are_inside(cluster, folder.path());

    let (_, lines) = rest.split_once("line by line:\n").unwrap();
    paste(lines);
    assert!(
        Command::new("kill")
            .args(["-INT", &example.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    wait_for("the example to end", || {
        example.try_wait().unwrap().is_some()
    });
    assert_eq!(
        (example.wait().unwrap().code(), errors.end().as_str()),
        (Some(0), "")
    );
}

/// The figures of each node are at the address that Prometheus is told, and not behind the proxy.
fn assert_metrics_are_inside(cluster: Remote, folder: &Path) {
    let metrics = bare("GET", "/metrics", "none");
    for _ in 0..3 {
        assert_eq!(cluster.send(&metrics).unwrap().status, 404);
    }
    let targets = fs::read_to_string(folder.join("targets.json")).unwrap();
    let targets: Value = serde_json::from_str(&targets).unwrap();
    let targets = targets[0]["targets"].as_array().unwrap();
    assert_eq!(targets.len(), 3);
    for target in targets {
        let port = target.as_str().unwrap().rsplit(':').next().unwrap();
        let inside = Remote(port.parse().unwrap());
        let figures = inside.send(&metrics).unwrap();
        assert_eq!(figures.status, 200);
        assert!(
            figures.text.contains("# TYPE tollgate_"),
            "{}",
            figures.text
        );
        assert_eq!(inside.admits("none"), 404, "nothing else is there");
    }
}

/// Pastes the printed lines into a shell.
fn paste(lines: &str) {
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
    // Every printed line was run, and every answer was looked at.
    assert_eq!(lines.matches("curl ").count(), 7);
    let statuses: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("HTTP/1.1 "))
        .collect();
    assert_eq!(
        statuses,
        [
            "204 No Content",
            "401 Unauthorized",
            "401 Unauthorized",
            "401 Unauthorized"
        ],
        "{said}"
    );
    let mut nodes: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("x-node: "))
        .collect();
    nodes.sort_unstable();
    nodes.dedup();
    assert_eq!(nodes, ["1", "2", "3"], "{said}");
    let bodies: Vec<Value> = said
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    assert_eq!(
        bodies
            .iter()
            .filter(|body| body["access_token"].is_string())
            .count(),
        2,
        "{said}"
    );
    assert_eq!(bodies.last().unwrap()["code"], "invalid_grant");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_command_starts_three_nodes_on_postgresql() {
    let Some(server) = postgres::Server::shared() else {
        return;
    };
    let database = server.database().await;
    tokio::task::block_in_place(|| walk(&[], "DATABASE_URL", &database.url));
}

#[test]
fn one_command_starts_three_nodes_on_redis() {
    let Some(server) = redis::Server::private(&[]) else {
        return;
    };
    walk(&["--redis"], "REDIS_URL", &server.url());
}

/// The issuer stays the same on another port.
#[test]
fn the_cluster_starts_again_on_another_port() {
    let Some(server) = redis::Server::private(&[]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        let mut example = Command::new(built("postgres-cluster"));
        example
            .arg("--redis")
            .env("DATA_DIR", folder.path())
            .env("PORT", "0")
            .env("REDIS_URL", server.url());
        example
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut example = Killed(example.spawn().unwrap());
        let out = Output::of(example.0.stdout.take().unwrap());
        let errors = Output::of(example.0.stderr.take().unwrap());
        wait_for("the example to listen", || {
            if let Some(status) = example.0.try_wait().unwrap() {
                panic!("it ended ({status}): {}", errors.text());
            }
            out.text().contains("any more")
        });
        let said = out.text();
        let (_, rest) = said.split_once("\nlistening on http://127.0.0.1:").unwrap();
        let port = rest.lines().next().unwrap().parse().unwrap();
        (example, Remote(port))
    };
    let (first, cluster) = start();
    let ada = cluster.sign_in();
    drop(first);
    let (_second, elsewhere) = start();
    assert_ne!(cluster.0, elsewhere.0);
    assert_eq!(elsewhere.admits(&ada.access), 200);
    assert_eq!(elsewhere.refresh(&ada.refresh).unwrap().status, 200);
}

/// A process that is killed when this is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Without an address of a server it starts one, and ends it.
#[test]
fn without_a_server_it_starts_its_own() {
    for (arguments, variable) in [(&[][..], "DATABASE_URL"), (&["--redis"][..], "REDIS_URL")] {
        let folder = tempfile::tempdir().unwrap();
        let mut example = Command::new(built("postgres-cluster"));
        example
            .args(arguments)
            .env("DATA_DIR", folder.path())
            .env("PORT", "0")
            .env_remove(variable);
        let example = example
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut example = example.unwrap();
        let (out, errors) = (
            Output::of(example.stdout.take().unwrap()),
            Output::of(example.stderr.take().unwrap()),
        );
        wait_for("the example to listen", || {
            out.text().contains("\nlistening on ") || example.try_wait().unwrap().is_some()
        });
        if errors.text().contains("is not installed") {
            tollgate_tests::support::skipped("the example has no server to start");
            return;
        }
        let port = out
            .text()
            .split("\nlistening on http://127.0.0.1:")
            .nth(1)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .parse()
            .unwrap();
        Remote(port).sign_in();
        // Killed, it leaves nobody behind: not its nodes either.
        let nodes: Vec<u16> = out
            .text()
            .lines()
            .filter(|line| line.starts_with("node "))
            .map(|line| line.rsplit(':').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(nodes.len(), 3);
        example.kill().unwrap();
        example.wait().unwrap();
        wait_for("the nodes to end", || {
            nodes
                .iter()
                .all(|node| std::net::TcpStream::connect(("127.0.0.1", *node)).is_err())
        });
    }
}
