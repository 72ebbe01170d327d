//! PostgreSQL and Redis for tests and examples: private servers that end with the process that
//! started them.
#![allow(clippy::missing_panics_doc, clippy::unwrap_used, clippy::expect_used)]

pub mod postgres;
pub mod redis;

use std::io::Write as _;

/// Says that a test was skipped, and why; under `REQUIRE_STORES=1` that is a failure.
pub fn skipped(why: &str) {
    assert!(
        std::env::var_os("REQUIRE_STORES").is_none(),
        "{why}, and REQUIRE_STORES is set"
    );
    left_out(why);
}

/// Says that something was left out, and why. It is shown also where the test passes: what is written
/// to the handle itself is not captured, as what `println!` writes is.
pub fn left_out(why: &str) {
    let _ = std::io::stderr().write_all(format!("skipped: {why}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    const CHILD: &str = "SERVERS_LEFT_OUT";

    #[test]
    fn what_is_left_out_is_shown_although_the_test_passes() {
        if std::env::var_os(CHILD).is_some() {
            println!("this is captured");
            return super::left_out("a reason");
        }
        let child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "tests::what_is_left_out_is_shown_although_the_test_passes",
            ])
            .env(CHILD, "1")
            .env_remove("RUST_TEST_NOCAPTURE")
            .output()
            .unwrap();
        let said = String::from_utf8(child.stdout).unwrap();
        let errors = String::from_utf8(child.stderr).unwrap();
        assert!(
            child.status.success() && said.contains("1 passed"),
            "{said}"
        );
        assert!(!said.contains("this is captured"), "{said}");
        assert_eq!(errors, "skipped: a reason\n");
    }
}
