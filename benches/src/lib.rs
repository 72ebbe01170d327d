//! Measuring against peers: interleaved rounds, medians with their spread, allocations, one table of
//! ratios.
//!
//! A time is the processor time of the measuring thread, so that a busy neighbour on the same
//! machine changes a figure little.

pub mod claims;
mod picture;
pub mod server;

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use picture::{Line, Pair, Stack};

/// The number of rounds; a figure is the median of so many.
pub const ROUNDS: usize = 201;
/// The time for which each contestant runs within a round: shorter than the time that the system
/// gives a busy neighbour.
const SLICE: Duration = Duration::from_millis(2);

/// Returns the processor time that this thread has used.
#[must_use]
pub fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.try_into().unwrap_or_default(),
        time.tv_nsec.try_into().unwrap_or_default(),
    )
}

/// Returns the processor time that all threads of this process have used.
#[must_use]
pub fn process_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.try_into().unwrap_or_default(),
        time.tv_nsec.try_into().unwrap_or_default(),
    )
}

/// One way to do a thing.
pub struct Contestant<'a> {
    name: &'static str,
    run: Box<dyn FnMut() + 'a>,
}

impl<'a> Contestant<'a> {
    /// Makes a contestant; what `run` returns is kept from being optimised away.
    pub fn new<T>(name: &'static str, mut run: impl FnMut() -> T + 'a) -> Self {
        Self {
            name,
            run: Box::new(move || drop(black_box(run()))),
        }
    }
}

/// The figures of a contestant.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Its name.
    pub name: &'static str,
    /// The processor time of one run in each round, in nanoseconds.
    pub rounds: Vec<f64>,
    /// The number of allocations in one run.
    pub allocations: u64,
}

impl Measured {
    /// Returns the median time of one run, in nanoseconds.
    #[must_use]
    pub fn nanos(&self) -> f64 {
        median(self.rounds.clone())
    }

    /// Returns what one run costs more than one of `base`, round by round.
    #[must_use]
    pub fn over(&self, base: &Self) -> Self {
        let rounds = self.rounds.iter().zip(&base.rounds);
        Self {
            name: self.name,
            rounds: rounds.map(|(one, other)| one - other).collect(),
            allocations: self.allocations.saturating_sub(base.allocations),
        }
    }

    /// Returns a figure that was measured elsewhere, the same in every round.
    #[must_use]
    pub fn fixed(name: &'static str, nanos: f64) -> Self {
        Self {
            name,
            rounds: vec![nanos; ROUNDS],
            allocations: 0,
        }
    }
}

/// Lets contestants run in turn, a slice each in every round, so that a noisy moment hits all of
/// them.
#[must_use]
pub fn interleave(contestants: Vec<Contestant<'_>>) -> Vec<Measured> {
    interleave_by(thread_time, contestants)
}

/// Does [`interleave`] by another clock, such as [`process_time`] for what works on threads of its
/// own.
#[must_use]
pub fn interleave_by(now: fn() -> Duration, contestants: Vec<Contestant<'_>>) -> Vec<Measured> {
    let mut contestants = contestants;
    let mut times: Vec<Vec<f64>> = contestants
        .iter()
        .map(|_| Vec::with_capacity(ROUNDS))
        .collect();
    let runs: Vec<u32> = contestants
        .iter_mut()
        .map(|contestant| calibrate(now, &mut contestant.run))
        .collect();
    for _ in 0..ROUNDS {
        for ((contestant, runs), times) in contestants.iter_mut().zip(&runs).zip(&mut times) {
            let start = now();
            for _ in 0..*runs {
                (contestant.run)();
            }
            let spent = now().saturating_sub(start);
            times.push(spent.as_nanos() as f64 / f64::from(*runs));
        }
    }
    let measured = contestants
        .into_iter()
        .zip(times)
        .map(|(mut contestant, rounds)| Measured {
            name: contestant.name,
            rounds,
            allocations: allocation_counter::measure(|| (contestant.run)()).count_total,
        });
    measured.collect()
}

/// Returns how many runs fill a slice.
fn calibrate(now: fn() -> Duration, run: &mut dyn FnMut()) -> u32 {
    let mut runs = 1u32;
    loop {
        let start = now();
        for _ in 0..runs {
            run();
        }
        let spent = now().saturating_sub(start);
        if spent >= SLICE / 4 {
            let wanted = f64::from(runs) * SLICE.as_secs_f64() / spent.as_secs_f64();
            return (wanted as u32).max(1);
        }
        runs = runs.saturating_mul(4);
    }
}

/// Returns the middle of some numbers.
#[must_use]
pub fn median(numbers: Vec<f64>) -> f64 {
    quantile(numbers, 0.5)
}

