//! The throttle over weeks of simulated attacks: the number of guesses of an attacker, and the
//! users who are locked out. Each test prints its table.

use super::*;
use crate::event::Events;
use crate::store::MemoryStore;

const NOW: Timestamp = Timestamp::from_secs(1_767_225_600);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const OWN_DEVICE: &str = "0b3f7a52-6f0e-4a43-9a44-54a3bba5ed0d";
const ADA: &str = "ada@example.com";

/// Returns a throttle with the default settings, except for a change.
async fn throttle(counted: Counted, change: impl FnOnce(&mut ThrottleSettings)) -> Throttle {
    let mut settings = ThrottleSettings {
        counted,
        ..ThrottleSettings::default()
    };
    change(&mut settings);
    let store = Store::from(MemoryStore::new());
    let (clock, events) = (Clock::manual(NOW), Events::new().start());
    let throttle = Throttle::new(&settings, &store, &clock, &events).await;
    throttle.unwrap()
}

/// Returns the client of an address, on a device if one is given.
fn client(number: u32, device: Option<&str>) -> Client {
    let mut client = Client::unknown();
    client.ip = Some(IpAddr::from((0x0a00_0000 + number).to_be_bytes()));
    client.device.id = device.map(str::to_owned);
    client
}

/// Counts the guesses of a password that are allowed within 30 days, one every 46 seconds, each
/// from the client that `from` returns.
#[cfg(feature = "rate-limit")]
async fn guesses(throttle: &Throttle, from: impl Fn(u32) -> Client) -> u32 {
    let mut allowed = 0;
    for number in 0..56_347_u32 {
        let now = NOW.plus(Duration::from_secs(46) * number);
        let counted = throttle.sign_in(Some(ADA), &from(number), now).await;
        allowed += u32::from(counted.is_ok());
    }
    allowed
}

/// R124: an attacker at the owner's address, or at a hundred thousand addresses, can guess a
/// hundred times and then about three times a day, and so can one who has the owner's device id.
#[cfg(feature = "rate-limit")]
#[tokio::test]
async fn r124_thirty_days_of_guessing_are_two_hundred_guesses_from_wherever_they_come() {
    println!("30 days, a guess every 46 s        | local | store");
    for (whose, most) in [
        ("the owner's address", 200),
        ("100 000 addresses", 200),
        ("a known device", 400),
    ] {
        let mut found = Vec::new();
        for counted in [Counted::Local, Counted::Store] {
            let throttle = throttle(counted, |_| {}).await;
            let owner = client(1, Some(OWN_DEVICE));
            throttle
                .signed_in(Account::Identifier(ADA), &owner, NOW)
                .await;
            let from = |number: u32| match whose {
                "the owner's address" => client(1, None),
                "100 000 addresses" => client(number % 100_000, None),
                _ => client(number % 100_000, Some(OWN_DEVICE)),
            };
            let allowed = guesses(&throttle, from).await;
            assert!((most - 10..=most).contains(&allowed), "{whose}: {allowed}");
            found.push(allowed);
        }
        println!("{whose:<34} | {:>5} | {:>5}", found[0], found[1]);
        assert_eq!(
            found[0], found[1],
            "nodes and stores count by the same rules"
        );
    }
}

/// R124: while strangers try passwords from many addresses, the known device signs in every day,
/// from changing addresses, also long after it first did; a new device has to wait, as they do.
#[cfg(feature = "rate-limit")]
#[tokio::test]
async fn r124_strangers_delay_a_new_device_and_not_the_known_one() {
    for counted in [Counted::Local, Counted::Store] {
        let throttle = throttle(counted, |_| {}).await;
        let account = Account::Identifier(ADA);
        let (mut known, mut new) = (0, 0);
        throttle
            .signed_in(account, &client(1, Some(OWN_DEVICE)), NOW)
            .await;
        for hour in 0..120 * 24_u32 {
            let now = NOW.plus(60 * MINUTE * hour);
            for guess in 0..25 {
                let stranger = client(1000 + hour * 25 + guess, None);
                _ = throttle.sign_in(Some(ADA), &stranger, now).await;
            }
            if hour % 24 == 12 {
                let owner = client(hour, Some(OWN_DEVICE));
                if throttle.sign_in(Some(ADA), &owner, now).await.is_ok() {
                    throttle.signed_in(account, &owner, now).await;
                    known += 1;
                }
                let elsewhere = client(hour, Some("a new device, never seen before"));
                new += u32::from(throttle.sign_in(Some(ADA), &elsewhere, now).await.is_ok());
            }
        }
        println!("{counted:?}: in 120 days the known device got in {known} times, a new one {new}");
        assert_eq!(known, 120);
        assert!(new < 20, "{new}");
    }
}

