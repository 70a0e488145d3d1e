//! What a few noisy figures say.

/// Where values lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) count: usize,
}

impl Spread {
    /// The median, with the least and the greatest value.
    pub(super) fn range(values: &[f64]) -> Option<Self> {
        let sorted = sorted(values);
        Some(Self {
            median: median(&sorted)?,
            low: *sorted.first()?,
            high: *sorted.last()?,
            count: sorted.len(),
        })
    }

    /// The median, with its 95 % confidence interval by bootstrap.
    pub(super) fn interval(values: &[f64]) -> Option<Self> {
        let mut random = Random(SEED);
        let resamples = (0..RESAMPLES).map(|_| {
            let picked = values
                .iter()
                .map(|_| values.get(random.below(values.len())));
            median(&sorted(&picked.flatten().copied().collect::<Vec<_>>()))
        });
        let medians = sorted(&resamples.collect::<Option<Vec<_>>>()?);
        let tail = medians.len() / 40;
        Some(Self {
            median: median(&sorted(values))?,
            low: *medians.get(tail)?,
            high: *medians.get(medians.len() - 1 - tail)?,
            count: values.len(),
        })
    }
}

/// The value that so much of all, from 0 to 1, does not exceed.
pub(super) fn quantile(values: &[f64], quantile: f64) -> Option<f64> {
    let sorted = sorted(values);
    let rank = (sorted.len() as f64 * quantile).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some((sorted.get(middle - 1)? + upper) / 2.0)
}

/// xorshift64*: the same interval for the same figures.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        (high as usize * bound) >> 32
    }
}

const SEED: u64 = 0x9E37_79B9_7F4A_7C15;

const RESAMPLES: usize = 4_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_an_even_count_lies_between() {
        let spread = Spread::range(&[3.0, 1.0, 2.0, 10.0]).unwrap();
        assert_eq!((spread.median, spread.low, spread.high), (2.5, 1.0, 10.0));
        assert_eq!(Spread::range(&[]), None);
        assert_eq!(Spread::interval(&[]), None);
    }

    #[test]
    fn interval_holds_the_median_and_leaves_out_the_outlier() {
        let mut values: Vec<f64> = (0..20)
            .map(|value| 1.0 + f64::from(value) / 100.0)
            .collect();
        values.push(50.0);
        let spread = Spread::interval(&values).unwrap();
        assert!(spread.low < spread.median && spread.median < spread.high);
        assert!(spread.low > 1.0 && spread.high < 1.2, "{spread:?}");
        assert_eq!(
            Spread::interval(&[2.0]).map(|one| (one.low, one.high)),
            Some((2.0, 2.0))
        );
    }

    #[test]
    fn quantiles_are_ranks() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(quantile(&values, 0.5), Some(50.0));
        assert_eq!(quantile(&values, 0.99), Some(99.0));
        assert_eq!(quantile(&[7.0], 0.0), Some(7.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
