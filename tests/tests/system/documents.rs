//! The OpenAPI documents of running programs, judged by the tools of others.

use std::fs;
use std::process::Command;

use axum::body::Body;
use http::Request;
use tollgate_tests::Answer;
use tollgate_tests::support::interop::runs;
use tollgate_tests::support::left_out;
use tower::ServiceExt as _;

use crate::quickstart::program::Place;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/documents");

/// Returns whether pip and npm can be asked, and their packages be had.
fn tools() -> Result<(), String> {
    runs(Command::new("npm").arg("--version"))?;
    runs(Command::new(SCRIPT).arg("provide"))
}

/// The types that the client for browsers has.
const TYPES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../clients/typescript/src/document.ts"
);

#[test]
fn a_validator_a_linter_and_a_generator_of_types_find_nothing_in_the_documents() {
    // They judge what is not a matter of safety: without them this is left out, everywhere.
    if let Err(why) = tools() {
        return left_out(&format!("the tools for documents: {why}"));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut judged = Command::new(SCRIPT);
    for (example, variables) in [
        ("quickstart", &[][..]),
        ("two-kinds", &[("TOLLGATE_OPENAPI__POLICIES", "true")][..]),
    ] {
        let place = variables
            .iter()
            .fold(Place::of(example), |place, (name, value)| {
                place.set(name, *value)
            });
        let program = place.start();
        let document = program.get("/openapi.json", "");
        let file = folder.path().join(format!("{example}.json"));
        fs::write(&file, document.text).unwrap();
        judged.arg(&file);
    }
    // The pages take forms, too.
    let file = folder.path().join("pages.json");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let document = runtime.block_on(async {
        let settings = tollgate::settings::Settings::default();
        let (pages, _) = ::pages::app(folder.path(), settings).await.unwrap();
        let asked = Request::get("/openapi.json").body(Body::empty()).unwrap();
        Answer::of(pages.oneshot(asked).await.unwrap()).await
    });
    fs::write(&file, document.text).unwrap();
    judged.arg(&file);
    let output = judged.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}{errors}");
    assert_eq!(said.matches("nothing found").count(), 3, "{said}");
    // The client for browsers has the types of this document.
    let types = fs::read_to_string(folder.path().join("quickstart.json.ts")).unwrap();
    let kept = fs::read_to_string(TYPES).unwrap();
    assert!(
        types == kept,
        "write them anew: npm run types, in clients/typescript"
    );
}
