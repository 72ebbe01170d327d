//! Starts that are refused, as the person at the terminal reads it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::quickstart::program::Place;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A place whose program ran once and left a live session behind.
fn lived_in(place: Place) -> Place {
    place.start().sign_in("ada@example.com");
    place
}

/// The files of the ring with this purpose.
fn keys(place: &Place, purpose: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(place.data().join("keys"))
        .unwrap()
        .map(|file| file.unwrap().path());
    files
        .filter(|file| {
            file.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with(purpose)
        })
        .collect()
}

#[test]
fn an_unknown_setting_is_named_with_the_nearest_known_one() {
    let said = Place::new().set("TOLLGATE_ACESS__TTL", "5m").refusal();
    assert_eq!(
        said,
        "the settings cannot be used:\n`TOLLGATE_ACESS__TTL` (from the environment): there is no \
         such setting: did you mean `TOLLGATE_ACCESS__TTL`?\n"
    );
}

#[test]
fn settings_at_odds_are_one_error_with_all_of_them() {
    let place = Place::new()
        .set("TOLLGATE_ACCESS__MAX_TTL", "1m")
        .set("TOLLGATE_LEEWAY", "1h")
        .set("TOLLGATE_REFRESH__WINDOW", "2m")
        .set("TOLLGATE_SESSION__IDLE", "12h")
        .set("TOLLGATE_SESSION__ON_LIMIT", "deny");
    let said = place.refusal();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "the settings cannot be used:");
    let named = [
        "leeway",
        "access.max_ttl",
        "refresh.window",
        "refresh.lost_response_window",
        "session.on_limit",
    ];
    assert_eq!(lines.len(), 1 + named.len(), "{said}");
    for name in named {
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with(&format!("`{name}` ("))),
            "{name}: {said}"
        );
    }
}

#[test]
fn a_value_that_is_none_is_named_without_being_shown() {
    for (name, value, setting) in [
        ("TOLLGATE_ACCESS__TTL", "hunter2", "access.ttl"),
        ("TOLLGATE_KEYS__ACCEPT_NEW", "yes", "keys.accept_new"),
        ("TOLLGATE_REFRESH__POLICY", "lax", "refresh.policy"),
    ] {
        let said = Place::new().set(name, value).refusal();
        assert!(
            said.contains(&format!("`{setting}` (from {name}): must be ")) && !said.contains(value),
            "{said}"
        );
    }
    let said = Place::new()
        .set("TOLLGATE_CONFIG", "/nowhere.toml")
        .refusal();
    assert!(
        said.contains("`/nowhere.toml` (from TOLLGATE_CONFIG): cannot be read"),
        "{said}"
    );
}

#[test]
fn a_damaged_key_file_is_named() {
    let place = lived_in(Place::new());
    for purpose in ["sign-", "refresh-", "seal-", "manifest"] {
        for damage in [
            b"garbage\n".as_slice(),
            b"",
            b"\xff\xfe\x00",
            b"tollgate-key 1 sign/EdDSA AAAA\n",
        ] {
            for file in keys(&place, purpose) {
                let whole = fs::read(&file).unwrap();
                fs::write(&file, damage).unwrap();
                let said = place.refusal();
                assert!(said.contains(file.to_str().unwrap()), "{purpose}: {said}");
                fs::write(&file, whole).unwrap();
            }
        }
    }
    assert!(place.start().stop().success());
}

#[test]
fn a_missing_key_file_is_named_and_not_made_again() {
    let place = lived_in(Place::new());
    for purpose in ["sign-", "refresh-", "seal-"] {
        for file in keys(&place, purpose) {
            let whole = fs::read(&file).unwrap();
            fs::remove_file(&file).unwrap();
            for _ in 0..2 {
                let said = place.refusal();
                assert!(
                    said.contains(file.to_str().unwrap()) && said.contains("is missing"),
                    "{said}"
                );
            }
            fs::write(&file, whole).unwrap();
            set_mode(&file, 0o600);
        }
    }
    assert!(place.start().stop().success());
}

#[test]
fn a_key_file_that_others_may_read_is_named_with_the_way_out() {
    let place = lived_in(Place::new());
    for file in keys(&place, "") {
        set_mode(&file, 0o640);
        let said = place.refusal();
        assert!(
            said.contains(file.to_str().unwrap()) && said.contains("chmod 600"),
            "{said}"
        );
        set_mode(&file, 0o600);
    }
    set_mode(&place.data().join("keys"), 0o777);
    assert!(place.refusal().contains("chmod 700"));
    set_mode(&place.data().join("keys"), 0o700);
    assert!(place.start().stop().success());
}

#[test]
fn a_key_file_that_cannot_be_read_is_named() {
    let place = lived_in(Place::new().run_by_nobody());
    let file = keys(&place, "sign-").remove(0);
    set_mode(&file, 0o000);
    let said = place.refusal();
    assert!(
        said.contains(file.to_str().unwrap()) && said.contains("cannot be read"),
        "{said}"
    );
}

