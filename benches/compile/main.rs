//! How long a crate that uses tollgate takes to build, against one that uses jsonwebtoken
//! (PERFORMANCE rows 16 and 17).
//!
//! `cargo run -p tollgate-benches --bin compile [clean builds] [rebuilds]` writes crates into a
//! temporary folder, builds them in turn and prints the ratios of the medians, in wall time and in
//! processor time. Needs the network once, to fetch what is not there yet.

mod generate;

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use generate::{Kind, Size};
use tollgate_benches::median;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let mut numbers = std::env::args()
        .skip(1)
        .map(|number| number.parse::<usize>());
    let cleans = numbers.next().transpose()?.unwrap_or(3);
    let rebuilds = numbers.next().transpose()?.unwrap_or(15);
    let folder = std::env::temp_dir().join(format!("tollgate-compile-{}", std::process::id()));
    let outcome = measure(&folder, cleans, rebuilds);
    fs::remove_dir_all(&folder)?;
    outcome
}

fn measure(folder: &Path, cleans: usize, rebuilds: usize) -> Outcome<()> {
    let crates = |size| {
        [Kind::Tollgate, Kind::ByHand, Kind::Bare].map(|kind| Project {
            root: folder.join(size_name(size)),
            kind,
            size,
        })
    };
    let small = crates(Size::SMALL);
    for project in &small {
        project.write()?;
    }
    count(&small)?;

    let [ours, peer, _] = &small;
    let mut spent = Spent::default();
    for round in 0..cleans {
        for (project, spent) in [(ours, &mut spent.ours), (peer, &mut spent.peer)] {
            project.clean()?;
            spent.push(project.build()?);
        }
        eprintln!("clean build {} of {cleans}", round + 1);
    }
    println!(
        "\n| # | what | tollgate | by hand on jsonwebtoken | ratio | in processor time | target |"
    );
    println!("|--|--|--:|--:|--:|--:|--:|");
    spent.print("16", "clean build, one user type, one backend", 1.15);

    let [ours, peer, _] = crates(Size::LARGE);
    for project in [&ours, &peer] {
        project.write()?;
        project.build()?;
    }
    let mut spent = Spent::default();
    // The first rebuild fills the incremental cache of the second; it is not counted.
    for round in 0..=rebuilds {
        for (project, spent) in [(&ours, &mut spent.ours), (&peer, &mut spent.peer)] {
            project.touch(round)?;
            let took = project.build()?;
            if round > 0 {
                spent.push(took);
            }
        }
    }
    spent.print(
        "17",
        &format!("rebuild after a handler was touched, {}", Size::LARGE),
        1.3,
    );
    println!("\nmedians of {cleans} and {rebuilds} rounds, taken in turn; `dev` profile");
    Ok(())
}

/// Prints how many crates each graph has, and which versions of syn.
fn count(projects: &[Project; 3]) -> Outcome<()> {
    let graphs = projects.each_ref().map(Project::graph);
    let [ours, peer, bare] = graphs;
    let (ours, peer, bare) = (ours?, peer?, bare?);
    let syn = |graph: &BTreeSet<String>| {
        let versions: Vec<&str> = graph
            .iter()
            .filter_map(|line| line.strip_prefix("syn "))
            .collect();
        versions.join(" and ")
    };
    println!("| crates in the graph | all | over bare axum | syn |");
    println!("|--|--:|--:|--|");
    for (name, graph) in [
        ("bare axum", &bare),
        ("with jsonwebtoken", &peer),
        ("with tollgate", &ours),
    ] {
        println!(
            "| {name} | {} | {} | {} |",
            graph.len(),
            graph.difference(&bare).count(),
            syn(graph)
        );
    }
    println!(
        "\nover bare axum with tollgate: {}",
        ours.difference(&bare)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ")
    );
    println!(
        "of these not with jsonwebtoken: {}",
        ours.difference(&peer)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ")
    );
    Ok(())
}

