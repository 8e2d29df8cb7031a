//! Measuring two things side by side: turn by turn, so that what else the machine does meets both, and as ratios, so that
//! it matters little how fast the machine is.

use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// How long a turn takes, about: short, so that most turns are undisturbed.
const TURN: Duration = Duration::from_millis(3);

/// How two things compare.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Compared {
    pub(crate) name: String,
    /// Nanoseconds of one operation, the median of all turns.
    pub(crate) ours: f64,
    pub(crate) theirs: f64,
    /// How fast ours is, where theirs is 1: the median of all turns.
    pub(crate) ratio: f64,
    /// Between these is half of them.
    pub(crate) spread: (f64, f64),
    /// What it is to reach, if anything.
    pub(crate) to_reach: Option<f64>,
}

/// Something that can be done often, and says how long that took.
pub(crate) trait Repeat {
    async fn repeat(&mut self, times: u32) -> anyhow::Result<Duration>;
}

/// Measures in so many turns each.
pub(crate) async fn compare(
    name: &str,
    to_reach: Option<f64>,
    turns: usize,
    ours: &mut impl Repeat,
    theirs: &mut impl Repeat,
) -> anyhow::Result<Compared> {
    let mut times = 1;
    while theirs.repeat(times).await? < TURN && times < 1 << 20 {
        times *= 2;
    }
    ours.repeat(times).await?;
    let (mut of_ours, mut of_theirs) = (Vec::new(), Vec::new());
    for turn in 0..turns {
        // Who begins takes turns, too.
        if turn % 2 == 0 {
            of_ours.push(ours.repeat(times).await?);
            of_theirs.push(theirs.repeat(times).await?);
        } else {
            of_theirs.push(theirs.repeat(times).await?);
            of_ours.push(ours.repeat(times).await?);
        }
    }
    let each =
        |all: &[Duration]| all.iter().map(|took| took.as_secs_f64() * 1e9 / f64::from(times)).collect::<Vec<_>>();
    Ok(summed_up(name, to_reach, &each(&of_ours), &each(&of_theirs)))
}

/// What came of the turns, in nanoseconds each.
pub(crate) fn summed_up(name: &str, to_reach: Option<f64>, ours: &[f64], theirs: &[f64]) -> Compared {
    let ratios: Vec<_> = ours.iter().zip(theirs).map(|(ours, theirs)| theirs / ours).collect();
    let compared = Compared {
        name: name.to_owned(),
        ours: quantile(ours, 0.5),
        theirs: quantile(theirs, 0.5),
        ratio: quantile(&ratios, 0.5),
        spread: (quantile(&ratios, 0.25), quantile(&ratios, 0.75)),
        to_reach,
    };
    let Compared { ours, theirs, ratio, spread, .. } = &compared;
    eprintln!("{name:32} {ours:12.0} ns  {theirs:12.0} ns  {ratio:5.2}  ({:.2} to {:.2})", spread.0, spread.1);
    compared
}

/// How long something took, once.
pub(crate) async fn timed<T>(work: impl Future<Output = T>) -> (Duration, T) {
    let started = Instant::now();
    let done = work.await;
    (started.elapsed(), done)
}

pub(crate) fn quantile(values: &[f64], at: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * at).round() as usize]
}
