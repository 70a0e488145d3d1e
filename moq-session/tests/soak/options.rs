//! What the program is asked to do.

use moq_session::Version;

use crate::load::Load;

#[derive(Debug, Clone)]
pub struct Options {
    pub versions: Vec<Version>,
    /// Each load, and how often it does what it does.
    pub loads: Vec<(Load, u64)>,
}

impl Options {
    /// # Errors
    /// What cannot be understood. Arguments of the usual test harness are none of ours.
    pub fn parse(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut versions = Version::ALL.to_vec();
        let mut loads = Load::ALL.map(|load| (load, load.few())).to_vec();
        let mut args = args.peekable();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--full" => loads = Load::ALL.map(|load| (load, load.many())).to_vec(),
                "--version" => {
                    let name = args.next().ok_or("--version needs a value")?;
                    versions = vec![name.parse().map_err(|_| format!("no version {name}"))?];
                }
                "--load" => {
                    let name = args.next().ok_or("--load needs a value")?;
                    loads.retain(|(load, _)| load.name() == name);
                    if loads.is_empty() {
                        return Err(format!("no load {name}"));
                    }
                }
                _ => {}
            }
        }
        Ok(Self { versions, loads })
    }
}
