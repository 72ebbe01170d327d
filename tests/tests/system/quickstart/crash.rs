//! The program killed while it answers: the holder of a token goes on with it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;
use tollgate_tests::Tokens;

use crate::quickstart::program::{Place, post};

/// P9: whatever a kill interrupts, the token that a client has is current, or has a successor that
/// nobody used.
#[test]
fn a_kill_amid_refreshes_costs_nobody_the_session() {
    // Each refresh rotates: nothing is forgiven but the one answer that the kill swallowed.
    let place = Place::new().set("TOLLGATE_REFRESH__WINDOW", "0s");
    let mut program = place.start();
    let clients: Vec<Mutex<Tokens>> = (0..4)
        .map(|_| Mutex::new(program.sign_in("ada@example.com")))
        .collect();
    let mut rotations = 0;
    for round in 0..5 {
        let stop = AtomicBool::new(false);
        rotations += thread::scope(|scope| {
            let workers: Vec<_> = clients
                .iter()
                .map(|client| {
                    let (program, stop) = (&program, &stop);
                    scope.spawn(move || {
                        let mut held = client.lock().unwrap();
                        let mut count = 0;
                        while !stop.load(Ordering::SeqCst) {
                            let body = json!({ "refresh_token": held.refresh });
                            let bytes = String::from_utf8(
                                program.exchange(&post("/auth/refresh-access", &body)),
                            )
                            .unwrap();
                            // An answer that the kill cut off is one that never came.
                            let Some(text) = bytes
                                .split("\r\n\r\n")
                                .nth(1)
                                .filter(|text| text.ends_with('}'))
                            else {
                                break;
                            };
                            assert!(bytes.starts_with("HTTP/1.1 200 "), "round {round}: {bytes}");
                            let body: serde_json::Value = serde_json::from_str(text).unwrap();
                            held.refresh = body["refresh_token"].as_str().unwrap().to_owned();
                            held.access = body["access_token"].as_str().unwrap().to_owned();
                            count += 1;
                        }
                        count
                    })
                })
                .collect();
            // Each kill comes at another moment.
            thread::sleep(Duration::from_millis(150 + 30 * round));
            program.kill();
            stop.store(true, Ordering::SeqCst);
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap())
                .sum::<u32>()
        });
        drop(program);
        program = place.start();
        for client in &clients {
            let mut held = client.lock().unwrap();
            let next = program.refresh(&held.refresh).tokens();
            assert_eq!(next.session, held.session);
            *held = next;
        }
    }
    assert!(rotations > 20, "{rotations}");
    for client in clients {
        assert_eq!(
            program
                .get("/me", &client.into_inner().unwrap().access)
                .status,
            200
        );
    }
}

/// A kill during the first start leaves a folder from which the next one goes on.
#[test]
fn a_kill_amid_the_first_start_leaves_nothing_that_stops_the_next() {
    for delay in [5, 20, 40, 60, 80, 120, 200] {
        let place = Place::new();
        place.start_and_kill_after(Duration::from_millis(delay));
        let program = place.start();
        program.sign_in("ada@example.com");
        program.sign_in("grace@example.com");
        assert!(program.stop().success());
    }
}