/// Returns the number below which a share of them lies.
fn quantile(mut numbers: Vec<f64>, share: f64) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let Some(last) = numbers.len().checked_sub(1) else {
        return f64::NAN;
    };
    let at = share * last as f64;
    let [lower, upper] = [at.floor(), at.ceil()].map(|at| numbers[at as usize]);
    lower + (upper - lower) * at.fract()
}

/// The bound that a ratio should keep: an upper one for times, a lower one for rates.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// The ratio is to be at most this.
    AtMost(f64),
    /// The ratio is to be at least this.
    AtLeast(f64),
    /// The ratio is printed only.
    None,
}

/// The table of targets, filled in row by row.
#[derive(Debug, Default)]
pub struct Table {
    count: usize,
    missed: usize,
    pairs: Vec<Pair>,
    lines: Vec<Line>,
    stacks: Vec<Stack>,
}

impl Table {
    /// Prints a row: ours against a peer, as the median of the ratios of the rounds with the middle
    /// half of them, and the ratio that is wanted.
    pub fn row(&mut self, number: &str, what: &str, ours: &Measured, peer: &Measured, target: f64) {
        self.row_as(number, what, ours, peer, Target::AtMost(target));
    }

    /// Prints a row whose target may be of another kind.
    pub fn row_as(
        &mut self,
        number: &str,
        what: &str,
        ours: &Measured,
        peer: &Measured,
        target: Target,
    ) {
        let ratios: Vec<f64> = ours
            .rounds
            .iter()
            .zip(&peer.rounds)
            .map(|(ours, peer)| ours / peer)
            .collect();
        let is_wanted = |ratio: f64| match target {
            Target::AtMost(most) => ratio <= most,
            Target::AtLeast(least) => ratio >= least,
            Target::None => true,
        };
        self.pairs.push(Pair {
            label: format!("{number}  {what}"),
            ours: ours.nanos(),
            peer: peer.nanos(),
            is_missed: !is_wanted(median(ratios.clone())),
        });
        let side = |of: &Measured| format!("{} {:.0} ns, {}", of.name, of.nanos(), of.allocations);
        self.print(number, what, &side(ours), &side(peer), ratios, target);
    }

    /// Prints a row of ratios that were taken elsewhere.
    pub fn print(
        &mut self,
        number: &str,
        what: &str,
        ours: &str,
        peer: &str,
        ratios: Vec<f64>,
        target: Target,
    ) {
        if self.count == 0 {
            println!("| # | what | tollgate | peer | ratio | middle half | target |");
            println!("|--|--|--:|--:|--:|--:|--:|");
        }
        let ratio = median(ratios.clone());
        let (missed, wanted) = match target {
            Target::AtMost(most) => (ratio > most, format!("≤ {most}")),
            Target::AtLeast(least) => (ratio < least, format!("≥ {least}")),
            Target::None => (false, String::new()),
        };
        self.missed += usize::from(missed);
        self.count += 1;
        println!(
            "| {number} | {what} | {ours} | {peer} | {ratio:.4} | {:.4}–{:.4} | {wanted}{} |",
            quantile(ratios.clone(), 0.25),
            quantile(ratios, 0.75),
            if missed { " **missed**" } else { "" },
        );
    }

    /// Prints how many rows miss their target.
    pub fn end(&self) {
        println!(
            "\n{} of {} rows miss their target; times are processor time and allocations of one \
             run, medians of {ROUNDS} interleaved rounds",
            self.missed, self.count
        );
    }

    /// Notes a point of a line: a time at a size.
    pub fn point(&mut self, name: &str, size: f64, nanos: f64) {
        match self.lines.iter_mut().find(|line| line.name == name) {
            Some(line) => line.points.push((size, nanos)),
            None => self.lines.push(Line {
                name: name.to_owned(),
                points: vec![(size, nanos)],
            }),
        }
    }

    /// Prints the parts of which a time consists.
    pub fn parts(&mut self, name: &str, parts: &[(&str, f64)]) {
        let sum: f64 = parts.iter().map(|(_, nanos)| nanos).sum();
        println!("\n{name}: {sum:.0} ns");
        for (part, nanos) in parts {
            println!("- {part}: {nanos:.0} ns, {:.0} %", nanos / sum * 100.0);
        }
        let own = |(name, nanos): &(&str, f64)| ((*name).to_owned(), *nanos);
        self.stacks.push(Stack {
            name: name.to_owned(),
            parts: parts.iter().map(own).collect(),
        });
    }

    /// Writes pictures (SVG) of what was measured into a folder.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn draw(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        if !self.pairs.is_empty() {
            std::fs::write(folder.join("peers.svg"), picture::pairs(&self.pairs))?;
        }
        if !self.lines.is_empty() {
            let text = picture::lines(&self.lines, "entries of the view of revocations");
            std::fs::write(folder.join("growth.svg"), text)?;
        }
        if !self.stacks.is_empty() {
            std::fs::write(folder.join("request.svg"), picture::stacks(&self.stacks))?;
        }
        Ok(())
    }
}
