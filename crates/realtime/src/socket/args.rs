//! The arguments of an event or an acknowledgement: JSON values, with bytes beside them.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Arguments in their order. What a client sent is kept as it was written.
///
/// ```
/// use realtime::Args;
///
/// let args = Args::one(&"paid")?.and(&[1, 2])?;
/// assert_eq!(args.json(), r#"["paid",[1,2]]"#);
/// assert_eq!(args.get::<String>(0)?, "paid");
/// # Ok::<(), realtime::ArgsError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Args {
    /// The values as JSON, with commas between them.
    list: String,
    attachments: Vec<Bytes>,
}

/// An argument that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArgsError {
    /// The value has no JSON form, or the argument is not of the expected type.
    #[error("argument: {0}")]
    Json(#[from] serde_json::Error),
    /// There are fewer arguments.
    #[error("argument {0} is missing")]
    Missing(usize),
    /// There are fewer attachments, or the argument is no attachment.
    #[error("argument {0} is not binary")]
    NotBinary(usize),
}

/// How bytes are written into the JSON of a packet (Socket.IO v5).
#[derive(serde::Serialize, serde::Deserialize)]
struct Placeholder {
    #[serde(rename = "_placeholder")]
    is_placeholder: bool,
    num: usize,
}

impl Args {
    /// No arguments.
    pub const fn none() -> Self {
        Self { list: String::new(), attachments: Vec::new() }
    }

    /// A single one.
    ///
    /// # Errors
    ///
    /// When the value has no JSON form.
    pub fn one<T: Serialize + ?Sized>(value: &T) -> Result<Self, ArgsError> {
        Self::none().and(value)
    }

    /// And one more.
    ///
    /// # Errors
    ///
    /// When the value has no JSON form.
    pub fn and<T: Serialize + ?Sized>(mut self, value: &T) -> Result<Self, ArgsError> {
        self.append(&serde_json::to_string(value)?);
        Ok(self)
    }

    /// And bytes.
    ///
    /// # Errors
    ///
    /// Never in practice: a placeholder has a JSON form.
    pub fn and_bytes(mut self, bytes: impl Into<Bytes>) -> Result<Self, ArgsError> {
        let placeholder = Placeholder { is_placeholder: true, num: self.attachments.len() };
        self.append(&serde_json::to_string(&placeholder)?);
        self.attachments.push(bytes.into());
        Ok(self)
    }

    fn append(&mut self, json: &str) {
        if !self.list.is_empty() {
            self.list.push(',');
        }
        self.list.push_str(json);
    }

    /// From JSON values as they came; the caller has checked them.
    pub(crate) fn from_parts(values: &[&RawValue], attachments: Vec<Bytes>) -> Self {
        let mut args = Self { list: String::new(), attachments };
        for value in values {
            args.append(value.get());
        }
        args
    }

    pub(crate) const fn from_list(list: String, attachments: Vec<Bytes>) -> Self {
        Self { list, attachments }
    }

    pub(crate) fn list(&self) -> &str {
        &self.list
    }

    /// All of them as a JSON array.
    pub fn json(&self) -> String {
        format!("[{}]", self.list)
    }

    /// The bytes beside the JSON.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// One of them, from zero.
    ///
    /// # Errors
    ///
    /// When it is missing, or of another type.
    pub fn get<T: DeserializeOwned>(&self, index: usize) -> Result<T, ArgsError> {
        let json = self.json();
        let values: Vec<&RawValue> = serde_json::from_str(&json)?;
        let value = values.get(index).ok_or(ArgsError::Missing(index))?;
        Ok(serde_json::from_str(value.get())?)
    }

    /// The bytes that one of them is.
    ///
    /// # Errors
    ///
    /// When it is missing, or not binary.
    pub fn bytes(&self, index: usize) -> Result<Bytes, ArgsError> {
        let placeholder: Placeholder = self.get(index).map_err(|error| match error {
            ArgsError::Json(_) => ArgsError::NotBinary(index),
            other => other,
        })?;
        self.attachments.get(placeholder.num).cloned().ok_or(ArgsError::NotBinary(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_by_their_place_and_type() {
        let args = Args::one("a").unwrap().and_bytes(&b"xyz"[..]).unwrap().and(&7).unwrap();
        assert_eq!(args.json(), r#"["a",{"_placeholder":true,"num":0},7]"#);
        assert_eq!(args.get::<u8>(2).unwrap(), 7);
        assert_eq!(&args.bytes(1).unwrap()[..], b"xyz");
        assert!(matches!(args.get::<u8>(3), Err(ArgsError::Missing(3))));
        assert!(matches!(args.get::<u8>(0), Err(ArgsError::Json(_))));
        assert!(matches!(args.bytes(2), Err(ArgsError::NotBinary(2))));
        assert_eq!(Args::none().json(), "[]");
    }
}
