//! The workflows do what `.ci/run` and `scripts/deep` do, and nothing beside: everything that they
//! check can be checked on any machine.

use std::collections::BTreeSet;

use crate::{files, read, root, shown};

/// A command of a workflow, and the name of its step.
struct Step {
    file: String,
    name: String,
    command: String,
}

/// Reads the steps that run a command. A workflow that is written in a way which this does not
/// know is refused.
fn steps() -> Vec<Step> {
    let mut steps = Vec::new();
    for path in files(&root().join(".github/workflows")) {
        let (file, text) = (shown(&path), read(&path));
        assert!(text.starts_with("# "), "{file} does not say what it is");
        assert!(!text.contains('\t'), "{file}: YAML has no tabs");
        let mut name = String::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let depth = line.len() - line.trim_start().len();
            assert_eq!(depth % 2, 0, "{file}: {line}");
            let line = line.trim_start();
            let key = line.strip_prefix("- ").unwrap_or(line);
            if line.starts_with("- ") {
                name.clear();
            }
            if let Some(text) = key.strip_prefix("name: ") {
                text.clone_into(&mut name);
            }
            let Some(command) = key.strip_prefix("run: ") else {
                continue;
            };
            let mut command = command.to_owned();
            if command == "|" {
                command.clear();
                while let Some(next) = lines.next_if(|next| {
                    next.trim().is_empty() || next.len() - next.trim_start().len() > depth
                }) {
                    command += next.trim();
                    command.push('\n');
                }
            }
            steps.push(Step {
                file: file.clone(),
                name: name.clone(),
                command,
            });
        }
    }
    steps
}

/// Returns the steps of `.ci/run`.
fn known() -> BTreeSet<String> {
    let script = read(&root().join(".ci/run"));
    let functions = script.lines().filter_map(|line| line.strip_suffix("() {"));
    functions.map(|name| name.trim().to_owned()).collect()
}

#[test]
fn the_workflows_run_the_scripts_of_the_repository_alone() {
    let known = known();
    assert!(
        known.contains("lint") && known.contains("test"),
        "{known:?}"
    );
    let steps = steps();
    assert!(steps.len() >= 3);
    let mut wrong = Vec::new();
    for Step {
        file,
        name,
        command,
    } in &steps
    {
        // Tools come before; each script says by name which ones it misses.
        let is_set_up = name.starts_with("install ");
        let is_script = match command.strip_prefix(".ci/run ") {
            Some("${{ matrix.step }}") => true,
            Some(step) => known.contains(step),
            None => command == "scripts/deep",
        };
        if !is_set_up && !is_script {
            wrong.push(format!("{file}: {command}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for wanted in [".ci/run ${{ matrix.step }}", "scripts/deep"] {
        assert!(steps.iter().any(|step| step.command == wanted), "{wanted}");
    }
    // Each step of the matrix is one of the script's.
    for path in files(&root().join(".github/workflows")) {
        let text = read(&path);
        let Some((_, list)) = text.split_once("step: [") else {
            continue;
        };
        for step in list.split(']').next().unwrap().split(',') {
            assert!(known.contains(step.trim()), "{step} in {}", shown(&path));
        }
    }
}

/// In a container the checkout belongs to another user, and git refuses to work in it.
#[test]
fn a_job_in_a_container_lets_git_trust_the_checkout() {
    let mut containers = 0;
    for path in files(&root().join(".github/workflows")) {
        let text = read(&path);
        // A job is two blanks deep.
        let is_job = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
        let (mut job, mut jobs) = (String::new(), Vec::new());
        for line in text.split_inclusive('\n') {
            if is_job(&line) {
                jobs.push(std::mem::take(&mut job));
            }
            job += line;
        }
        jobs.push(job);
        for job in jobs.iter().filter(|job| job.contains("\n    container: ")) {
            containers += 1;
            let (before, after) = job.split_once("uses: actions/checkout").unwrap();
            let trusted = "run: git config --global --add safe.directory \"$GITHUB_WORKSPACE\"";
            let (at, script) = (after.find(trusted), after.find("run: scripts/deep"));
            let script = script.or_else(|| after.find("run: .ci/run"));
            assert!(
                at.is_some_and(|at| script.is_some_and(|script| at < script)),
                "{}: {before}",
                shown(&path)
            );
        }
    }
    assert!(containers >= 3, "{containers}");
}

/// What a test does a few times in every run, `scripts/deep` does as often as is promised.
#[test]
fn the_deep_run_raises_every_number_that_the_environment_may_raise() {
    let script = read(&root().join("scripts/deep"));
    let mut names = BTreeSet::new();
    for path in files(&root().join("tests/tests")) {
        let text = read(&path);
        for call in ["env::var(\"", "number(\""] {
            let found = text.split(call).skip(1);
            names.extend(found.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
        }
    }
    names.retain(|name| {
        let is_name = name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        let is_number = !name.starts_with("REQUIRE_") && !name.ends_with("_SEED");
        is_name && is_number && !name.starts_with("TOLLGATE_")
    });
    println!("{names:?}");
    assert!(names.len() >= 8, "{names:?}");
    names.retain(|name| !script.contains(&format!("{name}=")));
    assert!(names.is_empty(), "scripts/deep does not set {names:?}");
}
