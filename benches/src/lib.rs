//! Measuring against peers: interleaved rounds, medians, allocations, one table of ratios.

pub mod claims;

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How many rounds there are at least; the median of so many is what is printed.
pub const ROUNDS: usize = 201;
/// How long each contestant runs within a round: shorter than the time that the system lets a busy
/// neighbour have.
const SLICE: Duration = Duration::from_millis(2);

/// One way to do a thing.
pub struct Contestant<'a> {
    name: &'static str,
    run: Box<dyn FnMut() + 'a>,
}

impl<'a> Contestant<'a> {
    /// A way to do a thing; what it returns is kept from being optimised away.
    pub fn new<T>(name: &'static str, mut run: impl FnMut() -> T + 'a) -> Self {
        Self {
            name,
            run: Box::new(move || drop(black_box(run()))),
        }
    }
}

/// What was measured of a contestant.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Its name.
    pub name: &'static str,
    /// The median over the rounds of the time that one run took, in nanoseconds.
    pub nanos: f64,
    /// How many allocations one run makes.
    pub allocations: u64,
}

/// Lets contestants run in turn, a slice each in every round, so that a noisy moment hits all of
/// them.
#[must_use]
pub fn interleave(contestants: Vec<Contestant<'_>>) -> Vec<Measured> {
    let mut contestants = contestants;
    let mut times: Vec<Vec<f64>> = contestants
        .iter()
        .map(|_| Vec::with_capacity(ROUNDS))
        .collect();
    let runs: Vec<u32> = contestants
        .iter_mut()
        .map(|contestant| calibrate(&mut contestant.run))
        .collect();
    for _ in 0..ROUNDS {
        for ((contestant, runs), times) in contestants.iter_mut().zip(&runs).zip(&mut times) {
            let start = Instant::now();
            for _ in 0..*runs {
                (contestant.run)();
            }
            times.push(start.elapsed().as_nanos() as f64 / f64::from(*runs));
        }
    }
    let measured = contestants
        .into_iter()
        .zip(times)
        .map(|(mut contestant, times)| Measured {
            name: contestant.name,
            nanos: median(times),
            allocations: allocation_counter::measure(|| (contestant.run)()).count_total,
        });
    measured.collect()
}

/// How many runs fill a slice.
fn calibrate(run: &mut dyn FnMut()) -> u32 {
    let mut runs = 1u32;
    loop {
        let start = Instant::now();
        for _ in 0..runs {
            run();
        }
        let spent = start.elapsed();
        if spent >= SLICE / 4 {
            let wanted = f64::from(runs) * SLICE.as_secs_f64() / spent.as_secs_f64();
            return (wanted as u32).max(1);
        }
        runs = runs.saturating_mul(4);
    }
}

/// The middle of some numbers.
#[must_use]
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let half = numbers.len() / 2;
    match (numbers.get(half), numbers.len() % 2) {
        (Some(upper), 0) => numbers
            .get(half.wrapping_sub(1))
            .map_or(*upper, |lower| f64::midpoint(*lower, *upper)),
        (Some(middle), _) => *middle,
        (None, _) => f64::NAN,
    }
}

/// The table of PERFORMANCE.md, filled in row by row.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<String>,
    missed: usize,
}

impl Table {
    /// A row: ours against a peer, and the ratio that is wanted.
    pub fn row(&mut self, number: &str, what: &str, ours: &Measured, peer: &Measured, target: f64) {
        let ratio = ours.nanos / peer.nanos;
        let missed = ratio > target;
        self.missed += usize::from(missed);
        self.rows.push(format!(
            "| {number} | {what} | {:.0} ns, {} | {} {:.0} ns, {} | {ratio:.3} | ≤ {target:.2}{} |",
            ours.nanos,
            ours.allocations,
            peer.name,
            peer.nanos,
            peer.allocations,
            if missed { " **missed**" } else { "" },
        ));
    }

    /// Prints it as Markdown.
    pub fn print(&self) {
        println!("medians of {ROUNDS} interleaved rounds; time and allocations of one run\n");
        println!("| # | what | tollgate | peer | ratio | target |");
        println!("|--|--|--:|--:|--:|--:|");
        for row in &self.rows {
            println!("{row}");
        }
        if self.missed > 0 {
            println!(
                "\n{} of {} rows miss their target",
                self.missed,
                self.rows.len()
            );
        }
    }
}
