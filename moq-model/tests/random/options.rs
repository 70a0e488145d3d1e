//! What the program is asked to do.

use std::str::FromStr;

/// Runs without any argument, as a part of `cargo test`.
const FEW: u64 = 500;
const OPS: usize = 200;

#[derive(Debug, Clone)]
pub struct Options {
    /// The first seed.
    pub seed: u64,
    pub runs: u64,
    /// Operations of a run.
    pub ops: usize,
    /// Prints each operation.
    pub is_verbose: bool,
}

impl Options {
    /// # Errors
    /// What cannot be understood. Arguments of the usual test harness are none of ours.
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut seed, mut runs, mut ops) = (None, None, OPS);
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--seed" => seed = Some(value(&arg, args.next())?),
                "--runs" => runs = Some(value(&arg, args.next())?),
                "--ops" => ops = value(&arg, args.next())?,
                _ => {}
            }
        }
        let is_one = seed.is_some() && runs.is_none();
        Ok(Self {
            seed: seed.unwrap_or_default(),
            runs: runs.unwrap_or(if is_one { 1 } else { FEW }),
            ops,
            is_verbose: is_one,
        })
    }
}

fn value<T: FromStr>(name: &str, value: Option<String>) -> Result<T, String> {
    let value = value.ok_or_else(|| format!("{name} needs a value"))?;
    value
        .parse()
        .map_err(|_| format!("{name} {value}: no number"))
}
