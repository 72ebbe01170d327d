//! Settings: their sources, their names, and that all that is wrong with them is said at once.

use std::time::Duration;

use tollgate::error::{Error, ErrorKind};
use tollgate::settings::{
    BindingMode, Cidr, Consistency, ForwardedHeader, OnLimit, OnRefresh, OnStale, RefreshPolicy,
    SameSite, Settings, StoreTls, StoreUrl,
};
use tollgate::store::Store;

type Env<'a> = &'a [(&'a str, &'a str)];

fn read(file: &str, env: Env<'_>) -> Result<Settings, Error> {
    let env = env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::from_sources((!file.is_empty()).then_some(("tollgate.toml", file)), env)
}

/// The settings with an issuer and an audience, so that only what a test breaks is wrong.
fn valid() -> Settings {
    read(
        "",
        &[
            ("TOLLGATE_ISSUER", "https://accounts.example.com"),
            ("TOLLGATE_AUDIENCE", "https://api.example.com"),
        ],
    )
    .unwrap()
}

/// The lines of an error, without the heading.
fn lines(result: Result<impl Sized, Error>) -> Vec<String> {
    let Err(error) = result else {
        panic!("the settings were accepted")
    };
    assert_eq!(error.kind(), ErrorKind::Settings);
    let text = error.to_string();
    let mut lines = text.lines().map(str::to_owned);
    assert_eq!(lines.next().unwrap(), "the settings cannot be used:");
    lines.collect()
}

fn problems_of(change: impl FnOnce(&mut Settings)) -> Vec<String> {
    let mut settings = valid();
    change(&mut settings);
    lines(settings.validate())
}

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn the_defaults_are_the_documented_ones_and_lack_only_issuer_and_audience() {
    let settings = Settings::default();
    assert_eq!(settings.client_id, "first-party");
    assert_eq!(settings.leeway, 30 * SECOND);
    assert_eq!(settings.access.ttl, 600 * SECOND);
    assert_eq!(settings.access.max_ttl(), settings.access.ttl);
    assert_eq!(settings.access.on_refresh, OnRefresh::Keep);
    assert_eq!(settings.access.header, "authorization");
    assert_eq!(settings.access.schemes, ["Bearer"]);
    assert_eq!(settings.refresh.window, 10 * SECOND);
    assert_eq!(settings.refresh.lost_response_window, DAY);
    assert_eq!(settings.refresh.policy, RefreshPolicy::ConfirmAware);
    assert_eq!(
        (settings.session.idle, settings.session.absolute),
        (30 * DAY, 90 * DAY)
    );
    assert_eq!(
        (settings.session.device_limit, settings.session.on_limit),
        (None, OnLimit::EvictOldest)
    );
    assert_eq!(settings.revocation.consistency, Consistency::Eventual);
    assert_eq!(
        (
            settings.revocation.stale_limit,
            settings.revocation.on_stale
        ),
        (30 * SECOND, OnStale::Check)
    );
    assert!(!settings.keys.accept_new);
    assert_eq!(
        lines(settings.validate()),
        [
            "`issuer`: is missing: set it in the file, as TOLLGATE_ISSUER, or with `.issuer(…)`",
            "`audience`: is missing: set it in the file, as TOLLGATE_AUDIENCE, or with \
             `.audience(…)`",
        ]
    );
    valid().validate().unwrap();
}

