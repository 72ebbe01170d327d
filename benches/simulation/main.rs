//! Shows what the policies of a refresh forgive and what they notice: browsers and thieves against
//! a real gate, on a clock moved by hand.
//!
//! `cargo run -p tollgate-benches --bin simulation [sessions]` prints the tables of
//! `docs/guide/refresh.md`. Chance is seeded: each run prints the same.

mod browser;
mod chance;
mod deployment;
mod thief;

use std::time::Duration;

use tollgate::settings::RefreshPolicy;

use browser::Scenario;
use deployment::Deployment;
use thief::Thief;

const POLICIES: [(RefreshPolicy, &str); 4] = [
    (RefreshPolicy::Strict, "`strict`"),
    (RefreshPolicy::Window, "`window`"),
    (RefreshPolicy::ConfirmAware, "`confirm_aware`"),
    (RefreshPolicy::Fixed, "`fixed`"),
];

const SCENARIOS: [Scenario; 9] = [
    Scenario {
        name: "one tab, no answer is lost",
        tabs: 1,
        copies: 1,
        lost: 0.0,
        asleep: 0.0,
        jitter: 1,
    },
    Scenario {
        name: "two tabs that share their storage",
        tabs: 2,
        copies: 1,
        lost: 0.0,
        asleep: 0.0,
        jitter: 1,
    },
    Scenario {
        name: "three tabs that share their storage",
        tabs: 3,
        copies: 1,
        lost: 0.0,
        asleep: 0.0,
        jitter: 1,
    },
    Scenario {
        name: "one tab, 1 % of the answers are lost",
        tabs: 1,
        copies: 1,
        lost: 0.01,
        asleep: 0.0,
        jitter: 1,
    },
    Scenario {
        name: "one tab, 1 % are lost, half of them as the lid is closed",
        tabs: 1,
        copies: 1,
        lost: 0.01,
        asleep: 0.5,
        jitter: 1,
    },
    Scenario {
        name: "two tabs, 1 % are lost, half of them as the lid is closed",
        tabs: 2,
        copies: 1,
        lost: 0.01,
        asleep: 0.5,
        jitter: 1,
    },
    Scenario {
        name: "three tabs, 5 % are lost, half of them as the lid is closed",
        tabs: 3,
        copies: 1,
        lost: 0.05,
        asleep: 0.5,
        jitter: 1,
    },
    Scenario {
        name: "two copies that share nothing, used side by side",
        tabs: 1,
        copies: 2,
        lost: 0.0,
        asleep: 0.0,
        jitter: 1,
    },
    Scenario {
        name: "two copies that share nothing, used within five minutes of each other",
        tabs: 1,
        copies: 2,
        lost: 0.0,
        asleep: 0.0,
        jitter: 300,
    },
];

const LAGS: [u64; 3] = [5, 60, 450];

fn main() {
    let sessions = std::env::args()
        .nth(1)
        .map_or(1000, |number| number.parse().expect("a number of sessions"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        println!(
            "Of {sessions} sessions of eight hours each, so many were signed out although nobody \
             had stolen anything:\n"
        );
        println!("| | `strict` | `window` | `confirm_aware` | `fixed` |\n|---|--:|--:|--:|--:|");
        for scenario in &SCENARIOS {
            let mut row = format!("| {} |", scenario.name);
            for (policy, _) in POLICIES {
                let deployment = Deployment::new(policy).await;
                let mut ended = 0;
                for seed in 0..sessions {
                    ended += u32::from(browser::day(&deployment, scenario, u64::from(seed)).await);
                }
                row += &format!(" {} |", share(ended, sessions));
            }
            println!("{row}");
        }
        println!(
            "\nA thief takes a copy of the tokens so many seconds after a refresh of the owner, \
             refreshes at once, and then again so"
        );
        println!(
            "many seconds after each refresh of the owner. For so long after the theft a token of \
             the thief's was good (median,"
        );
        println!(
            "longest); in so many of {sessions} sessions it was noticed within eight hours, which \
             ends them for both:\n"
        );
        println!("| lag | the thief | policy | had access for | at most | detected |");
        println!("|--:|---|---|--:|--:|--:|");
        for lag in LAGS {
            for (uses, how) in [
                (true, "uses what it gets"),
                (false, "only keeps its tokens fresh"),
            ] {
                for (policy, name) in POLICIES {
                    let deployment = Deployment::new(policy).await;
                    let mut lives = Vec::new();
                    for seed in 0..sessions {
                        lives.push(
                            thief::day(
                                &deployment,
                                Thief {
                                    lag: Duration::from_secs(lag),
                                    uses,
                                },
                                u64::from(seed),
                            )
                            .await,
                        );
                    }
                    lives.sort_unstable_by_key(|life| life.span);
                    let span = |life: Option<&thief::Life>| {
                        life.map_or_else(String::new, |life| words(life.span))
                    };
                    let noticed = lives.iter().filter(|life| life.was_noticed).count();
                    println!(
                        "| {lag} s | {how} | {name} | {} | {} | {} |",
                        span(lives.get(lives.len() / 2)),
                        span(lives.last()),
                        share(u32::try_from(noticed).unwrap_or(u32::MAX), sessions),
                    );
                }
            }
        }
    });
}

fn share(part: u32, whole: u32) -> String {
    format!("{:.1} %", f64::from(part) * 100.0 / f64::from(whole))
}

fn words(span: Duration) -> String {
    match span.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7200 => format!("{} min", seconds / 60),
        seconds => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}
