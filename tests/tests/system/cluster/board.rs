//! The Grafana board and the alerts of the cluster example: every query is put to a real Prometheus.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tollgate_tests::PASSWORD;
use tollgate_tests::process::{HOST, bare, exchange, parse, wait_for};
use tollgate_tests::support::redis;

use crate::cluster::node::{Deployment, Node};

/// A Prometheus that runs. Dropped, it is killed.
struct Prometheus {
    child: Child,
    port: u16,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    /// Starts one with the example's configuration, which scrapes these nodes.
    fn start(folder: &Path, nodes: &[u16]) -> Option<Self> {
        let example = example().join("prometheus");
        let addresses: Vec<String> = nodes
            .iter()
            .map(|port| format!("127.0.0.1:{port}"))
            .collect();
        let targets = json!([{ "targets": addresses }]);
        fs::write(folder.join("targets.json"), targets.to_string()).unwrap();
        let config = fs::read_to_string(example.join("prometheus.yml")).unwrap();
        assert!(
            config.contains("../../../cluster-data/targets.json"),
            "{config}"
        );
        let config = config
            .replace("../../../cluster-data/targets.json", "targets.json")
            .replace("15s", "1s");
        fs::write(folder.join("prometheus.yml"), config).unwrap();
        fs::copy(example.join("alerts.yml"), folder.join("alerts.yml")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let child = Command::new("prometheus")
            .arg(format!(
                "--config.file={}",
                folder.join("prometheus.yml").display()
            ))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("data").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match child {
            Ok(child) => Some(Self { child, port }),
            Err(error) => {
                tollgate_tests::support::skipped(&format!("prometheus: {error}"));
                None
            }
        }
    }

    fn get(&self, path: &str) -> Option<Value> {
        let bytes = exchange(
            self.port,
            format!("GET {path} HTTP/1.0\r\n{HOST}\r\n").as_bytes(),
        );
        let answer = parse(&bytes)?;
        serde_json::from_str(&answer.text).ok()
    }

    /// Puts a query, and returns the error or the series that it answers.
    fn query(&self, query: &str) -> Result<Vec<Value>, String> {
        let encoded: String = query
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect();
        let answer = self
            .get(&format!("/api/v1/query?query={encoded}"))
            .ok_or("no answer")?;
        if answer["status"] != "success" {
            return Err(answer["error"].to_string());
        }
        Ok(answer["data"]["result"]
            .as_array()
            .cloned()
            .unwrap_or_default())
    }
}

fn example() -> std::path::PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("examples/postgres-cluster")
}

/// Returns the queries of the board with the titles of their panels, the variables filled in.
fn queries() -> Vec<(String, String)> {
    let board = fs::read_to_string(example().join("grafana/tollgate.json")).unwrap();
    let board: Value = serde_json::from_str(&board).unwrap();
    let mut found = Vec::new();
    for panel in board["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let query = target["expr"].as_str().unwrap().replace("$realm", ".*");
            found.push((panel["title"].as_str().unwrap().to_owned(), query));
        }
    }
    found
}

/// Each series that a query names is one of the page of the figures, and the other way round.
#[test]
fn the_board_shows_every_figure_and_no_other() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/metrics.md");
    let page = fs::read_to_string(page).unwrap();
    let named = |text: &str| -> BTreeSet<String> {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .filter(|word| word.starts_with("tollgate_"))
            .map(|word| word.trim_end_matches("_bucket").to_owned())
            .collect()
    };
    let documented: BTreeSet<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(str::to_owned)
        .collect();
    let shown: BTreeSet<_> = queries()
        .iter()
        .flat_map(|(_, query)| named(query))
        .collect();
    assert_eq!(shown, documented);
}

#[test]
fn every_query_of_the_board_is_answered_by_prometheus() {
    let Some(store) = redis::Server::private(&[]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut deployment = Deployment::new();
    // Without the window a token that comes again is a theft at once.
    deployment.set("TOLLGATE_REFRESH__WINDOW", "0s");
    let nodes = [
        deployment.start(&store.url(), 0),
        deployment.start(&store.url(), 0),
    ];
    let ports = nodes.each_ref().map(|node| node.metrics);
    let Some(prometheus) = Prometheus::start(folder.path(), &ports) else {
        return;
    };
    // The first theft that there ever is on a node fires the alert.
    wait_for("the counter of thefts on both nodes", || {
        let found = prometheus.query("tollgate_events_total{event=\"refresh_reuse\"} == 0");
        found.is_ok_and(|found| found.len() == 2)
    });
    let node = nodes[0].remote();
    let stolen = node.sign_in();
    let next = node.refresh(&stolen.refresh).unwrap().tokens();
    node.refresh(&next.refresh);
    node.refresh(&stolen.refresh);
    let firing = r#"ALERTS{alertname="TollgateAlarm",event="refresh_reuse",alertstate="firing"}"#;
    wait_for("the alert of the first theft", || {
        prometheus
            .query(firing)
            .is_ok_and(|found| !found.is_empty())
    });
    // What the queries look at: sign-ins, refusals, refreshes, revocations, and a theft, on both
    // nodes.
    let traffic = || {
        for node in nodes.each_ref().map(Node::remote) {
            let first = node.sign_in();
            let second = node.refresh(&first.refresh).unwrap().tokens();
            let third = node.refresh(&second.refresh).unwrap().tokens();
            node.send(&bare("POST", "/auth/signout", &third.access));
            let stolen = node.sign_in();
            let next = node.refresh(&stolen.refresh).unwrap().tokens();
            node.refresh(&next.refresh);
            node.refresh(&stolen.refresh);
            let wrong =
                json!({ "email": "ada@example.com", "password": format!("not {PASSWORD}") });
            node.post("/auth/signin", &wrong);
        }
    };
    wait_for("both nodes to be scraped", || {
        traffic();
        prometheus
            .query("sum(up{job=\"tollgate\"})")
            .is_ok_and(|found| found.first().is_some_and(|up| up["value"][1] == "2"))
    });
    // A rate takes two scrapes.
    let rate = "sum(rate(tollgate_events_total{event=\"signed_in\"}[5m])) > 0";
    wait_for("two scrapes", || {
        traffic();
        prometheus.query(rate).is_ok_and(|found| !found.is_empty())
    });
    // The nodes of the example are without the throttle (feature `rate-limit`).
    let absent = "Throttle without room";
    let queries = queries();
    assert!(queries.len() > 12, "{queries:?}");
    for (panel, query) in &queries {
        wait_for(&format!("`{panel}` to show a number: {query}"), || {
            traffic();
            let found = prometheus.query(query);
            let found = found.unwrap_or_else(|error| panic!("{query}: {error}"));
            panel == absent || found.iter().any(|series| series["value"][1] != "NaN")
        });
    }
    wait_for("the alerts to be judged", || {
        let Some(rules) = prometheus.get("/api/v1/rules") else {
            return false;
        };
        let groups = rules["data"]["groups"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let rules: Vec<&Value> = groups
            .iter()
            .flat_map(|group| group["rules"].as_array().unwrap())
            .collect();
        assert!(
            !rules.iter().any(|rule| rule["health"] == "err"),
            "{rules:?}"
        );
        rules.len() == 6 && rules.iter().all(|rule| rule["health"] == "ok")
    });
}
