//! The orders of a refresh and of a sign-in: what changes under way is in no token that counts
//! afterwards.

use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate::prelude::*;
use tollgate_tests::{PASSWORD, Role};

use crate::wild::ensure;
use crate::world::{Rules, Stepper, Visit, World, client, on_both_stores, random};

/// A request that is on its way, and the access token that it brings.
enum Flight {
    Refresh(Stepper<Result<crate::world::Tokens, Refusal>>),
    Http(Stepper<(u16, Value)>),
}

impl Flight {
    fn begin(world: &World, visit: &Visit, what: u8, node: usize) -> Self {
        let login = json!({ "email": visit.email, "password": PASSWORD });
        match what {
            0 => Self::Refresh(world.refresh(node, &visit.tokens.refresh, client(""))),
            1 => Self::Http(world.post(node, "/auth/signin", None, login)),
            _ => Self::Http(world.post(
                node,
                "/auth/reauthenticate",
                Some(&visit.tokens.access),
                login,
            )),
        }
    }

    /// `Some` at the end, with the token if there is one.
    async fn step(&mut self) -> Option<Option<String>> {
        match self {
            Self::Refresh(refresh) => refresh
                .step()
                .await
                .map(|outcome| outcome.ok().map(|tokens| tokens.access)),
            Self::Http(request) => request
                .step()
                .await
                .map(|(_, body)| body["access_token"].as_str().map(ToOwned::to_owned)),
        }
    }
}

/// R86 and rotation.md section 3. Refreshes, sign-ins and second authentications go on in any order
/// around a change of roles.
#[test]
fn a_role_taken_away_is_in_no_living_token_whatever_the_order() {
    let flights = prop::collection::vec((0..3_u8, 0..2_usize), 1..4);
    let inputs = (
        flights,
        prop::collection::vec((0..5_usize, prop::bool::weighted(0.1)), 0..40),
    );
    random(
        250,
        &[Rules::AWARE, Rules::STRICT],
        &inputs,
        async |world, (flights, steps)| {
            let visit = world.arrive().await;
            // Past the second in which the sign-in's own subject could count as changed.
            world.wait(2_000);
            let mut flights: Vec<Option<Flight>> = flights
                .into_iter()
                .map(|(what, node)| Some(Flight::begin(world, &visit, what, node)))
                .collect();
            let mut tokens = vec![visit.tokens.access.clone()];
            let mut change: Option<Stepper<()>> = None;
            let mut is_changed = false;
            let all = 2 * (flights.len() + 1);
            // The schedule, and after it everything to its end.
            let rest = (0..16 * all).map(|at| (at % all, false));
            for (which, waits) in steps.into_iter().chain(rest) {
                if waits {
                    world.wait(700);
                }
                match flights.get_mut(which) {
                    Some(slot) => {
                        if let Some(flight) = slot
                            && let Some(token) = flight.step().await
                        {
                            *slot = None;
                            tokens.extend(token);
                        }
                    }
                    None if is_changed => {}
                    None => {
                        let change = change.get_or_insert_with(|| {
                            world.accounts.set_roles(&visit.email, vec![Role::Editor]);
                            let (gate, subject) = (
                                world.nodes[0].gate.clone(),
                                world.accounts.id_of(&visit.email),
                            );
                            Stepper::new(&world.probe, async move {
                                gate.revoke(Revoke::access_of(subject))
                                    .await
                                    .map(drop)
                                    .unwrap();
                            })
                        });
                        is_changed = change.step().await.is_some();
                    }
                }
            }
            ensure(is_changed && flights.iter().all(Option::is_none), || {
                "the schedule did not come to its end".into()
            })?;
            for token in &tokens {
                for node in [0, 1] {
                    let roles = world.roles(node, token).await;
                    ensure(roles.is_none() || roles == Some(json!(["editor"])), || {
                        format!("a living token says {roles:?}")
                    })?;
                }
            }
            Ok(())
        },
    );
}

