//! Nodes against each other on one database, for which stores of their own stand: nothing is shared
//! but the database.
//!
//! Where the order matters it is made, by a lock that the test itself holds; nothing is left to
//! luck.

use std::time::Duration;

use tollgate::store::{
    DeviceLimit, Fact, Limit, OnLimit, Opened, PostgresStore, Revoked, Rotated, SessionStore as _,
    Spent, StoredTokenKind, Target, TokenRecord,
};
use tollgate_tests::support::postgres::Server;

use crate::postgres::{execute, opened, until_waiting};
use crate::record::{NOW, advance, new, revocation, sid};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_rotations_on_two_nodes_exactly_one_is_done() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let nodes = [opened(&database.url).await, opened(&database.url).await];
    nodes[0].open_session(new(1, "ada"), NOW).await.unwrap();
    for generation in 0..16 {
        let tasks: Vec<_> = (0..64)
            .map(|number| {
                let node = nodes[number % 2].clone();
                tokio::spawn(async move { node.rotate(advance(1, generation), NOW).await.unwrap() })
            })
            .collect();
        let mut done = 0;
        for task in tasks {
            done += u32::from(task.await.unwrap() == Rotated::Done);
        }
        assert_eq!(done, 1);
    }
    assert_eq!(
        nodes[1]
            .session(sid(1), NOW)
            .await
            .unwrap()
            .unwrap()
            .generation,
        16
    );
}

/// The two rotations meet at the row: both have begun when the first may write, and the second
/// looks again at what it finds then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_that_waited_looks_at_its_conditions_again() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let (one, two) = (opened(&database.url).await, opened(&database.url).await);
    one.open_session(new(1, "ada"), NOW).await.unwrap();
    let mut other = database.connect().await;
    execute(&mut other, "BEGIN; SELECT FROM tg_session FOR UPDATE").await;
    let rotations = [one.clone(), two]
        .map(|node| tokio::spawn(async move { node.rotate(advance(1, 0), NOW).await.unwrap() }));
    until_waiting(&mut other, 2).await;
    execute(&mut other, "COMMIT").await;
    let mut done = 0;
    for rotation in rotations {
        done += u32::from(rotation.await.unwrap() == Rotated::Done);
    }
    assert_eq!(
        (
            done,
            one.session(sid(1), NOW).await.unwrap().unwrap().generation
        ),
        (1, 1)
    );
}

/// R99, by a hundred sign-ins on two nodes, for both policies.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sign_ins_on_two_nodes_keep_the_device_limit() {
    let Some(server) = Server::shared() else {
        return;
    };
    for on_limit in [OnLimit::Deny, OnLimit::EvictOldest] {
        let database = server.database().await;
        let nodes = [opened(&database.url).await, opened(&database.url).await];
        let tasks: Vec<_> = (0..100_u32)
            .map(|number| {
                let node = nodes[number as usize % 2].clone();
                let mut opening = new(number, "ada");
                opening.limit = Some(DeviceLimit { max: 5, on_limit });
                tokio::spawn(async move { node.open_session(opening, NOW).await.unwrap() })
            })
            .collect();
        let mut open = 0;
        for task in tasks {
            open += u32::from(matches!(task.await.unwrap(), Opened::Open { .. }));
        }
        assert_eq!(open, if on_limit == OnLimit::Deny { 5 } else { 100 });
        assert_eq!(
            nodes[0]
                .sessions_of("ada".to_owned(), tollgate::store::SessionPage::ALL, NOW)
                .await
                .unwrap()
                .len(),
            5
        );
    }
}

