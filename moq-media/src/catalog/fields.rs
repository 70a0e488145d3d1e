//! Typed fields out of a JSON object; what is not asked for is left in it.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::error::Fault;
use super::text;

/// An object whose known fields are taken out one by one.
///
/// A field that is `null` counts as absent, because a null is refused by players when written.
pub(super) struct Fields {
    path: String,
    map: Map<String, Value>,
}

impl Fields {
    /// The object at `path`, which is empty for the document itself.
    pub(super) fn new(path: String, value: Value) -> Result<Self, Fault> {
        match value {
            Value::Object(map) => Ok(Self { path, map }),
            other => Err(fault(&path, "an object", &other)),
        }
    }

    /// Where the field `name` stands in the document.
    pub(super) fn path(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// What was not taken, without nulls at any depth.
    pub(super) fn rest(self) -> Map<String, Value> {
        let mut rest = Value::Object(self.map);
        drop_nulls(&mut rest);
        match rest {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Fault> {
        self.typed(name, "a string", |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, Fault> {
        self.typed(name, "true or false", Value::as_bool)
    }

    pub(super) fn float(&mut self, name: &str) -> Result<Option<f64>, Fault> {
        let finite = |value: &Value| value.as_f64().filter(|number| number.is_finite());
        self.typed(name, "a number", finite)
    }

    /// A whole number, also when it is spelled `30.0`.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<u64>, Fault> {
        self.typed(name, "a whole number", whole)
    }

    /// A whole number below 2³².
    pub(super) fn small(&mut self, name: &str) -> Result<Option<u32>, Fault> {
        let small = |value: &Value| whole(value).and_then(|number| u32::try_from(number).ok());
        self.typed(name, "a whole number below 2^32", small)
    }

    pub(super) fn hex(&mut self, name: &str) -> Result<Option<Bytes>, Fault> {
        let bytes = |value: &Value| value.as_str().and_then(text::from_hex).map(Bytes::from);
        self.typed(name, "hex digits, two a byte", bytes)
    }

    pub(super) fn base64(&mut self, name: &str) -> Result<Option<Bytes>, Fault> {
        let bytes = |value: &Value| value.as_str().and_then(text::from_base64).map(Bytes::from);
        self.typed(name, "base64", bytes)
    }

    /// A field that has to be there.
    pub(super) fn required<T>(
        &self,
        name: &str,
        expected: &'static str,
        value: Option<T>,
    ) -> Result<T, Fault> {
        value.ok_or_else(|| Fault {
            field: self.path(name),
            expected,
            found: "nothing".to_owned(),
        })
    }

    fn typed<T>(
        &mut self,
        name: &str,
        expected: &'static str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        match read(&value) {
            Some(read) => Ok(Some(read)),
            None => Err(fault(&self.path(name), expected, &value)),
        }
    }
}

fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let number = value.as_f64()?;
        let is_whole = number >= 0.0 && number.fract() == 0.0 && number < MAX_EXACT;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, not negative and below 2^53"
        )]
        is_whole.then_some(number as u64)
    })
}

/// What was expected at `path`, and what is there.
pub(super) fn fault(path: &str, expected: &'static str, found: &Value) -> Fault {
    let mut found = match found {
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    };
    if found.chars().count() > MOST_SHOWN {
        found = found.chars().take(MOST_SHOWN).chain(['…']).collect();
    }
    Fault {
        field: path.to_owned(),
        expected,
        found,
    }
}

/// Takes `null` out of objects, because players refuse it; in arrays it is a place and stays.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(values) => values.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// 2⁵³: the whole numbers below it are exact in a float.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Characters of a wrong value that an error shows.
const MOST_SHOWN: usize = 40;