/// R86, R92. A sign-in with the old password goes on in any order around changes of the password
/// that sign out everywhere.
#[test]
fn a_session_of_an_old_password_does_not_live_whatever_the_order() {
    let inputs = (
        1..3_usize,
        prop::collection::vec(any::<bool>(), 0..24),
        any::<bool>(),
    );
    random(
        300,
        &[Rules::AWARE],
        &inputs,
        async |world, (changes, steps, waits)| {
            world.probe.reset();
            let email = world.person();
            let subject = world.accounts.id_of(&email);
            world.wait(2_000);
            let mut sign_in = Some(world.post(
                0,
                "/auth/signin",
                None,
                json!({ "email": email, "password": PASSWORD }),
            ));
            let (mut answer, mut change, mut left) = (None, None::<Stepper<()>>, changes);
            for goes_on in steps.into_iter().chain((0..60).map(|at| at % 2 == 0)) {
                if goes_on {
                    if let Some(request) = &mut sign_in
                        && let Some(done) = request.step().await
                    {
                        (sign_in, answer) = (None, Some(done));
                    }
                } else if left > 0 {
                    let running = change.get_or_insert_with(|| {
                        // Only the last one changes the password: the ones before let the old one
                        // in again.
                        if left == 1 {
                            world.accounts.set_password(&email, "another one");
                        }
                        let gate = world.nodes[1].gate.clone();
                        Stepper::new(&world.probe, async move {
                            gate.revoke(Revoke::subject(subject))
                                .await
                                .map(drop)
                                .unwrap();
                        })
                    });
                    if running.step().await.is_some() {
                        (change, left) = (None, left - 1);
                    }
                }
                if waits {
                    world.wait(1_200);
                }
            }
            let Some((status, body)) = answer else {
                return ensure(false, || "the sign-in did not come to its end".into());
            };
            ensure(matches!(status, 200 | 401 | 503), || {
                format!("{status}: {body}")
            })?;
            ensure(status != 503 || changes > 1, || {
                "one change is no reason for a 503".into()
            })?;
            if status == 200 {
                for node in [0, 1] {
                    let admitted = world
                        .admits(node, body["access_token"].as_str().unwrap())
                        .await;
                    ensure(admitted.is_err(), || {
                        "an old password's access token counts".into()
                    })?;
                }
                let refreshed = world
                    .refreshed(body["refresh_token"].as_str().unwrap())
                    .await;
                ensure(refreshed == Err(Code::InvalidGrant), || {
                    "an old password's session lives".into()
                })?;
            }
            Ok(())
        },
    );
}

/// The second for clock errors: `changed_at ≥ started_at − 1 s` asks for another authentication,
/// not a millisecond more.
#[test]
fn a_change_within_the_second_before_a_sign_in_counts_as_during_it() {
    on_both_stores(Rules::AWARE, async |world| {
        for (after, opens) in [
            (0, false),
            (1, false),
            (999, false),
            (1_000, false),
            (1_001, true),
        ] {
            let email = world.person();
            world.wait(5_000);
            world
                .revoke(1, Revoke::access_of(world.accounts.id_of(&email)))
                .await;
            world.wait(after);
            let outcome = world.nodes[0]
                .gate
                .sign_in(world.accounts.user(&email), &client(""))
                .await;
            assert_eq!(outcome.is_ok(), opens, "{after} ms after the change");
            if let Err(refusal) = outcome {
                assert_eq!(refusal.code(), Code::Unavailable);
            }
        }
    });
}

/// A sign-in over HTTP in that second authenticates twice, and opens.
#[test]
fn a_sign_in_after_a_reload_expects_the_change_that_it_was_told_of() {
    on_both_stores(Rules::AWARE, async |world| {
        let login = |email: &str| json!({ "email": email, "password": PASSWORD });
        let email = world.person();
        let subject = world.accounts.id_of(&email);
        world.wait(5_000);
        world.revoke(1, Revoke::access_of(subject)).await;
        world.probe.reset();
        let (status, _) = world
            .post(0, "/auth/signin", None, login(&email))
            .finish()
            .await;
        assert_eq!(
            (status, world.probe.names(0)),
            (200, vec!["open_session", "open_session"])
        );

        // It moves again between the two openings: that is nobody's to decide.
        let mut sign_in = world.post(0, "/auth/signin", None, login(&email));
        while world.probe.names(0).len() < 3 {
            assert!(sign_in.step().await.is_none());
        }
        world.wait(60_000);
        world.revoke(1, Revoke::access_of(subject)).await;
        let (status, body) = sign_in.finish().await;
        assert_eq!((status, &body["code"]), (503, &json!("unavailable")));
        assert_eq!(
            world.probe.names(0)[2..],
            ["open_session", "revoke", "open_session"]
        );
    });
}