/// Both have to see the session of the other, and each begins before the other has one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_that_waited_counts_the_session_it_waited_for() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let (one, two) = (opened(&database.url).await, opened(&database.url).await);
    one.open_session(new(9, "ada"), NOW).await.unwrap();
    let mut other = database.connect().await;
    execute(&mut other, "BEGIN; SELECT FROM tg_subject FOR UPDATE").await;
    let sign_ins = [(1, one.clone()), (2, two)].map(|(number, node)| {
        let mut opening = new(number, "ada");
        opening.limit = Some(DeviceLimit {
            max: 2,
            on_limit: OnLimit::Deny,
        });
        tokio::spawn(async move { node.open_session(opening, NOW).await.unwrap() })
    });
    until_waiting(&mut other, 2).await;
    execute(&mut other, "COMMIT").await;
    let mut refused = 0;
    for sign_in in sign_ins {
        refused += u32::from(sign_in.await.unwrap() == Opened::LimitReached);
    }
    assert_eq!(
        (
            refused,
            one.sessions_of("ada".to_owned(), tollgate::store::SessionPage::ALL, NOW)
                .await
                .unwrap()
                .len()
        ),
        (1, 2)
    );
}

/// A session that is being opened while another node signs its subject, its client or everybody
/// out: it has been written and not committed when the revocation begins, and its epoch is the old
/// one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_that_is_being_opened_slips_past_the_end_of_all() {
    let Some(server) = Server::shared() else {
        return;
    };
    for target in [
        Target::Everything,
        Target::Client("first-party".to_owned()),
        Target::Subject("ada".to_owned()),
        Target::RefreshOf("ada".to_owned()),
        Target::Others {
            subject: "ada".to_owned(),
            keep: sid(9),
        },
    ] {
        let database = server.database().await;
        let (one, two) = (opened(&database.url).await, opened(&database.url).await);
        let mut other = database.connect().await;
        // The registry's row of the new session has to wait for this one, whose writer takes it
        // back in the end.
        execute(
            &mut other,
            "BEGIN; INSERT INTO tg_token(jti, kind, subject, issued_at, expires_at)
             VALUES ('\\x00000000000000000000000000000001', 'access', 'eve', 0, 0)",
        )
        .await;
        let mut opening = new(1, "ada");
        opening.tokens.push(token(1));
        let sign_in = tokio::spawn(async move { one.open_session(opening, NOW).await.unwrap() });
        until_waiting(&mut other, 1).await;
        let node = two.clone();
        let revoking =
            tokio::spawn(async move { node.revoke(revocation(target), NOW).await.unwrap() });
        let _ =
            tokio::time::timeout(Duration::from_millis(300), until_waiting(&mut other, 2)).await;
        execute(&mut other, "ROLLBACK").await;

        assert_eq!(
            sign_in.await.unwrap(),
            Opened::Open {
                epoch: 0,
                evicted: Vec::new(),
                replaced: Vec::new()
            }
        );
        assert_eq!(revoking.await.unwrap().sessions, 1);
        assert!(
            two.session(sid(1), NOW)
                .await
                .unwrap()
                .unwrap()
                .revoked
                .is_some(),
            "the session slipped past"
        );
    }
}

/// A subject's bump that has read the epochs of the clients and not written its own yet, and a
/// client's bump that comes meanwhile: the later one must end above the earlier, or tokens with the
/// epoch of the one outlive the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bumps_of_a_subject_and_of_a_client_are_above_each_other() {
    let Some(server) = Server::shared() else {
        return;
    };
    for target in [Target::Client("first-party".to_owned()), Target::Everything] {
        let database = server.database().await;
        let (one, two) = (opened(&database.url).await, opened(&database.url).await);
        one.open_session(new(1, "ada"), NOW).await.unwrap();
        let mut other = database.connect().await;
        execute(&mut other, "BEGIN; SELECT FROM tg_subject FOR UPDATE").await;
        let subject = spawn_revoke(&one, Target::AccessOf("ada".to_owned()));
        until_waiting(&mut other, 1).await;
        let all = spawn_revoke(&two, target);
        let _ =
            tokio::time::timeout(Duration::from_millis(300), until_waiting(&mut other, 2)).await;
        execute(&mut other, "COMMIT").await;
        let epochs =
            [subject.await.unwrap(), all.await.unwrap()].map(|done| match done.entries[0].fact {
                Fact::Subject(_, epoch) | Fact::Client(_, epoch) | Fact::Everything(epoch) => epoch,
                ref other => panic!("{other:?}"),
            });
        assert_ne!(epochs[0], epochs[1]);
        assert_eq!(
            two.subject("ada".to_owned(), "first-party".to_owned())
                .await
                .unwrap()
                .epoch,
            epochs[0].max(epochs[1])
        );
    }
}

