//! What the program is asked to do.

use std::str::FromStr;

use moq_session::Version;

/// Seeds without any argument, as a part of `cargo test`.
const FEW: u64 = 20;
/// One call in so many fails then.
const SAMPLE: u64 = 199;

#[derive(Debug, Clone)]
pub struct Options {
    /// The first seed.
    pub seed: u64,
    pub seeds: u64,
    /// Prints each event.
    pub is_verbose: bool,
    /// Lets each nth call of the standard scenario fail; `None` leaves that out.
    pub nth: Option<Nth>,
    /// Stops at the first violation.
    pub is_hunt: bool,
    /// Every kind of fault must have acted, and everything that is counted must have happened.
    pub is_complete: bool,
    /// Enforces rules that only count otherwise.
    pub is_strict: bool,
}

/// Which calls fail, in which drafts.
#[derive(Debug, Clone)]
pub struct Nth {
    pub versions: Vec<Version>,
    /// One call in so many.
    pub step: u64,
    /// This one alone, with each event printed.
    pub call: Option<u64>,
}

impl Options {
    /// # Errors
    /// What cannot be understood. Arguments of the usual test harness are none of ours.
    pub fn parse(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut seed, mut seeds, mut call) = (None, None, None);
        let (mut nth, mut is_hunt, mut is_strict) = (None::<Nth>, false, false);
        let mut args = args.peekable();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--seed" => seed = Some(value(&arg, args.next())?),
                "--seeds" => seeds = Some(value(&arg, args.next())?),
                "--nth" => {
                    let versions = match args.next_if(|next| !next.starts_with("--")) {
                        Some(name) => vec![name.parse().map_err(|_| format!("no version {name}"))?],
                        None => Version::ALL.to_vec(),
                    };
                    nth = Some(Nth {
                        versions,
                        step: 1,
                        call: None,
                    });
                }
                "--call" => call = Some(value(&arg, args.next())?),
                "--hunt" => is_hunt = true,
                "--strict" => is_strict = true,
                _ => {}
            }
        }
        if let Some(nth) = &mut nth {
            nth.call = call;
        }
        let is_plain = seed.is_none() && seeds.is_none() && nth.is_none();
        let sample = || Nth {
            versions: Version::ALL.to_vec(),
            step: SAMPLE,
            call: None,
        };
        let is_one = seed.is_some() && seeds.is_none();
        let few = if is_plain { FEW } else { u64::from(is_one) };
        Ok(Self {
            seed: seed.unwrap_or_default(),
            seeds: seeds.unwrap_or(few),
            is_verbose: is_one,
            nth: nth.or_else(|| is_plain.then(sample)),
            is_hunt,
            is_complete: !is_hunt && seeds.is_some_and(|seeds| seeds >= 100),
            is_strict,
        })
    }
}

fn value<T: FromStr>(name: &str, value: Option<String>) -> Result<T, String> {
    let value = value.ok_or_else(|| format!("{name} needs a value"))?;
    value
        .parse()
        .map_err(|_| format!("{name} {value}: no number"))
}
