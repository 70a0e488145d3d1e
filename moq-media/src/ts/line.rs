//! Times of 33 bits → times that don't wrap around, for all streams of a program.

/// Where a time is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Here.
    At(i64),
    /// Here, and what came before has nothing to do with it.
    Broke(i64),
    /// Before a break that this stream did not come to yet.
    Out,
}

/// Follows the program's time.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// The time of the last sample of any stream.
    at: Option<i64>,
    broke_at: Option<i64>,
}

impl Line {
    pub(super) fn place(&mut self, written: u64) -> Place {
        let new = i64::try_from(written).unwrap_or(0);
        let Some(at) = self.at else {
            self.at = Some(new);
            return Place::At(new);
        };
        let step = nearest(new.wrapping_sub(at));
        if step.abs() <= JUMP {
            let place = at + step;
            self.at = Some(place);
            return Place::At(place);
        }
        let is_settling = self
            .broke_at
            .is_some_and(|broke| (at - broke).abs() < SETTLE);
        if is_settling {
            return Place::Out;
        }
        self.at = Some(new);
        self.broke_at = Some(new);
        Place::Broke(new)
    }
}

/// The distance of least size that is the same in 33 bits.
pub(super) fn nearest(distance: i64) -> i64 {
    let distance = distance.rem_euclid(WRAP);
    if distance > WRAP / 2 {
        distance - WRAP
    } else {
        distance
    }
}

const WRAP: i64 = 1 << 33;

/// Streams of a program are not further apart: ten seconds.
const JUMP: i64 = 10 * 90_000;

/// How long streams take to come to a break, in the time behind it: a second.
const SETTLE: i64 = 90_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_where_it_wraps_around() {
        let mut line = Line::default();
        let end = (1 << 33) - 100;
        assert_eq!(line.place(end), Place::At((1 << 33) - 100));
        assert_eq!(line.place(50), Place::At((1 << 33) + 50));
        // The other stream is a little behind.
        assert_eq!(line.place(end + 10), Place::At((1 << 33) - 90));
    }

    #[test]
    fn break_is_one_for_all_streams() {
        let mut line = Line::default();
        line.place(900_000_000);
        assert_eq!(line.place(5_000), Place::Broke(5_000));
        assert_eq!(line.place(900_003_600), Place::Out);
        assert_eq!(line.place(8_600), Place::At(8_600));
        // Later it is a break of its own.
        line.place(5_000 + 90_000);
        assert_eq!(line.place(900_003_600), Place::Broke(900_003_600));
    }
}