/// What one build took, in seconds.
#[derive(Clone, Copy)]
struct Took {
    wall: f64,
    /// Of all processes that had a part in it; `NAN` where the system does not tell.
    processor: f64,
}

#[derive(Default)]
struct Spent {
    ours: Vec<Took>,
    peer: Vec<Took>,
}

impl Spent {
    fn print(&self, number: &str, what: &str, target: f64) {
        let wall = |all: &[Took]| median(all.iter().map(|took| took.wall).collect());
        let processor = |all: &[Took]| median(all.iter().map(|took| took.processor).collect());
        let (ours, peer) = (wall(&self.ours), wall(&self.peer));
        let ratio = ours / peer;
        let missed = if ratio > target { " **missed**" } else { "" };
        println!(
            "| {number} | {what} | {ours:.2} s | {peer:.2} s | {ratio:.2} | {:.2} | ≤ {target:.2}{missed} |",
            processor(&self.ours) / processor(&self.peer),
        );
    }
}

/// A crate that is built.
struct Project {
    root: PathBuf,
    kind: Kind,
    size: Size,
}

impl Project {
    fn folder(&self) -> PathBuf {
        self.root.join(self.kind.name())
    }

    fn write(&self) -> Outcome<()> {
        let (folder, workspace) = (self.folder(), workspace());
        fs::create_dir_all(folder.join("src"))?;
        fs::write(
            folder.join("Cargo.toml"),
            generate::manifest(self.kind, &workspace),
        )?;
        // The versions are those of this workspace.
        fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock"))?;
        for (name, text) in generate::sources(self.kind, self.size) {
            fs::write(folder.join("src").join(name), text)?;
        }
        run(self.cargo().arg("fetch").arg("--quiet"))
    }

    fn clean(&self) -> Outcome<()> {
        let target = self.folder().join("target");
        if target.exists() {
            Ok(fs::remove_dir_all(target)?)
        } else {
            Ok(())
        }
    }

    fn touch(&self, round: usize) -> Outcome<()> {
        Ok(fs::write(
            self.folder().join("src/touched.rs"),
            generate::touched(self.kind, round),
        )?)
    }

    fn build(&self) -> Outcome<Took> {
        let (processor, start) = (processor_time(), Instant::now());
        run(self.cargo().args(["build", "--offline", "--quiet"]))?;
        Ok(Took {
            wall: start.elapsed().as_secs_f64(),
            processor: processor_time() - processor,
        })
    }

    /// The crates of the graph as "name version", this one left out.
    fn graph(&self) -> Outcome<BTreeSet<String>> {
        let output = self
            .cargo()
            .args(["tree", "--offline", "--prefix=none", "--edges=normal,build"])
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        let text = String::from_utf8(output.stdout)?;
        let crates = text.lines().skip(1).filter_map(|line| {
            let mut words = line.split(' ');
            Some(format!("{} {}", words.next()?, words.next()?))
        });
        Ok(crates.collect())
    }

    /// A cargo that builds in this crate's own folder, whatever the surroundings ask for.
    fn cargo(&self) -> Command {
        let mut cargo = Command::new("cargo");
        cargo
            .current_dir(self.folder())
            .env_remove("CARGO_INCREMENTAL")
            .env("CARGO_TARGET_DIR", self.folder().join("target"));
        cargo
    }
}

fn size_name(size: Size) -> &'static str {
    if size == Size::SMALL {
        "small"
    } else {
        "large"
    }
}

fn workspace() -> PathBuf {
    let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
    benches.parent().unwrap_or(benches).to_owned()
}

fn run(command: &mut Command) -> Outcome<()> {
    let status = command.status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{command:?} failed").into())
    }
}

/// The processor time of all children that ended, in seconds (proc_pid_stat(5), fields 16 and 17,
/// in hundredths).
fn processor_time() -> f64 {
    let read = || {
        let text = fs::read_to_string("/proc/self/stat").ok()?;
        let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(13);
        let ticks = fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?;
        Some(ticks / 100.0)
    };
    read().unwrap_or(f64::NAN)
}
