//! Answers that never arrive, clients that leave, and random schedules of both: nobody honest is
//! signed out.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use http::{Method, StatusCode};
use tokio::sync::Notify;
use tollgate::event::Refreshed;
use tollgate::prelude::*;
use tollgate_tests::{Answer, App, User};

use super::{PAGE, app, asked, expired, fetch, location, page, refreshes, send, signed_in};
use crate::cookies::Jar;

/// Opens a page as a person does: a page that cannot be shown yet reloads itself.
pub(crate) async fn click(app: &App, jar: &mut Jar) {
    for _ in 0..4 {
        let answer = super::open(app, jar, "/").await;
        if answer.status != StatusCode::SERVICE_UNAVAILABLE {
            assert_eq!(answer.text, "ada@example.com");
            return;
        }
        let wait = answer.headers["retry-after"].to_str().unwrap().parse();
        app.wait(wait.unwrap());
    }
    panic!("the page is never shown");
}

#[tokio::test]
async fn an_answer_that_is_lost_signs_nobody_out_whenever_the_next_click_comes() {
    for request in [
        || page("/"),
        || fetch(Method::GET, "/"),
        || asked(Method::POST, "/change", &PAGE),
    ] {
        for wait in [1, 15, 25, 60, 3600] {
            let app = app().await;
            let mut jar = expired(&app).await;
            let lost = app.send(jar.send(request())).await;
            assert!(super::sets(&lost, crate::cookies::REFRESH));
            // What was confirmed is written down before the click.
            app.settle().await;
            app.wait(wait);
            click(&app, &mut jar).await;
            app.settle().await;
            app.wait(700);
            click(&app, &mut jar).await;
            drop(refreshes(&app));
        }
    }
}