/// R124: a known device uses up its own budget, and no other device's. A change of the credentials
/// begins a fresh budget for its steps, too.
#[cfg(feature = "rate-limit")]
#[tokio::test]
async fn r124_a_known_device_uses_up_nothing_of_another() {
    for counted in [Counted::Local, Counted::Store] {
        let throttle = throttle(counted, |_| {}).await;
        let account = Account::Identifier(ADA);
        let [one, other] =
            [OWN_DEVICE, "another device of the owner"].map(|device| client(1, Some(device)));
        for device in [&one, &other] {
            throttle.signed_in(account, device, NOW).await;
        }
        for _ in 0..50 {
            _ = throttle.sign_in(Some(ADA), &one, NOW).await;
        }
        assert!(throttle.sign_in(Some(ADA), &one, NOW).await.is_err());
        assert!(throttle.sign_in(Some(ADA), &other, NOW).await.is_ok());
        for _ in 0..50 {
            answer(&throttle, 0, &one, NOW).await;
            answer(&throttle, 1, &client(2, None), NOW).await;
        }
        assert!(!answer(&throttle, 0, &one, NOW).await);
        assert!(answer(&throttle, 0, &other, NOW).await);
        assert!(!answer(&throttle, 1, &client(2, None), NOW).await);
        assert!(answer(&throttle, 1, &one, NOW).await);
    }
}

/// Counts an answer to a step of Ada's.
async fn answer(throttle: &Throttle, mark: u64, client: &Client, now: Timestamp) -> bool {
    let attempt = StepAttempt {
        subject: "1",
        mark,
        account: Account::Identifier(ADA),
    };
    throttle.step(&attempt, client, now).await.is_ok()
}

/// R124: a stranger who knows the password and tries codes for 30 days gets two hundred of them.
/// The owner's known device can answer at any time, a new one after the password was changed.
#[tokio::test]
async fn r124_a_stranger_who_knows_the_password_does_not_lock_the_owner_out_of_the_second_factor() {
    println!("codes in 30 days         | local | store");
    let mut found = Vec::new();
    for counted in [Counted::Local, Counted::Store] {
        let throttle = throttle(counted, |_| {}).await;
        let account = Account::Identifier(ADA);
        let owner = |number| client(number, Some(OWN_DEVICE));
        throttle.signed_in(account, &owner(1), NOW).await;
        let (mut stranger, mut known, mut new) = (0, 0, 0);
        for minute in 0..30 * 24 * 60_u32 {
            let now = NOW.plus(MINUTE * minute);
            stranger += u32::from(answer(&throttle, 0, &client(minute, None), now).await);
            if minute % (24 * 60) == 720 {
                known += u32::from(answer(&throttle, 0, &owner(minute), now).await);
                let elsewhere = client(minute, Some("a new device, never seen before"));
                new += u32::from(answer(&throttle, 0, &elsewhere, now).await);
            }
        }
        assert!((190..=200).contains(&stranger), "{stranger}");
        assert_eq!(known, 30);
        assert!(new < 5, "{new}");
        // The password changes, so the mark and the budget change too.
        let now = NOW.plus(30 * DAY);
        while answer(&throttle, 0, &client(2, None), now).await {}
        let fresh = client(2, None);
        let mut after = 0;
        for _ in 0..20 {
            after += u32::from(answer(&throttle, 1, &fresh, now).await);
        }
        assert_eq!(after, 10);
        found.push([stranger, known, new, after]);
    }
    for (at, what) in [
        "a stranger",
        "the known device (of 30)",
        "a new device (of 30)",
        "after a change, at once",
    ]
    .iter()
    .enumerate()
    {
        println!("{what:<24} | {:>5} | {:>5}", found[0][at], found[1][at]);
    }
}

