//! The throttle from inside: bounded memory, what counts as one client, what marks are.

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_767_225_600);

fn client(ip: &str) -> Client {
    let mut client = Client::unknown();
    client.ip = Some(ip.parse().unwrap());
    client
}

/// R124: memory stays bounded, however many identifiers are tried, and whoever fills it is still
/// counted.
#[test]
fn a_million_keys_use_no_more_memory_than_was_allowed() {
    let counter = LocalCounter::new(
        Limit {
            burst: 3,
            period: Duration::from_secs(900),
        },
        10_000,
        &Clock::manual(NOW),
    );
    let mut allowed = 0_u32;
    for number in 0..1_000_000_u32 {
        allowed += u32::from(counter.spend(&number.to_string()).is_none());
    }
    assert!(counter.len() <= 10_000 + 4096 + 256, "{}", counter.len());
    assert!(
        allowed <= 3 * (10_000 + 4096 + 256),
        "{allowed} were allowed"
    );
    assert!(
        (0..3 + 1).any(|_| counter.spend("one more").is_some()),
        "nobody goes uncounted"
    );
}

/// Budgets that are full again make room.
#[test]
fn what_is_full_again_is_forgotten() {
    let clock = Clock::manual(NOW);
    let counter = LocalCounter::new(
        Limit {
            burst: 1,
            period: Duration::from_secs(10),
        },
        1000,
        &clock,
    );
    for number in 0..5000_u32 {
        counter.spend(&number.to_string());
    }
    clock.advance(Duration::from_secs(21));
    for _ in 0..600 {
        counter.spend("always");
    }
    assert!(counter.len() <= 2, "{}", counter.len());
    assert!(counter.spend("a later one").is_none());
}

/// A budget waits as long as it says, to the millisecond.
#[test]
fn a_budget_is_allowed_again_after_what_it_answered() {
    let clock = Clock::manual(NOW);
    let counter = LocalCounter::new(
        Limit {
            burst: 4,
            period: Duration::from_secs(60),
        },
        1000,
        &clock,
    );
    assert_eq!(
        (0..10).filter(|_| counter.spend("ada").is_none()).count(),
        4
    );
    let wait = counter.spend("ada").unwrap();
    assert_eq!(wait, Duration::from_secs(15));
    clock.advance(wait - Duration::from_millis(1));
    assert!(counter.spend("ada").is_some());
    clock.advance(Duration::from_millis(1));
    assert!(counter.spend("ada").is_none());
    assert!(counter.spend("ada").is_some());
}

#[test]
fn an_ipv6_client_is_its_network_of_64_bits() {
    let name = |ip| address(&client(ip)).unwrap();
    assert_eq!(
        name("2001:db8:1:2:3::4"),
        name("2001:db8:1:2:ffff:ffff:ffff:ffff")
    );
    assert_ne!(name("2001:db8:1:2::1"), name("2001:db8:1:3::1"));
    assert_eq!(name("::ffff:192.0.2.1"), name("192.0.2.1"));
    assert_ne!(name("192.0.2.1"), name("192.0.2.2"));
    assert_eq!(address(&Client::unknown()), None);
}

#[test]
fn a_client_is_known_by_its_device_first_and_a_guessable_id_is_none() {
    let mut client = client("192.0.2.1");
    let by_address: Vec<_> = marks("ada@example.com", &client).collect();
    assert_eq!(by_address.len(), 1);
    client.device.id = Some("phone".to_owned());
    assert_eq!(
        marks("ada@example.com", &client).collect::<Vec<_>>(),
        by_address
    );
    client.device.id = Some("0d4cbe4a-68f0-4a52".to_owned());
    let both: Vec<_> = marks("ada@example.com", &client).collect();
    assert_eq!((both.len(), both[1]), (2, by_address[0]));
    assert_ne!(
        marks("grace@example.com", &client).collect::<Vec<_>>(),
        both
    );
}
