//! Measures how long an application with tollgate takes to build, against one with jsonwebtoken.
//!
//! ```sh
//! cargo run -p tollgate-benches --bin compile -- [options] [clean builds] [rebuilds]
//! ```
//!
//! writes crates into a temporary folder, builds them in turn and prints the ratios of the medians,
//! in wall time and in processor time, and how much code the compiler generates for each. Needs the
//! network once, to fetch what is not there yet. Options:
//!
//! - `--only crates`, `--only clean`, `--only rebuild`, `--only code`: this table alone, or each of
//!   these;
//! - `--of FOLDER`: the tollgate of another checkout of this repository.

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
    let options = Options::read(std::env::args().skip(1))?;
    let folder = std::env::temp_dir().join(format!("tollgate-compile-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let outcome = measure(&folder, &options);
    fs::remove_dir_all(&folder)?;
    outcome
}

/// The tables that can be printed alone.
const TABLES: [&str; 4] = ["crates", "clean", "rebuild", "code"];

/// The options of the command line.
struct Options {
    /// The tables that are wanted; empty for all.
    only: Vec<String>,
    /// The checkout whose tollgate is used.
    workspace: PathBuf,
    cleans: usize,
    rebuilds: usize,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Outcome<Self> {
        let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut options = Self {
            only: Vec::new(),
            workspace: benches.parent().unwrap_or(benches).to_owned(),
            cleans: 3,
            rebuilds: 15,
        };
        let mut numbers = Vec::new();
        while let Some(argument) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .ok_or(format!("`{argument}` needs a value"))
            };
            match argument.as_str() {
                "--only" => {
                    let table = value()?;
                    if !TABLES.contains(&table.as_str()) {
                        return Err(format!("`--only` takes one of {}", TABLES.join(", ")).into());
                    }
                    options.only.push(table);
                }
                "--of" => options.workspace = fs::canonicalize(value()?)?,
                number => numbers.push(
                    number
                        .parse()
                        .map_err(|_| format!("`{number}` is neither an option nor a number"))?,
                ),
            }
        }
        match numbers[..] {
            [] => {}
            [cleans] => options.cleans = cleans,
            [cleans, rebuilds] => (options.cleans, options.rebuilds) = (cleans, rebuilds),
            _ => return Err("at most two numbers: clean builds, rebuilds".into()),
        }
        Ok(options)
    }

    fn wants(&self, table: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == table)
    }
}

fn measure(folder: &Path, options: &Options) -> Outcome<()> {
    let crates = |size| {
        [Kind::Tollgate, Kind::ByHand, Kind::Bare].map(|kind| Project {
            root: folder.join(size_name(size)),
            workspace: options.workspace.clone(),
            kind,
            size,
        })
    };
    let (small, large) = (crates(Size::SMALL), crates(Size::LARGE));
    if options.wants("crates") || options.wants("clean") {
        for project in &small {
            project.write()?;
        }
    }
    if options.wants("rebuild") || options.wants("code") {
        for project in &large {
            project.write()?;
        }
    }
    if options.wants("crates") {
        count(&small)?;
    }
    if options.wants("clean") {
        clean(&small, options.cleans)?;
    }
    if options.wants("rebuild") {
        rebuild(&large, options.rebuilds)?;
    }
    if options.wants("code") {
        code(&large)?;
    }
    Ok(())
}

/// Prints what a clean build of a small application takes.
fn clean([ours, peer, _]: &[Project; 3], cleans: usize) -> Outcome<()> {
    let mut spent = Spent::default();
    for round in 0..cleans {
        for (project, spent) in [(ours, &mut spent.ours), (peer, &mut spent.peer)] {
            project.clean()?;
            spent.push(project.build()?);
        }
        eprintln!("clean build {} of {cleans}", round + 1);
    }
    spent.print("16", "clean build, one user type, one backend", 1.15);
    println!("\nmedians of {cleans} rounds, taken in turn; `dev` profile");
    Ok(())
}

