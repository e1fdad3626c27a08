//! A message that comes in several frames (RFC 6455 §5.4).

use actix_http::ws::Item;
use bytes::{Bytes, BytesMut};

use crate::reason::Reason;

/// What has come of such a message. Nothing of it, for nearly every connection: so it is a pointer's size.
#[derive(Default)]
pub(super) struct Fragments(Option<Box<Begun>>);

struct Begun {
    data: BytesMut,
    is_text: bool,
}

impl Fragments {
    /// Takes the next frame, and gives the message when it is whole: its bytes, and whether they are text.
    ///
    /// # Errors
    /// [`Reason::TransportError`] when a frame comes out of turn, or the message is longer than `max` bytes.
    pub(super) fn take(&mut self, item: Item, max: usize) -> Result<Option<(Bytes, bool)>, Reason> {
        let (data, is_last) = match item {
            Item::FirstText(data) => (self.begin(data, true)?, false),
            Item::FirstBinary(data) => (self.begin(data, false)?, false),
            Item::Continue(data) => (data, false),
            Item::Last(data) => (data, true),
        };
        let mut begun = self.0.take().ok_or(Reason::TransportError)?;
        if begun.data.len() + data.len() > max {
            return Err(Reason::TransportError);
        }
        begun.data.extend_from_slice(&data);
        if is_last {
            return Ok(Some((begun.data.freeze(), begun.is_text)));
        }
        self.0 = Some(begun);
        Ok(None)
    }

    fn begin(&mut self, data: Bytes, is_text: bool) -> Result<Bytes, Reason> {
        if self.0.is_some() {
            return Err(Reason::TransportError);
        }
        self.0 = Some(Box::new(Begun { data: BytesMut::new(), is_text }));
        Ok(data)
    }
}
