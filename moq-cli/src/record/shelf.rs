//! Where files go.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::series;

/// Creates the files of a recording.
#[derive(Debug)]
pub(super) struct Shelf {
    base: PathBuf,
    is_split: bool,
}

impl Shelf {
    /// A place for one file or, if `is_split`, for several. None of them may be there.
    ///
    /// # Errors
    /// If one is, or the folder can't be read.
    pub(super) fn new(base: &Path, is_split: bool) -> anyhow::Result<Self> {
        if is_split {
            let parts = series::parts(base);
            let former = parts.with_context(|| cannot_create(base))?.into_iter();
            let former = former.chain(base.exists().then(|| base.to_owned())).next();
            if let Some(former) = former {
                let failure = cannot_create(&series::name(base, 1));
                let hint = format!("{} is there already", former.display());
                return Err(failure.with_hint(hint).into());
            }
        }
        let base = base.to_owned();
        Ok(Self { base, is_split })
    }

    /// Creates the next file; yields its name with it.
    ///
    /// # Errors
    /// If it can't be created.
    pub(super) fn create(&self, number: u32) -> anyhow::Result<(Output, String)> {
        let path = if self.is_split {
            series::name(&self.base, number)
        } else {
            self.base.clone()
        };
        let file = create(&path)?;
        Ok((Output::new(move || file), path.display().to_string()))
    }
}

fn create(path: &Path) -> anyhow::Result<File> {
    // What is no regular file, such as /dev/null, can be written over without loss.
    let is_special = path.metadata().is_ok_and(|metadata| !metadata.is_file());
    let mut options = OpenOptions::new();
    options.write(true);
    if !is_special {
        options.create_new(true);
    }
    options.open(path).with_context(|| {
        cannot_create(path).with_hint("give the name of a file that is not there yet")
    })
}

fn cannot_create(path: &Path) -> Failure {
    Failure::new(Exit::Failed, format!("cannot create {}", path.display()))
}