/// Prints what a rebuild of a large application takes.
fn rebuild([ours, peer, _]: &[Project; 3], rebuilds: usize) -> Outcome<()> {
    for project in [ours, peer] {
        project.build()?;
    }
    let mut spent = Spent::default();
    // The first rebuild fills the incremental cache of the second; it is not counted.
    for round in 0..=rebuilds {
        for (project, spent) in [(ours, &mut spent.ours), (peer, &mut spent.peer)] {
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
    println!("\nmedians of {rebuilds} rounds, taken in turn; `dev` profile");
    Ok(())
}

/// Prints how much code the compiler generates for the crate of a large application: what it
/// monomorphises counts, what its dependencies contain already does not.
fn code([ours, peer, _]: &[Project; 3]) -> Outcome<()> {
    println!(
        "\n| code of the crate, {} | tollgate | by hand on jsonwebtoken | ratio |",
        Size::LARGE
    );
    println!("|--|--:|--:|--:|");
    let (ours, peer) = (ours.generated()?, peer.generated()?);
    for (what, ours, peer) in [
        ("LLVM functions", ours.functions, peer.functions),
        ("lines of LLVM IR", ours.lines, peer.lines),
        (
            "object, KiB, without debug information",
            ours.object,
            peer.object,
        ),
    ] {
        #[expect(clippy::cast_precision_loss, reason = "counts are small")]
        let ratio = ours as f64 / peer as f64;
        println!("| {what} | {ours} | {peer} | {ratio:.2} |");
    }
    Ok(())
}

/// The size of what the compiler made of one crate.
struct Generated {
    functions: u64,
    lines: u64,
    /// In KiB, without debug information.
    object: u64,
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

/// The time that one build took, in seconds.
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
            "\n| # | what | tollgate | by hand on jsonwebtoken | ratio | in processor time | target |"
        );
        println!("|--|--|--:|--:|--:|--:|--:|");
        println!(
            "| {number} | {what} | {ours:.2} s | {peer:.2} s | {ratio:.2} | {:.2} | ≤ {target:.2}{missed} |",
            processor(&self.ours) / processor(&self.peer),
        );
    }
}

/// A crate that is built.
struct Project {
    root: PathBuf,
    workspace: PathBuf,
    kind: Kind,
    size: Size,
}

impl Project {
    fn folder(&self) -> PathBuf {
        self.root.join(self.kind.name())
    }

    fn write(&self) -> Outcome<()> {
        let (folder, workspace) = (self.folder(), &self.workspace);
        fs::create_dir_all(folder.join("src"))?;
        fs::write(
            folder.join("Cargo.toml"),
            generate::manifest(self.kind, workspace),
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

    /// Compiles the crate as one unit, without linking it, and counts what came out.
    fn generated(&self) -> Outcome<Generated> {
        let mut rustc = self.cargo();
        rustc
            .args(["rustc", "--offline", "--quiet", "--", "--emit=llvm-ir,obj"])
            .args(["-Ccodegen-units=1", "-Cdebuginfo=0", "-Awarnings"])
            .env("CARGO_INCREMENTAL", "0");
        run(&mut rustc)?;
        let (mut ir, mut object) = (None, None);
        for entry in fs::read_dir(self.folder().join("target/debug/deps"))? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("application-") {
                match path.extension().and_then(|extension| extension.to_str()) {
                    Some("ll") => ir = Some(fs::read_to_string(&path)?),
                    Some("o") => object = Some(fs::metadata(&path)?.len()),
                    _ => {}
                }
            }
        }
        let ir = ir.ok_or("the compiler wrote no LLVM IR")?;
        let functions = ir.lines().filter(|line| line.starts_with("define "));
        Ok(Generated {
            functions: functions.count() as u64,
            lines: ir.lines().count() as u64,
            object: object.ok_or("the compiler wrote no object")? / 1024,
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
