//! Messages as a name and fields, the same for people and for programs.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use moq_wire::{HopId, Version};

/// A message as the draft calls it, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    pub(crate) name: &'static str,
    pub(crate) fields: Vec<Field>,
}

/// One thing that a message says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    /// For programs.
    pub(crate) key: Cow<'static, str>,
    /// For people; empty where the value speaks for itself.
    pub(crate) label: Cow<'static, str>,
    pub(crate) value: Value,
}

/// What a field says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// A field that says "none", or "unknown".
    None,
    Number(u64),
    /// A number that goes without saying if it is 0.
    Position(u64),
    /// A number that is no quantity.
    Id(u64),
    Ids(Vec<u64>),
    /// A code of a stream.
    Code(u64),
    Flag(bool),
    Word(&'static str),
    Words(Vec<String>),
    /// Text of a peer.
    Text(String),
    Millis(Duration),
    /// A size in bytes.
    Size(u64),
    Payload(Bytes),
}

impl Message {
    /// A message that says nothing yet.
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            fields: Vec::new(),
        }
    }

    /// Adds a field whose label is its key.
    #[must_use]
    pub(crate) fn with(self, key: &'static str, value: impl Into<Value>) -> Self {
        self.labelled(key, key, value)
    }

    /// Adds a field that needs no label.
    #[must_use]
    pub(crate) fn bare(self, key: &'static str, value: impl Into<Value>) -> Self {
        self.labelled(key, "", value)
    }

    /// Adds a field.
    #[must_use]
    pub(crate) fn labelled(
        mut self,
        key: &'static str,
        label: &'static str,
        value: impl Into<Value>,
    ) -> Self {
        self.push(key, label, value.into());
        self
    }

    /// Adds fields that only some drafts have.
    #[must_use]
    pub(crate) fn when(self, exists: bool, add: impl FnOnce(Self) -> Self) -> Self {
        if exists { add(self) } else { self }
    }

    /// The value of a field.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        let mut fields = self.fields.iter();
        fields
            .find(|field| field.key == key)
            .map(|field| &field.value)
    }

    /// Inserts fields that need no label.
    pub(crate) fn insert_after(&mut self, key: &str, more: [(&'static str, &Value); 2]) {
        let at = self.fields.iter().position(|field| field.key == key);
        let at = at.map_or(self.fields.len(), |at| at + 1);
        let more = more.map(|(key, value)| Field {
            key: key.into(),
            label: "".into(),
            value: value.clone(),
        });
        self.fields.splice(at..at, more);
    }

    /// Adds a field of any name.
    pub(crate) fn push(
        &mut self,
        key: impl Into<Cow<'static, str>>,
        label: impl Into<Cow<'static, str>>,
        value: Value,
    ) {
        self.fields.push(Field {
            key: key.into(),
            label: label.into(),
            value,
        });
    }
}

/// What a decoded message says.
pub(crate) trait Say {
    /// Puts it into fields, those that the draft has.
    fn say(&self, version: Version) -> Message;
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<u8> for Value {
    fn from(number: u8) -> Self {
        Self::Number(number.into())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<Duration> for Value {
    fn from(duration: Duration) -> Self {
        Self::Millis(duration)
    }
}

impl From<HopId> for Value {
    fn from(hop: HopId) -> Self {
        Self::Id(hop.0)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}
