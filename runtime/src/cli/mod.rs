//! The command line `tollgate`: what an operator does without a program of their own. It holds no
//! second implementation; every command calls what gates call.

mod args;
mod backend;
mod deployment;
mod doctor;
mod init;
mod keys;
mod output;
mod sessions;
mod settings;
mod store;
mod time;
mod tokens;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};

use args::{Arguments, Command};
use output::{Done, Exit, Failure, Output};

/// Reads the arguments of the process, does what they ask, and returns how it ended.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let is_json = std::env::args_os().any(|argument| argument == "--json");
            return Output::new(is_json).finish(misread(&error)).into();
        }
    };
    let output = Output::new(arguments.common.json);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let answer = match runtime {
        Ok(runtime) => runtime.block_on(run(arguments, &output)),
        Err(error) => Err(Failure::new(
            Exit::Unavailable,
            format!("the process cannot start its threads: {error}"),
        )),
    };
    output.finish(answer).into()
}

/// Returns what arguments that cannot be read are answered with: help and version are no errors,
/// and an error is one line.
fn misread(error: &clap::Error) -> Result<Done, Failure> {
    let text = error.render().to_string();
    if !error.use_stderr() {
        return Ok(Done::raw(text));
    }
    let is_empty = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = match is_empty {
        true => vec!["a command is missing"],
        false => paragraph.split_whitespace().collect(),
    };
    let what = words.join(" ");
    let what = what.strip_prefix("error: ").unwrap_or(&what);
    Err(Failure::usage(format!(
        "{what}: `--help` shows what there is"
    )))
}

/// Does what the arguments ask.
async fn run(arguments: Arguments, output: &Output) -> Result<Done, Failure> {
    let Arguments { common, command } = arguments;
    match command {
        Command::Init(init) => init::run(&init),
        Command::Doctor(doctor) => doctor::run(&common, &doctor).await,
        Command::Keys { command } => keys::run(&common, command, output).await,
        Command::Sessions { command } => sessions::run(&common, command, output).await,
        Command::Tokens { command } => tokens::run(&common, command, output).await,
        Command::Archive(archive) => store::archive(&common, &archive, output).await,
        Command::Migrate(migrate) => store::migrate(&common, &migrate, output).await,
        Command::Pause(everywhere) => store::pause(&common, &everywhere, true, output).await,
        Command::Resume(everywhere) => store::pause(&common, &everywhere, false, output).await,
        Command::Settings { command } => settings::run(&common, &command),
        Command::Openapi(openapi) => settings::openapi(&common, &openapi).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "tollgate", &mut script);
            let script = String::from_utf8_lossy(&script).into_owned();
            Ok(Done::raw(script))
        }
    }
}
