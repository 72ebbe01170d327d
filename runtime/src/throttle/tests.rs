//! The throttle from inside: bounded memory, the clients that are counted as one, the marks.

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_767_225_600);

fn client(ip: &str) -> Client {
    let mut client = Client::unknown();
    client.ip = Some(ip.parse().unwrap());
    client
}

const MINUTE: Duration = Duration::from_secs(60);

fn counter(burst: u32, period: Duration, keys: u32) -> LocalCounter {
    LocalCounter::new(&[Limit { burst, period }], keys)
}

fn from(ip: [u8; 4]) -> Option<IpAddr> {
    Some(IpAddr::from(ip))
}

/// R124: memory stays bounded, however many identifiers are tried from however many networks, and
/// every attempt is counted.
#[test]
fn a_million_keys_use_no_more_memory_than_was_allowed() {
    let counter = counter(1, 15 * MINUTE, 1000);
    let mut allowed = 0_u32;
    for number in 0..1_000_000_u32 {
        // Each from a network of its own.
        let asker = Some(IpAddr::from((number << 8).to_be_bytes()));
        allowed += u32::from(
            counter
                .spend(&number.to_string(), asker, NOW)
                .wait
                .is_none(),
        );
    }
    let most = 2 * 1000 + 4096;
    assert!(counter.len() <= most, "{}", counter.len());
    assert!(allowed as usize <= most, "{allowed} were allowed");
}

/// Budgets that are full again make room.
#[test]
fn what_is_full_again_is_forgotten() {
    let counter = counter(1, 10 * MINUTE, 100);
    for number in 0..500_u32 {
        counter.spend(&number.to_string(), None, NOW);
    }
    let later = NOW.plus(10 * MINUTE);
    let one = counter.spend("a later one", None, later);
    assert_eq!((one.wait, one.room), (None, Room::Own));
    assert_eq!(
        counter.len(),
        1 + 1,
        "its own budget, and that of the unknown network"
    );
}

/// A budget waits as long as it says, to the millisecond.
#[test]
fn a_budget_is_allowed_again_after_what_it_answered() {
    let counter = counter(4, MINUTE, 1000);
    let spend = |now| counter.spend("ada", None, now).wait;
    assert_eq!((0..10).filter(|_| spend(NOW).is_none()).count(), 4);
    let wait = spend(NOW).unwrap();
    assert_eq!(wait, Duration::from_secs(15));
    assert!(spend(NOW.plus(wait - Duration::from_millis(1))).is_some());
    assert!(spend(NOW.plus(wait)).is_none());
    assert!(spend(NOW.plus(wait)).is_some());
}

/// Two limits are spent from together or not at all, as a store does it.
#[test]
fn what_the_long_run_refuses_costs_nothing_in_the_short_run() {
    let limit = |burst, minutes| Limit {
        burst,
        period: minutes * MINUTE,
    };
    let counter = LocalCounter::new(&[limit(4, 4), limit(6, 600)], 1000);
    let spend = |minutes| counter.spend("ada", None, NOW.plus(minutes * MINUTE)).wait;
    assert_eq!((0..10).filter(|_| spend(0).is_none()).count(), 4);
    assert_eq!((0..10).filter(|_| spend(4).is_none()).count(), 2);
    assert_eq!((0..10).filter(|_| spend(8).is_none()).count(), 0);
    // A hundred minutes after the first attempt the long run has room for one more, and the short
    // run is full, because it was not charged meanwhile.
    assert_eq!(spend(99), Some(MINUTE));
    assert_eq!((0..10).filter(|_| spend(100).is_none()).count(), 1);
}

/// If there is no room, the budget that is nearest to full is replaced, and never one that is used
/// up.
#[test]
fn the_budget_that_is_nearest_to_full_makes_room() {
    let counter = counter(3, 30 * MINUTE, 3);
    let spend = |key: &str| counter.spend(key, None, NOW);
    for key in ["used up", "used up", "used up", "twice", "once", "twice"] {
        let count = spend(key);
        assert_eq!((count.wait, count.room), (None, Room::Own));
    }
    // It replaces the one that was used once, and is then used twice itself.
    assert_eq!(
        [spend("new").room, spend("new").room],
        [Room::Taken, Room::Own]
    );
    assert_eq!(spend("twice").wait, None, "it had one left");
    assert!(
        spend("twice").wait.is_some(),
        "it has none left, for it was kept"
    );
    // Of the remaining ones only the new one is not used up.
    assert_eq!(spend("another").room, Room::Taken);
    assert!(spend("used up").wait.is_some());
    assert!(spend("twice").wait.is_some());
    assert_eq!(counter.len(), 3);
}

/// If only used-up budgets are left, they stay used up until they refill, and new keys share one
/// budget for each network.
#[test]
fn when_all_are_used_up_new_keys_share_a_budget_for_each_network() {
    let counter = counter(2, 20 * MINUTE, 10);
    for name in 0..10 {
        for _ in 0..2 {
            let count = counter.spend(&format!("made up {name}"), from([192, 0, 2, 1]), NOW);
            assert_eq!((count.wait, count.room), (None, Room::Own));
        }
    }
    let ask = |key: &str, ip: &str, now| counter.spend(key, Some(ip.parse().unwrap()), now);
    let networks = [
        ("198.51.100.1", "198.51.100.254"),
        ("198.51.101.1", "::ffff:198.51.101.254"),
        ("2001:db8:0:1100::1", "2001:db8:0:11ff::1"),
        ("2001:db8:0:1200::1", "2001:db8:0:12ff::1"),
    ];
    for (one, other) in networks {
        let counts = [
            ask("ada", one, NOW),
            ask("grace", other, NOW),
            ask("eve", one, NOW),
        ];
        assert!(counts.iter().all(|count| count.room == Room::Shared));
        let waits = counts.map(|count| count.wait);
        assert_eq!(waits, [None, None, Some(10 * MINUTE)], "{one}");
    }
    for name in 0..10 {
        let count = ask(&format!("made up {name}"), "203.0.113.1", NOW);
        assert_eq!(count.wait, Some(10 * MINUTE), "it was given back");
    }
    // Once one of them could be used again, it is nearest to full and is replaced.
    let later = NOW.plus(10 * MINUTE);
    let count = ask("ada", "203.0.113.1", later);
    assert_eq!((count.wait, count.room), (None, Room::Taken));
}

/// An operator is told when it begins, when it gets worse, and once an hour.
#[test]
fn a_counter_without_room_is_an_alarm_once_an_hour() {
    let counter = counter(2, 600 * MINUTE, 1);
    let is_alarm = |key, minute| counter.spend(key, None, NOW.plus(minute * MINUTE)).is_alarm;
    assert!(!is_alarm("ada", 0), "there is room");
    assert!(is_alarm("grace", 1), "another budget made room");
    assert!(!is_alarm("eve", 2));
    assert!(!is_alarm("eve", 3));
    assert!(is_alarm("ada", 4), "the one left is used up");
    assert!(!is_alarm("ada", 63));
    assert!(is_alarm("ada", 64));
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
fn a_device_is_known_to_one_account_alone() {
    let ada = Account::Identifier("ada@example.com");
    let mark = ada.mark([1; 32]);
    assert_eq!(ada.mark([1; 32]), mark);
    assert_ne!(ada.mark([2; 32]), mark);
    let others = [
        Account::Identifier("grace@example.com"),
        Account::Subject("ada@example.com"),
    ];
    assert!(others.iter().all(|other| other.mark([1; 32]) != mark));
}