/// The other way round: the client's bump is under way when the subject's begins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bump_of_a_subject_waits_for_that_of_a_client() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let (one, two) = (opened(&database.url).await, opened(&database.url).await);
    one.open_session(new(1, "ada"), NOW).await.unwrap();
    let mut other = database.connect().await;
    // The client's bump has written its epoch, and waits for a session.
    execute(&mut other, "BEGIN; SELECT FROM tg_session FOR UPDATE").await;
    let client = spawn_revoke(&one, Target::Client("first-party".to_owned()));
    until_waiting(&mut other, 1).await;
    let subject = spawn_revoke(&two, Target::AccessOf("ada".to_owned()));
    let _ = tokio::time::timeout(Duration::from_millis(300), until_waiting(&mut other, 2)).await;
    execute(&mut other, "COMMIT").await;
    assert_eq!(
        client.await.unwrap().entries[0].fact,
        Fact::Client("first-party".to_owned(), 1)
    );
    assert_eq!(
        subject.await.unwrap().entries[0].fact,
        Fact::Subject("ada".to_owned(), 2)
    );
}

/// Ten thousand bumps on four nodes would be slow; two hundred find an order that is wrong soon
/// enough.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_bump_on_any_node_is_above_the_epochs_before_it() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let nodes = [opened(&database.url).await, opened(&database.url).await];
    let tasks: Vec<_> = (0..200_usize)
        .map(|number| {
            let node = nodes[number % 2].clone();
            tokio::spawn(async move {
                let subject = || "ada".to_owned();
                let target = match number % 5 {
                    0 => Target::Client("first-party".to_owned()),
                    1 => Target::Everything,
                    _ => Target::AccessOf(subject()),
                };
                let before = node
                    .subject(subject(), "first-party".to_owned())
                    .await
                    .unwrap()
                    .epoch;
                let done = node.revoke(revocation(target), NOW).await.unwrap();
                let after = node
                    .subject(subject(), "first-party".to_owned())
                    .await
                    .unwrap()
                    .epoch;
                let epoch = match done.entries[0].fact {
                    Fact::Subject(_, epoch) | Fact::Client(_, epoch) | Fact::Everything(epoch) => {
                        epoch
                    }
                    ref other => panic!("{other:?}"),
                };
                assert!(before < epoch && epoch <= after, "{before} {epoch} {after}");
                epoch
            })
        })
        .collect();
    let mut epochs = std::collections::HashSet::new();
    for task in tasks {
        assert!(
            epochs.insert(task.await.unwrap()),
            "two bumps made the same epoch"
        );
    }
}

