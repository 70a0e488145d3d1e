//! Why a cell failed.

/// What was expected, and what came instead.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) expected: String,
    pub(crate) received: String,
}

impl Failure {
    pub(crate) fn new(expected: impl Into<String>, received: impl Into<String>) -> Self {
        Self {
            expected: expected.into(),
            received: received.into(),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new("a cell that can be staged", format!("{error:#}"))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        anyhow::Error::new(error).into()
    }
}