#[test]
fn the_environment_is_stronger_than_the_file_and_the_file_than_the_default() {
    let file = "issuer = 'file'\naudience = 'file'\nrefresh.window = '5s'\n[access]\nttl = \
                '5m'\nschemes = ['Bearer', 'Token']";
    let settings = read(
        file,
        &[
            ("TOLLGATE_ISSUER", "environment"),
            ("TOLLGATE_ACCESS__TTL", "1h30m"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!(settings.issuer.as_deref(), Some("environment"));
    assert_eq!(settings.audience.as_deref(), Some("file"));
    assert_eq!(settings.access.ttl, 5400 * SECOND);
    assert_eq!(settings.access.schemes, ["Bearer", "Token"]);
    assert_eq!(settings.refresh.window, 5 * SECOND);
    assert_eq!(settings.session.idle, 30 * DAY);
}

#[test]
fn every_setting_is_read_from_the_environment() {
    let settings = read(
        "",
        &[
            ("TOLLGATE_ISSUER", "i"),
            ("TOLLGATE_AUDIENCE", "a"),
            ("TOLLGATE_CLIENT_ID", "web"),
            ("TOLLGATE_LEEWAY", "1s"),
            ("TOLLGATE_ACCESS__TTL", "2s"),
            ("TOLLGATE_ACCESS__MAX_TTL", "3s"),
            ("TOLLGATE_ACCESS__ON_REFRESH", "revoke"),
            ("TOLLGATE_ACCESS__HEADER", "x-token"),
            ("TOLLGATE_ACCESS__SCHEMES", "Bearer, Token"),
            ("TOLLGATE_REFRESH__WINDOW", "4s"),
            ("TOLLGATE_REFRESH__LOST_RESPONSE_WINDOW", "5s"),
            ("TOLLGATE_REFRESH__POLICY", "strict"),
            ("TOLLGATE_SESSION__IDLE", "6s"),
            ("TOLLGATE_SESSION__ABSOLUTE", "7s"),
            ("TOLLGATE_SESSION__DEVICE_LIMIT", "8"),
            ("TOLLGATE_SESSION__ON_LIMIT", "deny"),
            ("TOLLGATE_REVOCATION__CONSISTENCY", "bounded:2s"),
            ("TOLLGATE_REVOCATION__STALE_LIMIT", "9s"),
            ("TOLLGATE_REVOCATION__ON_STALE", "check"),
            ("TOLLGATE_KEYS__ACCEPT_NEW", "true"),
            ("TOLLGATE_CLIENT__PROXIES", "10.0.0.0/8, 2001:db8::1"),
            ("TOLLGATE_CLIENT__HEADER", "forwarded"),
            ("TOLLGATE_COOKIES__PATH", "/api/auth"),
            ("TOLLGATE_COOKIES__SAME_SITE", "strict"),
            (
                "TOLLGATE_COOKIES__ORIGINS",
                "https://app.example.com, http://localhost:3000",
            ),
            ("TOLLGATE_BINDING__ACCESS_DEVICE", "record"),
            ("TOLLGATE_BINDING__ACCESS_NETWORK", "enforce"),
            ("TOLLGATE_BINDING__REFRESH_DEVICE", "enforce"),
            ("TOLLGATE_BINDING__REFRESH_NETWORK", "record"),
            ("TOLLGATE_BINDING__DEVICE_HEADER", "x-machine"),
        ],
    )
    .unwrap();
    settings.validate().unwrap();
    assert_eq!(
        (settings.issuer.as_deref(), settings.audience.as_deref()),
        (Some("i"), Some("a"))
    );
    assert_eq!(
        (settings.client_id.as_str(), settings.leeway),
        ("web", SECOND)
    );
    assert_eq!(
        (settings.access.ttl, settings.access.max_ttl),
        (2 * SECOND, Some(3 * SECOND))
    );
    assert_eq!(
        (settings.access.on_refresh, settings.access.header.as_str()),
        (OnRefresh::Revoke, "x-token")
    );
    assert_eq!(settings.access.schemes, ["Bearer", "Token"]);
    assert_eq!(
        (
            settings.refresh.window,
            settings.refresh.lost_response_window
        ),
        (4 * SECOND, 5 * SECOND)
    );
    assert_eq!(settings.refresh.policy, RefreshPolicy::Strict);
    assert_eq!(
        (settings.session.idle, settings.session.absolute),
        (6 * SECOND, 7 * SECOND)
    );
    assert_eq!(
        (settings.session.device_limit, settings.session.on_limit),
        (Some(8), OnLimit::Deny)
    );
    assert_eq!(
        settings.revocation.consistency,
        Consistency::Bounded(2 * SECOND)
    );
    assert_eq!(
        (
            settings.revocation.stale_limit,
            settings.revocation.on_stale
        ),
        (9 * SECOND, OnStale::Check)
    );
    assert!(settings.keys.accept_new);
    assert_eq!(
        settings.client.proxies,
        [cidr("10.0.0.0/8"), cidr("2001:db8::1")]
    );
    assert_eq!(settings.client.header, ForwardedHeader::Forwarded);
    assert_eq!(
        (settings.cookies.path.as_deref(), settings.cookies.same_site),
        (Some("/api/auth"), SameSite::Strict)
    );
    assert_eq!(
        settings.cookies.origins,
        ["https://app.example.com", "http://localhost:3000"]
    );
    let binding = &settings.binding;
    assert_eq!(
        (binding.access_device, binding.access_network),
        (BindingMode::Record, BindingMode::Enforce)
    );
    assert_eq!(
        (binding.refresh_device, binding.refresh_network),
        (BindingMode::Enforce, BindingMode::Record)
    );
    assert_eq!(binding.device_header, "x-machine");
}

fn cidr(text: &str) -> Cidr {
    text.parse().unwrap()
}

/// R107, R111: what would be taken for something else is refused.
#[test]
fn cookies_and_proxies_are_what_they_must_be() {
    for path in [
        "", "auth", "/auth/", "/a b", "/a;b", "/ü", "/a\r\nb", "/a?b",
    ] {
        let problems = problems_of(|settings| settings.cookies.path = Some(path.to_owned()));
        assert_eq!(problems.len(), 1, "{path}");
        assert!(
            problems[0].starts_with("`cookies.path` (set in code): must begin with a slash"),
            "{problems:?}"
        );
    }
    for origin in [
        "*",
        "null",
        "app.example.com",
        "https://",
        "https://App.example.com",
        "https://a.example/",
        "https://a.example:443",
        "ftp://a",
    ] {
        let problems = problems_of(|settings| {
            settings.cookies.path = Some("/".to_owned());
            settings.cookies.origins = vec![origin.to_owned()];
        });
        assert_eq!(problems.len(), 1, "{origin}");
        assert!(
            problems[0].starts_with("`cookies.origins` (set in code): must be origins"),
            "{problems:?}"
        );
    }
    assert_eq!(
        problems_of(|settings| settings.cookies.origins = vec!["https://a.example".to_owned()]),
        ["`cookies.origins` (set in code): has no effect unless `cookies.path` is set"]
    );
    assert_eq!(
        lines(read("client.proxies = ['10.0.0.0/8', '10.0.0.0/33']", &[])),
        [
            "`client.proxies` (from tollgate.toml): each must be an address or a range of \
             addresses such as `10.0.0.0/8`"
        ]
    );
    assert_eq!(
        problems_of(|settings| settings.binding.device_header = "x device".to_owned()),
        [
            "`binding.device_header` (set in code): must be the name of a header (RFC 9110 \
             section 5.1)"
        ]
    );
}

#[test]
fn names_outside_the_list_are_refused_and_the_nearest_is_suggested() {
    let file = "isuer = 'x'\nbiscuits.path = '/auth'\naccess = 5\n[refresh]\nwindov = \
                '1s'\n[database]\nurl = 'x'";
    let env = [
        ("TOLLGATE_ACCESS_TTL", "1m"),
        ("TOLLGATE_access__ttl", "1m"),
        ("TOLLGATE_DATABASE_URL", "x"),
        ("TOLLGATE_", "x"),
    ];
    assert_eq!(
        lines(read(file, &env)),
        [
            "`access` (from tollgate.toml): must be a table: write `[access]`",
            "`biscuits` (from tollgate.toml): there is no such setting",
            "`database` (from tollgate.toml): there is no such setting",
            "`isuer` (from tollgate.toml): there is no such setting: did you mean `issuer`?",
            "`refresh.windov` (from tollgate.toml): there is no such setting: did you mean \
             `refresh.window`?",
            "`TOLLGATE_` (from the environment): there is no such setting",
            "`TOLLGATE_ACCESS_TTL` (from the environment): there is no such setting: did you mean \
             `TOLLGATE_ACCESS__TTL`?",
            "`TOLLGATE_DATABASE_URL` (from the environment): there is no such setting",
            "`TOLLGATE_access__ttl` (from the environment): there is no such setting: did you \
             mean `TOLLGATE_ACCESS__TTL`?",
        ]
    );
}

#[test]
fn every_problem_is_one_line_of_one_error_and_no_value_is_repeated() {
    let file = "leeway = 30\n[access]\non_refresh = 'hunter2'\nschemes = \
                'hunter2'\n[session]\nidle = '91d'\ndevice_limit = -1";
    let env = [
        ("TOLLGATE_ACCESS__TTL", "hunter2"),
        ("TOLLGATE_KEYS__ACCEPT_NEW", "hunter2"),
        ("TOLLGATE_REFRESH__POLICY", "hunter2"),
        ("TOLLGATE_REVOCATION__CONSISTENCY", "bounded:hunter2"),
        ("TOLLGATE_REFRESH__WINDOW", "61s"),
    ];
    let error = read(file, &env).unwrap_err();
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    assert_eq!(
        lines(read(file, &env)),
        [
            "`access.on_refresh` (from tollgate.toml): must be `keep` or `revoke`",
            "`access.schemes` (from tollgate.toml): must be an array of strings",
            "`leeway` (from tollgate.toml): must be a duration such as `30s`, `10m` or `1h30m`",
            "`session.device_limit` (from tollgate.toml): must be a whole number from 0 to \
             4294967295",
            "`access.ttl` (from TOLLGATE_ACCESS__TTL): must be a duration such as `30s`, `10m` or \
             `1h30m`",
            "`keys.accept_new` (from TOLLGATE_KEYS__ACCEPT_NEW): must be `true` or `false`",
            "`refresh.policy` (from TOLLGATE_REFRESH__POLICY): must be `strict`, `window`, \
             `confirm_aware` or `fixed`",
            "`revocation.consistency` (from TOLLGATE_REVOCATION__CONSISTENCY): must be \
             `eventual`, `strict`, or `bounded:` and a duration such as `bounded:2s`",
            "`refresh.window` (from TOLLGATE_REFRESH__WINDOW): must be at most 1m",
            "`session.idle` (from tollgate.toml): must be at most 90d",
            "`session.idle` (from tollgate.toml): 91d is longer than `session.absolute`, which is \
             90d: change one of them",
        ]
    );
}

#[test]
fn a_file_that_is_not_toml_is_named_with_its_line_and_not_shown() {
    let error = read("issuer = 'x'\n\naudience = hunter2", &[])
        .unwrap_err()
        .to_string();
    assert!(error.contains("`tollgate.toml` line 3: "), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_name_made_up_by_an_attacker_stays_on_one_short_line() {
    let file = format!("\"a\\nb{}\" = 1", "x".repeat(10_000));
    let lines = lines(read(&file, &[]));
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].starts_with("`a\\nbxxx") && lines[0].len() < 200,
        "{}",
        lines[0]
    );
}

/// R45 (leeway), R74 (idle and absolute), rotation.md section 3 (windows).
#[test]
fn bounds_are_inclusive_and_what_is_beyond_them_is_refused() {
    let mut settings = valid();
    settings.leeway = 120 * SECOND;
    settings.refresh.window = 60 * SECOND;
    settings.session.idle = 90 * DAY;
    settings.session.absolute = 400 * DAY;
    settings.refresh.lost_response_window = settings.session.idle;
    settings.access.max_ttl = Some(settings.access.ttl);
    settings.session.device_limit = Some(1);
    settings.session.history = 8;
    settings.validate().unwrap();

    settings.leeway = 121 * SECOND;
    settings.refresh.window = 61 * SECOND;
    settings.session.idle = 90 * DAY + SECOND;
    settings.session.absolute = 400 * DAY + SECOND;
    settings.refresh.lost_response_window = settings.session.idle + SECOND;
    settings.access.max_ttl = Some(settings.access.ttl - SECOND);
    settings.session.device_limit = Some(0);
    settings.session.history = 9;
    assert_eq!(
        lines(settings.validate()),
        [
            "`leeway` (set in code): must be at most 2m",
            "`access.max_ttl` (set in code): 9m59s is shorter than `access.ttl`, which is 10m: \
             change one of them",
            "`refresh.window` (set in code): must be at most 1m",
            "`refresh.lost_response_window` (set in code): 90d2s is longer than `session.idle`, \
             which is 90d1s: change one of them",
            "`session.idle` (set in code): must be at most 90d",
            "`session.absolute` (set in code): must be at most 400d",
            "`session.device_limit` (set in code): must be at least 1",
            "`session.history` (set in code): must be at most 8",
        ]
    );
}

#[test]
fn a_line_names_the_source_that_the_value_has() {
    let mut settings = read(
        "issuer = ''\naudience = ' '\nleeway = '121s'",
        &[("TOLLGATE_SESSION__IDLE", "1h")],
    )
    .unwrap();
    assert_eq!(
        lines(settings.validate()),
        [
            "`issuer` (from tollgate.toml): must not be empty",
            "`audience` (from tollgate.toml): must not be empty",
            "`leeway` (from tollgate.toml): must be at most 2m",
            "`refresh.lost_response_window` (by default): 1d is longer than `session.idle`, which \
             is 1h: change one of them",
        ]
    );
    settings.leeway = 122 * SECOND;
    assert!(
        lines(settings.validate())
            .contains(&"`leeway` (set in code): must be at most 2m".to_owned())
    );
}

#[test]
fn nothing_lasts_for_no_time() {
    let problems = problems_of(|settings| {
        settings.access.ttl = Duration::ZERO;
        settings.session.idle = Duration::ZERO;
        settings.session.absolute = Duration::ZERO;
        settings.refresh.lost_response_window = Duration::ZERO;
        settings.revocation.stale_limit = Duration::ZERO;
        settings.revocation.consistency = Consistency::Bounded(Duration::ZERO);
    });
    let names = [
        "access.ttl",
        "session.idle",
        "session.absolute",
        "revocation.stale_limit",
        "revocation.consistency",
    ];
    assert_eq!(
        problems,
        names.map(|name| format!("`{name}` (set in code): must not be zero"))
    );
}

#[test]
fn windows_of_no_length_turn_their_rows_off() {
    let mut settings = valid();
    settings.leeway = Duration::ZERO;
    settings.refresh.window = Duration::ZERO;
    settings.refresh.lost_response_window = Duration::ZERO;
    settings.validate().unwrap();
}

#[test]
fn times_that_a_token_carries_are_whole_seconds() {
    let problems = problems_of(|settings| {
        settings.leeway = Duration::from_millis(1500);
        settings.access.ttl = Duration::from_millis(1500);
        settings.access.max_ttl = Some(Duration::from_millis(2500));
    });
    let names = ["leeway", "access.ttl", "access.max_ttl"];
    assert_eq!(
        problems,
        names.map(|name| format!(
            "`{name}` (set in code): must be whole seconds, as the times in a token are"
        ))
    );
}

#[test]
fn the_header_and_its_schemes_are_names_that_http_allows() {
    for header in ["", "x token", "x:token", "x\r\ny", "ü"] {
        let problems = problems_of(|settings| settings.access.header = header.to_owned());
        assert_eq!(
            problems,
            [
                "`access.header` (set in code): must be the name of a header (RFC 9110 section \
                 5.1)"
            ],
            "{header:?}"
        );
    }
    let schemes = |schemes: &[&str]| {
        let schemes: Vec<String> = schemes.iter().map(|&scheme| scheme.to_owned()).collect();
        problems_of(|settings| settings.access.schemes = schemes)
    };
    assert_eq!(
        schemes(&[]),
        ["`access.schemes` (set in code): must name at least one scheme"]
    );
    assert_eq!(
        schemes(&["Bearer x"]),
        ["`access.schemes` (set in code): must be names of schemes (RFC 9110 section 11.1)"]
    );
    assert_eq!(
        schemes(&["Bearer", "bearer"]),
        ["`access.schemes` (set in code): names a scheme twice"]
    );
    assert_eq!(
        lines(read(
            "",
            &[("TOLLGATE_ACCESS__SCHEMES", " , "), ("TOLLGATE_X", "")]
        ))
        .len(),
        2
    );
}

#[test]
fn a_client_id_is_printable() {
    for client_id in ["", "a\nb", "ü"] {
        let problems = problems_of(|settings| settings.client_id = client_id.to_owned());
        assert_eq!(
            problems,
            [
                "`client_id` (set in code): must be printable ASCII, and not empty (RFC 6749 \
                 appendix A.1)"
            ]
        );
    }
}

#[test]
fn choices_that_undo_each_other_are_refused() {
    assert_eq!(
        problems_of(|settings| settings.session.on_limit = OnLimit::Deny),
        [
            "`session.on_limit` (set in code): has no effect unless `session.device_limit` is \
             set"
        ]
    );
    assert_eq!(
        problems_of(|settings| settings.revocation.consistency = Consistency::Bounded(31 * SECOND)),
        [
            "`revocation.consistency` (set in code): 31s is longer than `revocation.stale_limit`, \
             which is 30s: change one of them"
        ]
    );
    for consistency in [Consistency::Strict, Consistency::Bounded(2 * SECOND)] {
        let problems = problems_of(|settings| {
            settings.revocation.consistency = consistency;
            settings.revocation.on_stale = OnStale::Serve;
        });
        assert_eq!(problems.len(), 1);
        assert!(
            problems[0].starts_with("`revocation.on_stale` (set in code): `serve` goes on"),
            "{problems:?}"
        );
    }
}

/// The process's own environment is read in a process of its own, since tests share one.
#[test]
fn loading_reads_the_named_file_the_default_file_and_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let load = |env: Env<'_>| {
        let mut child = tollgate_tests::process::alone(module_path!(), "load_in_a_child");
        child.current_dir(&folder).env("LOAD_IN_A_CHILD", "1");
        std::env::vars_os()
            .filter(|(name, _)| name.to_string_lossy().starts_with("TOLLGATE_"))
            .for_each(|(name, _)| {
                child.env_remove(name);
            });
        let output = child.envs(env.iter().copied()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };

    assert!(load(&[]).contains("issuer: None"));
    std::fs::write(
        folder.path().join("tollgate.toml"),
        "issuer = 'default file'",
    )
    .unwrap();
    std::fs::write(folder.path().join("other.toml"), "issuer = 'named file'").unwrap();
    assert!(load(&[]).contains("issuer: Some(\"default file\")"));
    assert!(load(&[("TOLLGATE_CONFIG", "other.toml")]).contains("issuer: Some(\"named file\")"));
    assert!(
        load(&[
            ("TOLLGATE_CONFIG", "other.toml"),
            ("TOLLGATE_ISSUER", "env")
        ])
        .contains("issuer: Some(\"env\")")
    );
    let missing = load(&[("TOLLGATE_CONFIG", "missing.toml"), ("TOLLGATE_ISUER", "x")]);
    assert!(
        missing.contains("`missing.toml` (from TOLLGATE_CONFIG): cannot be read: "),
        "{missing}"
    );
    assert!(missing.contains(
        "`TOLLGATE_ISUER` (from the environment): there is no such setting: did you mean \
         `TOLLGATE_ISSUER`?"
    ));
}

/// Not a test: what the one above runs in a process of its own.
#[test]
fn load_in_a_child() {
    if std::env::var_os("LOAD_IN_A_CHILD").is_some() {
        match Settings::load() {
            Ok(settings) => println!("issuer: {:?}", settings.issuer),
            Err(error) => println!("{error}"),
        }
    }
}

async fn open(file: &str) -> Result<Store, Error> {
    Store::open(&read(file, &[]).unwrap().store).await
}

#[tokio::test]
async fn a_store_is_opened_by_the_scheme_of_its_url() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    for (url, expected) in [
        ("memory:".to_owned(), "MemoryStore"),
        (format!("sqlite:{}", path.display()), "SqliteStore"),
        (format!("sqlite://{}", path.display()), "SqliteStore"),
    ] {
        let store = open(&format!("[store]\nurl = '{url}'")).await.unwrap();
        assert!(format!("{store:?}").contains(expected), "{url} {store:?}");
    }
    assert!(path.exists());
    open(&format!(
        "[store]\nurl = 'sqlite:{}'\nlock_timeout = '1s'",
        path.display()
    ))
    .await
    .unwrap();
}

#[tokio::test]
async fn what_a_store_has_no_use_for_is_refused_by_name() {
    let everything = "connections = 4\nconnect_timeout = '1s'\nlock_timeout = \
                      '1s'\nstatement_timeout = '1s'\nschema = 'auth'\ndeployment = 'app'\ntls = \
                      'verify'\nroot_certificates = 'roots.pem'";
    let useless =
        async |url: &str| lines(open(&format!("[store]\nurl = '{url}'\n{everything}")).await);
    let of = |names: &[&str], store: &str| {
        names
            .iter()
            .map(|name| format!("`store.{name}`: means nothing to {store}"))
            .collect::<Vec<_>>()
    };
    let all = [
        "connections",
        "connect_timeout",
        "lock_timeout",
        "statement_timeout",
        "schema",
        "deployment",
        "tls",
        "root_certificates",
    ];
    assert_eq!(useless("memory:").await, of(&all, "a store in memory"));
    let but_lock: Vec<_> = all
        .into_iter()
        .filter(|name| *name != "lock_timeout")
        .collect();
    assert_eq!(useless("sqlite:sessions.db").await, of(&but_lock, "SQLite"));
    assert_eq!(
        useless("postgres://localhost/app").await,
        of(&["deployment"], "PostgreSQL")
    );
    assert_eq!(
        useless("rediss://localhost").await,
        of(&["lock_timeout", "schema"], "Redis")
    );
}

#[tokio::test]
async fn a_store_that_cannot_be_chosen_is_refused_without_its_password() {
    for (settings, expected) in [
        ("", "`store.url`: is missing"),
        (
            "url = 'mysql://root:hunter2@localhost'",
            "`store.url`: begins with none of",
        ),
        ("url = 'hunter2'", "`store.url`: begins with none of"),
        ("url = 'sqlite:'", "`store.url`: a file has to follow"),
        (
            "url = 'sqlite::memory:'",
            "`store.url`: a file has to follow",
        ),
        (
            "url = 'memory:hunter2'",
            "`store.url`: `memory:` stands alone",
        ),
        (
            "url = 'redis://:hunter2@localhost'\ntls = 'verify'",
            "`store.tls`: `verify` needs",
        ),
        (
            "url = 'rediss://:hunter2@localhost'\nroot_certificates = 'not/there'",
            "`store.root_certificates`: `not/there` cannot be read",
        ),
    ] {
        let lines = lines(open(&format!("[store]\n{settings}")).await);
        assert!(
            lines.len() == 1 && lines[0].starts_with(expected),
            "{lines:?}"
        );
        assert!(!lines[0].contains("hunter2"), "{lines:?}");
    }
    // An empty time-out and a pool without a connection are found with everything else that is
    // wrong.
    let problems = problems_of(|settings| {
        settings.store.connections = Some(0);
        settings.store.lock_timeout = Some(Duration::ZERO);
    });
    let expected = [
        "`store.connections` (set in code): must be at least 1",
        "`store.lock_timeout` (set in code): must not be zero",
    ];
    assert_eq!(problems, expected);
}

/// R80, R134: a URL may hold a password, and so is shown nowhere.
#[test]
fn r80_the_url_of_a_store_is_never_shown() {
    let settings = read(
        "[store]\nurl = 'postgres://app:hunter2@db/app'",
        &[("TOLLGATE_STORE__TLS", "verify")],
    )
    .unwrap();
    let shown = format!("{settings:?}");
    assert!(
        shown.contains("StoreUrl(postgres:[redacted])") && !shown.contains("hunter2"),
        "{shown}"
    );
    assert_eq!(
        settings.store.url.unwrap().expose(),
        "postgres://app:hunter2@db/app"
    );
    assert_eq!(settings.store.tls, StoreTls::Verify);
}

/// The variables of a Service that is called `tollgate`, as a kubelet sets them.
#[test]
fn service_links_of_kubernetes_are_passed_over() {
    let links = [
        ("TOLLGATE_SERVICE_HOST", "10.96.12.7"),
        ("TOLLGATE_SERVICE_PORT", "80"),
        ("TOLLGATE_SERVICE_PORT_HTTP", "80"),
        ("TOLLGATE_PORT", "tcp://10.96.12.7:80"),
        ("TOLLGATE_PORT_80_TCP", "tcp://10.96.12.7:80"),
        ("TOLLGATE_PORT_80_TCP_PROTO", "tcp"),
        ("TOLLGATE_PORT_80_TCP_PORT", "80"),
        ("TOLLGATE_PORT_80_TCP_ADDR", "10.96.12.7"),
        ("TOLLGATE_REALMS__STAFF_SERVICE_HOST", "10.96.12.7"),
        ("TOLLGATE_REALMS__STAFF__PORT", "tcp://10.96.12.7:80"),
        ("TOLLGATE_ISSUER", "tcp://10.96.12.7:80"),
    ];
    let settings = read("", &links).unwrap();
    // A name of the table is a setting, whatever its value looks like.
    assert_eq!(settings.issuer.as_deref(), Some("tcp://10.96.12.7:80"));
    assert_eq!(
        lines(read(
            "",
            &[
                ("TOLLGATE_PORT", "3000"),
                ("TOLLGATE_SERVICE_HOST", "hunter2"),
                ("TOLLGATE_HOST", "10.96.12.7"),
            ]
        )),
        [
            "`TOLLGATE_HOST` (from the environment): there is no such setting",
            "`TOLLGATE_PORT` (from the environment): there is no such setting (where Kubernetes \
             sets it for a Service: `enableServiceLinks: false` in the pod)",
            "`TOLLGATE_SERVICE_HOST` (from the environment): there is no such setting (where \
             Kubernetes sets it for a Service: `enableServiceLinks: false` in the pod)",
        ]
    );
    // In the file nothing is a service link.
    assert!(read("port = 'tcp://10.96.12.7:80'", &[]).is_err());
}

/// Blanks and quotes that are pasted with a value would stand in every token.
#[test]
fn quotes_blanks_and_line_ends_around_a_value_are_refused() {
    let issuer = "https://accounts.example.com";
    for (pasted, why) in [
        (format!("\"{issuer}\""), "quotes"),
        (format!("'{issuer}'"), "quotes"),
        (format!("\"{issuer}"), "quotes"),
        (format!("“{issuer}”"), "quotes"),
        (format!(" {issuer}"), "blanks"),
        (format!("{issuer}\u{a0}"), "blanks"),
        (format!("\u{feff}{issuer}"), "blanks"),
        (format!("{issuer}\n"), "line ends"),
        (format!("{issuer}\r"), "line ends"),
        (format!("{issuer}\t"), "line ends"),
        (format!(" \"{issuer}\" "), "quotes"),
    ] {
        type Set = fn(&mut Settings, String);
        let each: [(&str, Set); 6] = [
            ("issuer", |settings, text| settings.issuer = Some(text)),
            ("audience", |settings, text| settings.audience = Some(text)),
            ("client_id", |settings, text| settings.client_id = text),
            ("replaces.issuer", |settings, text| {
                settings.replaces.issuer = Some(text);
            }),
            ("store.deployment", |settings, text| {
                settings.store.deployment = Some(text);
            }),
            ("store.url", |settings, text| {
                settings.store.url = Some(StoreUrl::new(text));
            }),
        ];
        for (name, set) in each {
            let problems = problems_of(|settings| set(settings, pasted.clone()));
            let found = problems.iter().any(|line| {
                let is_said = line.contains(why) || line.contains("printable ASCII");
                line.starts_with(&format!("`{name}` ")) && is_said
            });
            assert!(found, "{name} {pasted:?}: {problems:?}");
        }
    }
    // Inside a value nothing is taken for an accident.
    let mut settings = valid();
    settings.audience = Some("my \"first\" service, it's here".to_owned());
    settings.validate().unwrap();
}

/// The URL of an SQLite file is read as sqlx reads it.
#[tokio::test]
async fn the_url_of_a_file_may_have_escapes_and_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    for (url, name) in [
        (format!("sqlite://{at}/a%20b.db"), "a b.db"),
        (format!("sqlite:{at}/c.db?mode=rwc"), "c.db"),
        (format!("sqlite://{at}/d.db?mode=rwc&cache=private"), "d.db"),
        (format!("sqlite:{at}/e%3Ff.db?"), "e?f.db"),
        (format!("sqlite:{at}/100%.db"), "100%.db"),
    ] {
        open(&format!("[store]\nurl = '{url}'")).await.unwrap();
        assert!(folder.path().join(name).exists(), "{url}");
    }
    for (parameters, named) in [
        ("mode=ro", "`mode`"),
        ("mode=rw", "`mode=rwc`"),
        ("mode=memory", "`memory:`"),
        ("cache=shared", "`cache`"),
        ("immutable=1", "`immutable`"),
        ("vfs=unix-none", "`vfs`"),
        ("journal_mode=wal", "`journal_mode`"),
        ("mode", "`mode`"),
    ] {
        let url = format!("sqlite:{at}/refused.db?{parameters}");
        let lines = lines(open(&format!("[store]\nurl = '{url}'")).await);
        assert!(
            lines.len() == 1 && lines[0].starts_with("`store.url`: ") && lines[0].contains(named),
            "{parameters}: {lines:?}"
        );
    }
    assert!(!folder.path().join("refused.db").exists());
}

/// Both files of a client's certificate, or none.
#[tokio::test]
async fn a_client_certificate_is_given_with_its_key() {
    let alone = problems_of(|settings| settings.store.client_key = Some("key.pem".into()));
    assert_eq!(
        alone,
        ["`store.client_key` (set in code): needs `store.client_certificate` too"]
    );
    let alone = problems_of(|settings| settings.store.client_certificate = Some("c.pem".into()));
    assert_eq!(
        alone,
        ["`store.client_certificate` (set in code): needs `store.client_key` too"]
    );
    let both = "client_certificate = 'not/there'\nclient_key = 'not/there'";
    for (url, expected) in [
        ("redis://localhost", "`store.client_certificate`: needs a"),
        (
            "rediss://localhost",
            "`store.client_certificate`: `not/there`",
        ),
        ("memory:", "`store.client_certificate`: means nothing"),
    ] {
        let lines = lines(open(&format!("[store]\nurl = '{url}'\n{both}")).await);
        assert!(lines[0].starts_with(expected), "{url}: {lines:?}");
    }
}