/// An attacker who guesses codes slowly is limited to a hundred, and three a day after that.
#[tokio::test]
async fn r124_codes_are_limited_in_the_long_run() {
    for counted in [Counted::Local, Counted::Store] {
        let throttle = throttle(counted, |_| {}).await;
        let mut allowed = 0;
        // One every two minutes stays below the short budget.
        for number in 0..30 * 24 * 30_u32 {
            let now = NOW.plus(2 * MINUTE * number);
            allowed += u32::from(answer(&throttle, 0, &client(number, None), now).await);
        }
        assert!((190..=200).contains(&allowed), "{allowed}");
        // The same holds for one on a known device.
        let owner = client(1, Some(OWN_DEVICE));
        let account = Account::Identifier(ADA);
        throttle
            .signed_in(account, &owner, NOW.plus(30 * DAY))
            .await;
        let mut known = 0;
        for number in 0..30 * 24 * 30_u32 {
            let now = NOW.plus(30 * DAY).plus(2 * MINUTE * number);
            known += u32::from(answer(&throttle, 0, &owner, now).await);
        }
        assert!(
            (290..=300).contains(&known),
            "a hundred of strangers, and its own: {known}"
        );
    }
}

/// Without the feature `rate-limit` only the steps are counted, by each node for itself. With the
/// feature, the settings of this test leave the same part.
#[tokio::test]
async fn steps_are_counted_without_the_feature() {
    let throttle = throttle(Counted::Store, |settings| {
        if cfg!(feature = "rate-limit") {
            *settings = settings.steps_alone();
        }
    })
    .await;
    let somebody = client(1, None);
    let mut allowed = 0;
    for _ in 0..200 {
        assert!(throttle.sign_in(Some(ADA), &somebody, NOW).await.is_ok());
        assert!(throttle.refresh(&somebody).is_ok());
        allowed += u32::from(answer(&throttle, 0, &somebody, NOW).await);
    }
    assert_eq!(allowed, 10);
    // A known device has its own budget here too, and both have one for the long run.
    let account = Account::Identifier(ADA);
    let owner = client(2, Some(OWN_DEVICE));
    throttle.signed_in(account, &owner, NOW).await;
    assert!(answer(&throttle, 0, &owner, NOW).await);
    let mut slowly = 0;
    for number in 0..30 * 24 * 30_u32 {
        let now = NOW.plus(2 * MINUTE * number);
        slowly += u32::from(answer(&throttle, 0, &somebody, now).await);
    }
    assert!((180..=190).contains(&slowly), "{slowly}");
    assert!(!throttle.is_shared, "each node counts for itself");
}

/// R124: ten made-up names a second for twenty hours fill the counters. None of two thousand honest
/// strangers is locked out, the account under attack stays used up, and memory stays bounded.
#[cfg(feature = "rate-limit")]
#[tokio::test]
async fn r124_counters_full_of_made_up_names_lock_nobody_out() {
    let throttle = throttle(Counted::Local, |_| {}).await;
    let last = NOW.plus(20 * 60 * MINUTE);
    // An account under attack, whose budget for the long run is used up within an hour and a half.
    for number in 0..100 {
        let now = NOW.plus(Duration::from_secs(50) * number);
        let counted = throttle
            .sign_in(Some(ADA), &client(number, None), now)
            .await;
        assert!(counted.is_ok(), "{number}");
    }
    let identifier = &throttle.identifier.counter;
    for number in 0..720_000_u32 {
        let now = NOW.plus(Duration::from_millis(100) * number);
        let name = format!("made up {number}");
        identifier.spend(&name, client(number % 60_000, None).ip, now);
    }
    let (mut locked_out, mut given_back) = (0, 0);
    for number in 0..2000_u32 {
        let honest = client(0x0010_0000 + number * 256, None);
        let name = format!("honest {number}");
        // One mistyped password, then the right one.
        for _ in 0..2 {
            let counted = throttle.sign_in(Some(&name), &honest, last).await;
            locked_out += u32::from(counted.is_err());
        }
        let guess = client(0x0090_0000 + number, None);
        given_back += u32::from(throttle.sign_in(Some(ADA), &guess, last).await.is_ok());
    }
    let kept = identifier.len();
    println!("720 000 made-up names: of 4 000 honest attempts {locked_out} refused,");
    println!("of 2 000 guesses under attack {given_back} allowed, {kept} budgets kept");
    assert_eq!(locked_out, 0);
    assert!(given_back <= 20, "{given_back}");
    assert!(kept <= 200_000, "{kept}");
}