/// Two that lock the same sessions in opposite orders would wait for each other in a circle. So all
/// go by the id, whatever order the sessions were opened in and are named in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_locked_in_the_order_of_their_ids() {
    let Some(server) = Server::shared() else {
        return;
    };
    let both = || vec![(sid(2), 0), (sid(1), 0)];
    let targets = [
        Target::RefreshOf("ada".to_owned()),
        Target::Subject("ada".to_owned()),
        Target::Others {
            subject: "ada".to_owned(),
            keep: sid(9),
        },
        Target::Client("first-party".to_owned()),
        Target::Everything,
        Target::Tree(token(7).jti),
    ];
    for target in targets.map(Some).into_iter().chain([None]) {
        let database = server.database().await;
        let store = opened(&database.url).await;
        for number in [2, 1] {
            store.open_session(new(number, "ada"), NOW).await.unwrap();
        }
        let of_the_tree = |number| TokenRecord {
            parent: Some(token(7).jti),
            sid: Some(sid(number)),
            ..token(u128::from(number))
        };
        store
            .record_tokens(vec![of_the_tree(2), of_the_tree(1)], NOW)
            .await
            .unwrap();
        let (mut other, mut third) = (database.connect().await, database.connect().await);
        let first = "BEGIN; SELECT FROM tg_session WHERE sid = \
                     '\\x00000001000000000000000000000000' FOR UPDATE";
        execute(&mut other, first).await;
        let named = format!("{target:?}");
        let taking = tokio::spawn(async move {
            match target {
                Some(target) => store.revoke(revocation(target), NOW).await.map(drop),
                None => store.confirm(both(), NOW).await.map(drop),
            }
        });
        until_waiting(&mut other, 1).await;
        let second = "SELECT FROM tg_session WHERE sid = '\\x00000002000000000000000000000000' \
                      FOR UPDATE NOWAIT";
        let free = sqlx::raw_sql(second).execute(&mut third).await;
        assert!(
            free.is_ok(),
            "{named} waits for the first session and has the second"
        );
        execute(&mut other, "COMMIT").await;
        taking.await.unwrap().unwrap();
    }
}

/// Both have read what is left when the first may write: without a lock on the key, both would
/// spend the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_is_read_by_one_at_a_time() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let nodes = [opened(&database.url).await, opened(&database.url).await];
    let mut other = database.connect().await;
    // Reading goes on, writing waits.
    execute(&mut other, "BEGIN; LOCK TABLE tg_spend IN SHARE MODE").await;
    let spending = nodes.map(|node| {
        let limit = Limit {
            burst: 1,
            period: Duration::from_secs(60),
        };
        tokio::spawn(async move {
            node.spend("ada".to_owned(), 1, vec![limit], NOW)
                .await
                .unwrap()
        })
    });
    until_waiting(&mut other, 2).await;
    execute(&mut other, "COMMIT").await;
    let mut allowed = 0;
    for spending in spending {
        allowed += u32::from(spending.await.unwrap() == Spent::Allowed);
    }
    assert_eq!(allowed, 1);
}

fn spawn_revoke(node: &PostgresStore, target: Target) -> tokio::task::JoinHandle<Revoked> {
    let node = node.clone();
    tokio::spawn(async move { node.revoke(revocation(target), NOW).await.unwrap() })
}

fn token(number: u128) -> TokenRecord {
    TokenRecord {
        jti: tollgate::id::TokenId::from_bytes(number.to_be_bytes()),
        kind: StoredTokenKind::Access,
        sid: Some(sid(1)),
        generation: Some(0),
        parent: None,
        subject: "ada".to_owned(),
        device_id: None,
        issued_at: NOW,
        expires_at: NOW.plus(Duration::from_secs(600)),
        revoked_at: None,
    }
}

/// R100: what was added to a tree before it ended ends with it, also where it is committed only
/// then, and whether or not what is above it is registered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tree_ends_with_what_is_just_being_added_to_it() {
    let Some(server) = Server::shared() else {
        return;
    };
    for is_registered in [false, true] {
        let database = server.database().await;
        let (one, two) = (opened(&database.url).await, opened(&database.url).await);
        let (mut other, mut watching) = (database.connect().await, database.connect().await);
        let root = free_token(1, None);
        if is_registered {
            one.record_tokens(vec![root.clone()], NOW).await.unwrap();
        }
        // The second of two tokens waits for somebody else's of its name, so both are written and
        // not committed.
        execute(
            &mut other,
            r"BEGIN; INSERT INTO tg_token(jti, kind, subject, issued_at, expires_at)
              VALUES ('\x00000000000000000000000000000003', 'access', 'eve', 1, 9000000000000)",
        )
        .await;
        let below = vec![free_token(2, Some(root.jti)), free_token(3, Some(root.jti))];
        let adding = tokio::spawn(async move { two.record_tokens(below, NOW).await.unwrap() });
        until_waiting(&mut watching, 1).await;
        let revoking = spawn_revoke(&one, Target::Tree(root.jti));
        until_waiting(&mut watching, 2).await;
        execute(&mut other, "ROLLBACK").await;
        assert_eq!(adding.await.unwrap(), 2);
        let revoked = revoking.await.unwrap();
        let marked = 2 + u64::from(is_registered);
        assert_eq!((revoked.tokens, revoked.entries.len()), (marked, 3));
    }
}

