//! The command line of tollgate: see `docs/guide/command-line.md`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tollgate::cli::main()
}