#[test]
fn a_lost_ring_beside_live_sessions_is_refused_until_it_is_accepted() {
    let place = Place::new();
    let program = place.start();
    let tokens = program.sign_in("ada@example.com");
    drop(program);
    fs::remove_dir_all(place.data().join("keys")).unwrap();
    for _ in 0..2 {
        let said = place.refusal();
        assert!(
            said.contains("the key ring is new") && said.contains("`keys.accept_new = true`"),
            "{said}"
        );
    }
    // The whole folder again, as a volume that comes back empty.
    fs::remove_dir_all(place.data().join("keys")).unwrap();
    fs::create_dir(place.data().join("keys")).unwrap();
    assert!(place.refusal().contains("the key ring is new"));

    let place = place.set("TOLLGATE_KEYS__ACCEPT_NEW", "true");
    let program = place.start();
    program
        .get("/me", &tokens.access)
        .assert_problem(401, "invalid_token");
    program
        .refresh(&tokens.refresh)
        .assert_problem(401, "invalid_grant");
    let tokens = program.sign_in("ada@example.com");
    drop(program);
    // Once accepted, it is the ring.
    let place = place.set("TOLLGATE_KEYS__ACCEPT_NEW", "false");
    assert_eq!(place.start().get("/me", &tokens.access).status, 200);
}

#[test]
fn a_database_that_is_none_is_named() {
    let place = lived_in(Place::new());
    for name in ["tollgate.db", "app.db"] {
        let file = place.data().join(name);
        let kept = file.with_extension("kept");
        fs::rename(&file, &kept).unwrap();
        for companion in ["-wal", "-shm"] {
            let _ = fs::remove_file(place.data().join(format!("{name}{companion}")));
        }
        fs::create_dir(&file).unwrap();
        let said = place.refusal();
        assert!(said.contains(file.to_str().unwrap()), "{said}");
        fs::remove_dir(&file).unwrap();

        fs::write(
            &file,
            "not a database at all, whatever its name says, ".repeat(100),
        )
        .unwrap();
        let said = place.refusal();
        assert!(
            said.contains(file.to_str().unwrap()) && said.contains("not a database"),
            "{said}"
        );
        fs::remove_file(&file).unwrap();
        fs::rename(&kept, &file).unwrap();
    }
}

#[test]
fn a_database_of_a_newer_version_is_named() {
    let place = lived_in(Place::new());
    assert!(place.start().stop().success());
    let db = Connection::open(place.sessions()).unwrap();
    let tables: Vec<String> = {
        let mut query = db
            .prepare("SELECT name FROM sqlite_master WHERE name = 'tg_schema'")
            .unwrap();
        query
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    };
    assert_eq!(tables, ["tg_schema"]);
    db.execute(
        "UPDATE tg_schema SET version = version + 1000 WHERE version = (SELECT max(version) FROM \
         tg_schema)",
        [],
    )
    .unwrap();
    drop(db);
    let said = place.refusal();
    assert!(
        said.contains(place.sessions().to_str().unwrap()) && said.contains("newer version"),
        "{said}"
    );
}

#[test]
fn a_database_that_cannot_be_written_is_named() {
    let place = lived_in(Place::new().run_by_nobody());
    // The users' own table is only read once it is filled.
    set_mode(&place.data().join("app.db"), 0o400);
    place.start().sign_in("ada@example.com");
    set_mode(&place.data().join("app.db"), 0o600);

    set_mode(&place.sessions(), 0o400);
    let said = place.refusal();
    assert!(
        said.contains(place.sessions().to_str().unwrap()) && said.contains("cannot be written"),
        "{said}"
    );
    set_mode(&place.sessions(), 0o600);

    // SQLite makes files beside its own, which are gone after the last one closes: here that is
    // this test.
    for file in [place.sessions(), place.data().join("app.db")] {
        Connection::open(file)
            .unwrap()
            .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
            .unwrap();
    }
    set_mode(place.data(), 0o500);
    let said = place.refusal();
    assert!(said.contains(place.data().to_str().unwrap()), "{said}");
    set_mode(place.data(), 0o700);
    assert!(place.start().stop().success());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let place = Place::new();
    fs::write(place.data(), "a file").unwrap();
    assert!(place.refusal().contains(place.data().to_str().unwrap()));
}

#[test]
fn a_taken_port_is_named() {
    let place = Place::new();
    let _taken = TcpListener::bind(("127.0.0.1", place.port())).unwrap();
    let said = place.refusal();
    assert!(said.contains(&format!("port {}", place.port())), "{said}");
    for port in ["many", "-1", "65536", ""] {
        let said = Place::new().set("PORT", port).refusal();
        assert!(said.contains("PORT must be a number"), "{port}: {said}");
    }
}

/// Several that start at the same moment, as a supervisor with four workers does, make one ring, one
/// store and one table of users, and each of them serves.
#[test]
fn four_that_start_at_once_in_an_empty_folder_all_start() {
    for _ in 0..3 {
        let first = Place::new();
        let data = first.data().to_owned();
        let places = [
            first,
            Place::new().keeping_data_in(data.clone()),
            Place::new().keeping_data_in(data.clone()),
            Place::new().keeping_data_in(data),
        ];
        let programs: Vec<_> = std::thread::scope(|scope| {
            let starting = places.each_ref().map(|place| scope.spawn(|| place.start()));
            starting
                .into_iter()
                .map(|program| program.join().expect("one of them did not start"))
                .collect()
        });
        let tokens = programs[0].sign_in("ada@example.com");
        for program in &programs {
            assert_eq!(program.get("/me", &tokens.access).status, 200);
            program.sign_in("grace@example.com");
        }
    }
}