#[tokio::test]
async fn a_client_that_leaves_before_the_store_answers_stops_nothing() {
    for wait in [1, 15, 25, 3600] {
        let app = app().await;
        let mut jar = expired(&app).await;
        let (entered, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (tell, wait_for) = (Arc::clone(&entered), Arc::clone(&go));
        app.accounts.in_refresh.set(move || {
            let (tell, wait_for) = (Arc::clone(&tell), Arc::clone(&wait_for));
            async move {
                tell.notify_one();
                wait_for.notified().await;
            }
        });
        let request = jar.send(page("/"));
        let (own, sent) = (app.clone(), entered.notified());
        let leaving = tokio::spawn(async move { own.send(request).await });
        sent.await;
        leaving.abort();
        assert!(leaving.await.unwrap_err().is_cancelled());
        // Another tab of the same browser waits for the same renewal.
        let (own, request) = (app.clone(), jar.send(fetch(Method::GET, "/")));
        let waiting = tokio::spawn(async move { own.send(request).await });
        tokio::task::yield_now().await;
        go.notify_one();
        assert_eq!(waiting.await.unwrap().text, "ada@example.com");
        assert_eq!(refreshes(&app).len(), 1);
        app.accounts.in_refresh.clear();
        app.settle().await;
        app.wait(wait);
        click(&app, &mut jar).await;
    }
}

#[tokio::test]
async fn a_client_that_leaves_while_its_handler_runs_loses_nothing_but_the_answer() {
    for wait in [1, 15, 25, 3600] {
        let app = app().await;
        let mut jar = expired(&app).await;
        let entered = Arc::new(Notify::new());
        let tell = Arc::clone(&entered);
        app.accounts.in_authenticate.set(move || {
            let tell = Arc::clone(&tell);
            async move {
                tell.notify_one();
                std::future::pending::<()>().await;
            }
        });
        // The store has rotated the refresh token, and the handler waits.
        let request = jar.send(asked(Method::POST, "/slow", &PAGE));
        let (own, inside) = (app.clone(), entered.notified());
        let leaving = tokio::spawn(async move { own.send(request).await });
        inside.await;
        leaving.abort();
        assert!(leaving.await.unwrap_err().is_cancelled());
        assert_eq!(refreshes(&app), [Refreshed::Rotated]);
        app.accounts.in_authenticate.clear();
        app.settle().await;
        app.wait(wait);
        click(&app, &mut jar).await;
        app.settle().await;
        app.wait(700);
        click(&app, &mut jar).await;
        drop(refreshes(&app));
    }
}

/// A node of the release before, which knows no pages and no name of the cookie but its own.
#[tokio::test]
async fn a_node_that_was_rolled_back_signs_nobody_out_for_good() {
    let app = app().await;
    let mut jar = signed_in(&app).await;
    app.wait(660);
    let before = App::builder()
        .settings(super::settings())
        .accounts(&app.accounts);
    let before = before.clock(&app.clock).build().await;
    let answer = send(&before, &mut jar, page("/me")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(!answer.headers.contains_key("set-cookie"));
    click(&app, &mut jar).await;
}

/// Random numbers, the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// A request whose answer has not arrived.
struct Pending {
    answer: tokio::task::JoinHandle<Answer>,
    is_page: bool,
}

/// The pages of [`app`], and one whose handler takes the seconds of its path.
fn slow_pages(app: &App) -> App {
    let clock = app.clock.clone();
    let slow = move |user: Auth<User>, Path(seconds): Path<u64>| async move {
        let until = clock.now().plus(Duration::from_secs(seconds));
        while clock.now() < until {
            tokio::task::yield_now().await;
        }
        user.email().clone()
    };
    let own = Router::new()
        .route("/slow/{seconds}", get(slow.clone()).post(slow))
        .route("/", get(async |user: Auth<User>| user.email().clone()))
        .layer(app.gate.pages("/login"));
    app.serving(app.gate.install(own).with_state(app.gate.clone()))
}

/// One browser of several tabs, which clicks, waits, loses answers and gets others late.
async fn schedule(seed: u64) {
    let app = app().await;
    let mut jar = signed_in(&app).await;
    let app = slow_pages(&app);
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut pending: Vec<Pending> = Vec::new();
    let mut story = Vec::new();
    for _ in 0..24 {
        let roll = dice.roll(10);
        match roll {
            0..=2 => {
                let wait = [0, 1, 4, 6, 11, 19, 21, 45, 610, 700, 4000][dice.roll(11) as usize];
                story.push(format!("wait {wait}"));
                app.wait(wait);
            }
            3..=4 => {
                // A page, opened and followed.
                story.push("click".to_owned());
                let answer = send(&app, &mut jar, page("/")).await;
                check(&answer, &story, seed);
                if answer.status == StatusCode::TEMPORARY_REDIRECT {
                    let answer = send(&app, &mut jar, page("/")).await;
                    check(&answer, &story, seed);
                }
            }
            5 => {
                story.push("a click whose answer is lost".to_owned());
                let answer = app.send(jar.send(page("/"))).await;
                check(&answer, &story, seed);
            }
            6 => {
                story.push("a script whose answer is lost".to_owned());
                let answer = app.send(jar.send(fetch(Method::GET, "/"))).await;
                check(&answer, &story, seed);
            }
            7..=8 => {
                let seconds = dice.roll(30);
                let is_page = dice.roll(2) == 0;
                story.push(format!("a slow one of {seconds} s, page: {is_page}"));
                let path = format!("/slow/{seconds}");
                let request = match dice.roll(2) {
                    _ if is_page => page(&path),
                    0 => fetch(Method::GET, &path),
                    _ => asked(Method::POST, &path, &PAGE),
                };
                let (own, request) = (app.clone(), jar.send(request));
                let answer = tokio::spawn(async move { own.send(request).await });
                pending.push(Pending { answer, is_page });
            }
            _ => {
                // What was used is written down.
                story.push("confirmed".to_owned());
                app.settle().await;
            }
        }
        // Answers arrive as their headers leave. Renewals run in tasks of their own.
        for _ in 0..40 {
            tokio::task::yield_now().await;
        }
        let (done, waiting): (Vec<_>, Vec<_>) = pending
            .into_iter()
            .partition(|one| one.answer.is_finished());
        pending = waiting;
        for one in done {
            let answer = one.answer.await.unwrap();
            check(&answer, &story, seed);
            let is_lost = dice.roll(4) == 0;
            story.push(format!("it arrives, lost: {is_lost}"));
            if is_lost {
                continue;
            }
            jar.take(&answer);
            if one.is_page && answer.status == StatusCode::TEMPORARY_REDIRECT {
                let (own, request) = (app.clone(), jar.send(page(location(&answer))));
                let answer = tokio::spawn(async move { own.send(request).await });
                pending.push(Pending {
                    answer,
                    is_page: true,
                });
            }
        }
        drop(refreshes(&app));
    }
    for one in pending {
        one.answer.abort();
    }
    app.wait(45);
    click(&app, &mut jar).await;
    drop(refreshes(&app));
}

/// Nobody honest is led to the login page.
fn check(answer: &Answer, story: &[String], seed: u64) {
    let is_fine = matches!(answer.status.as_u16(), 200 | 307 | 503);
    assert!(is_fine, "seed {seed}: {answer:?}\n{}", story.join("\n"));
}

/// `SCHEDULES` of them, 300 where it is not set.
#[tokio::test]
async fn random_schedules_of_navigations_losses_and_delays_sign_nobody_out() {
    let count = std::env::var("SCHEDULES").map_or(300, |count| count.parse().unwrap());
    for seed in 0..count {
        schedule(seed).await;
    }
    println!("{count} schedules");
}