/// A tree that ends waits for nobody who adds other tokens, and nobody waits for it who does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tree_that_ends_stops_no_other_tokens() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let (one, two) = (opened(&database.url).await, opened(&database.url).await);
    let (mut other, mut watching) = (database.connect().await, database.connect().await);
    one.open_session(new(1, "ada"), NOW).await.unwrap();
    let (root, elsewhere) = (token(1), free_token(9, None));
    let rows = vec![root.clone(), elsewhere.clone()];
    one.record_tokens(rows, NOW).await.unwrap();
    // Somebody is slow with a token of another tree, and somebody else with the tree's session.
    let slow = r"BEGIN; INSERT INTO tg_token(jti, kind, parent, subject, issued_at, expires_at)
        VALUES ('\x00000000000000000000000000000008', 'access', '\x00000000000000000000000000000009', 'eve', 1, 9000000000000);
        SELECT FROM tg_session FOR UPDATE";
    execute(&mut other, slow).await;
    let revoking = spawn_revoke(&one, Target::Tree(root.jti));
    until_waiting(&mut watching, 1).await;
    let mut opening = new(2, "grace");
    opening.tokens = vec![free_token(5, None)];
    two.open_session(opening, NOW).await.unwrap();
    let below = vec![free_token(6, Some(elsewhere.jti)), free_token(7, None)];
    assert_eq!(two.record_tokens(below, NOW).await.unwrap(), 2);
    assert!(!revoking.is_finished());
    execute(&mut other, "COMMIT").await;
    let revoked = revoking.await.unwrap();
    assert_eq!((revoked.sessions, revoked.tokens), (1, 1));
}

/// A token that belongs to no session.
fn free_token(number: u128, parent: Option<tollgate::id::TokenId>) -> TokenRecord {
    TokenRecord {
        sid: None,
        generation: None,
        parent,
        ..token(number)
    }
}

/// R100: and what is added to it a moment too late does not count.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_registered_below_a_tree_that_ends_meanwhile_ends_too() {
    use tollgate_tests::{Accounts, App};

    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let app = App::on(
        opened(&database.url).await,
        tollgate::settings::Settings::default(),
    )
    .await;
    let user = |accounts: &Accounts| accounts.user("ada@example.com");
    let issue = async || {
        app.gate
            .issue(&user(&app.accounts), std::time::Duration::from_secs(300))
            .await
            .unwrap()
    };
    let (above, below) = (issue().await, issue().await);
    let parent = app.gate.register(&above, None).await.unwrap().jti;

    let (mut ending, mut watching) = (database.connect().await, database.connect().await);
    execute(
        &mut ending,
        "BEGIN; SELECT FROM tg_token FOR UPDATE; UPDATE tg_token SET revoked_at = 1",
    )
    .await;
    let registering = {
        let (gate, below) = (app.gate.clone(), below.clone());
        tokio::spawn(async move { gate.register(&below, Some(parent)).await })
    };
    until_waiting(&mut watching, 1).await;
    execute(&mut ending, "COMMIT").await;
    registering.await.unwrap().unwrap_err();
    app.get("/me", &below)
        .await
        .assert_problem(401, "invalid_token");
}
