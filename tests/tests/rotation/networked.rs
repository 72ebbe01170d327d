//! P1 to P10 on PostgreSQL and Redis: the same schedules, the same crashes at every point, fewer of
//! them.

use tollgate_tests::support::{postgres, redis};

use crate::world::{Kind, on};
use crate::{crash, dump, honest, oracle, properties, race, thief};

/// P1 to P8 and P10, by random schedules.
const SCHEDULED: [fn(); 10] = [
    properties::p1_at_most_one_live_leaf,
    properties::p2_the_generation_never_falls,
    properties::p3_revoked_is_absorbing,
    properties::p4_the_absolute_expiry_is_constant,
    properties::p5_rotations_are_no_more_than_the_window_lets_through,
    honest::p6_no_schedule_of_honest_clients_revokes,
    thief::p7_a_copy_is_dead_or_the_session_is_after_two_rotations_of_the_owner,
    thief::p7_whoever_comes_second_ends_the_session,
    properties::p8_every_answer_carries_the_current_token_or_the_successor_of_the_presented_one,
    properties::p10_a_remint_happens_only_within_the_window_for_lost_answers,
];

/// The tests of thieves: with a dump, and with forgeries.
const STOLEN: [fn(); 3] = [
    oracle::nothing_of_a_row_can_be_presented,
    dump::r79_nothing_of_a_dump_gets_in,
    dump::r78_forgeries_end_no_session,
];

/// Two who read the same row.
const RACED: [fn(); 4] = [
    race::of_two_that_read_the_same_row_one_rotates,
    race::of_two_that_ask_for_a_lost_answer_one_makes_it_again,
    race::a_successor_that_is_seen_meanwhile_is_not_made_again,
    race::a_session_that_ends_meanwhile_gets_no_answer,
];

/// P9 and the 503s, by a crash at every point and a failure of every operation.
const CRASHED: [fn(); 4] = [
    crash::p9_a_crash_leaves_what_a_prefix_of_whole_operations_leaves,
    crash::p9_after_a_crash_the_old_token_still_refreshes,
    crash::a_503_changes_nothing_and_loses_no_token,
    crash::a_backend_that_is_down_changes_nothing_and_loses_no_token,
];

/// R65, R66, R67, R68, R72, R73.
#[test]
fn p1_to_p10_hold_on_postgresql() {
    if postgres::Server::shared().is_some() {
        on(&[Kind::Postgres], &RACED);
        on(&[Kind::Postgres], &SCHEDULED);
    }
}

/// R65, R66, R67, R68, R72, R73.
#[test]
fn p1_to_p10_hold_on_redis() {
    if redis::shared().is_some() {
        on(&[Kind::Redis], &RACED);
        on(&[Kind::Redis], &SCHEDULED);
    }
}

/// R67, R76, R81.
#[test]
fn p9_holds_on_postgresql() {
    if postgres::Server::shared().is_some() {
        on(&[Kind::Postgres], &CRASHED);
    }
}

/// R67, R76, R81.
#[test]
fn p9_holds_on_redis() {
    if redis::shared().is_some() {
        on(&[Kind::Redis], &CRASHED);
    }
}

/// R77, R78, R79.
#[test]
fn nothing_of_a_dump_of_postgresql_gets_in_and_no_forgery_ends_a_session() {
    if postgres::Server::shared().is_some() {
        on(&[Kind::Postgres], &STOLEN);
    }
}

/// R77, R78, R79.
#[test]
fn nothing_of_a_dump_of_redis_gets_in_and_no_forgery_ends_a_session() {
    if redis::shared().is_some() {
        on(&[Kind::Redis], &STOLEN);
    }
}
