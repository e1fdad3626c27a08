//! The packets of Socket.IO protocol v5, as text: `<type>[<attachments>-][<namespace>,][<ack id>][<JSON>]`.

use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::engine::packets::Packets;
use crate::socket::args::Args;

/// The longest name of a namespace, in bytes.
const MAX_NAMESPACE: usize = 256;

/// Names that a client may not use for its events, because they mean something to every Socket.IO library.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// A packet of a client, without its attachments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Incoming {
    pub(crate) namespace: ByteString,
    pub(crate) body: Body,
    /// How many binary messages follow.
    pub(crate) attachments: usize,
}

/// What a packet says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    /// With the payload, a JSON object; none if there was no payload.
    Connect(Option<ByteString>),
    Disconnect,
    Event {
        ack: Option<u64>,
        payload: ByteString,
    },
    Ack {
        id: u64,
        payload: ByteString,
    },
}

/// A packet that breaks the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Reads a packet. Whether its JSON is right is seen before its attachments are taken.
pub(crate) fn parse(text: &ByteString, max_attachments: usize) -> Result<Incoming, Malformed> {
    let mut rest: &str = text;
    let kind = take(&mut rest, |character| character.is_ascii_digit(), 1);
    let attachments = match kind {
        "5" | "6" => {
            let count = take(&mut rest, |character| character.is_ascii_digit(), 10);
            rest = rest.strip_prefix('-').ok_or(Malformed)?;
            count.parse().ok().filter(|count| *count <= max_attachments).ok_or(Malformed)?
        }
        _ => 0,
    };
    let namespace = if rest.starts_with('/') {
        let (name, after) = rest.split_once(',').unwrap_or((rest, ""));
        rest = after;
        if name.len() > MAX_NAMESPACE {
            return Err(Malformed);
        }
        text.slice_ref(name)
    } else {
        ByteString::from_static("/")
    };
    let id = take(&mut rest, |character| character.is_ascii_digit(), 19);
    let id = if id.is_empty() { None } else { Some(id.parse().map_err(|_error| Malformed)?) };
    let payload = text.slice_ref(rest);
    let body = match (kind, id) {
        ("0", None) if payload.is_empty() => Body::Connect(None),
        ("0", None) if is_object(&payload) => Body::Connect(Some(payload)),
        ("1", None) if payload.is_empty() => Body::Disconnect,
        ("2" | "5", ack) => Body::Event { ack, payload },
        ("3" | "6", Some(id)) => Body::Ack { id, payload },
        _ => return Err(Malformed),
    };
    match &body {
        Body::Event { payload, .. } => drop(event(payload, Vec::new())?),
        Body::Ack { payload, .. } => drop(acknowledgement(payload, Vec::new())?),
        Body::Connect(_) | Body::Disconnect => {}
    }
    Ok(Incoming { namespace, body, attachments })
}

/// Takes the longest beginning of such characters, at most so many.
fn take<'a>(rest: &mut &'a str, is_such: impl Fn(char) -> bool, most: usize) -> &'a str {
    let end = rest
        .char_indices()
        .take(most)
        .take_while(|(_, character)| is_such(*character))
        .last()
        .map_or(0, |(at, character)| at + character.len_utf8());
    let (taken, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
    *rest = after;
    taken
}

fn is_object(json: &str) -> bool {
    json.starts_with('{') && serde_json::from_str::<&RawValue>(json).is_ok()
}

/// The name and the arguments in the payload of an event: an array that begins with a string.
pub(crate) fn event(payload: &str, attachments: Vec<Bytes>) -> Result<(String, Args), Malformed> {
    let values: Vec<&RawValue> = serde_json::from_str(payload).map_err(|_error| Malformed)?;
    let (first, values) = values.split_first().ok_or(Malformed)?;
    let name: String = serde_json::from_str(first.get()).map_err(|_error| Malformed)?;
    if RESERVED.contains(&name.as_str()) {
        return Err(Malformed);
    }
    Ok((name, Args::from_parts(values, attachments)))
}

/// The arguments in the payload of an acknowledgement: an array.
pub(crate) fn acknowledgement(payload: &str, attachments: Vec<Bytes>) -> Result<Args, Malformed> {
    let values: Vec<&RawValue> = serde_json::from_str(payload).map_err(|_error| Malformed)?;
    Ok(Args::from_parts(&values, attachments))
}

/// Whether each placeholder in a payload names one of so many attachments.
pub(crate) fn placeholders_fit(payload: &str, attachments: usize) -> bool {
    fn fit(value: &Value, attachments: usize) -> bool {
        match value {
            Value::Array(items) => items.iter().all(|item| fit(item, attachments)),
            Value::Object(fields) if fields.get("_placeholder") == Some(&Value::Bool(true)) => fields
                .get("num")
                .and_then(Value::as_u64)
                .and_then(|number| usize::try_from(number).ok())
                .is_some_and(|number| number < attachments),
            Value::Object(fields) => fields.values().all(|field| fit(field, attachments)),
            _ => true,
        }
    }
    serde_json::from_str(payload).is_ok_and(|value: Value| fit(&value, attachments))
}

/// What goes between a packet's type and its JSON: nothing for the main namespace.
pub(crate) fn prefix(namespace: &str) -> String {
    if namespace == "/" { String::new() } else { format!("{namespace},") }
}

/// An event, framed. The offset is one more argument, by which a client says where it was cut off.
pub(crate) fn event_packet(
    prefix: &str,
    ack: Option<u64>,
    name: &str,
    args: &Args,
    offset: Option<&str>,
) -> Result<Arc<Packets>, serde_json::Error> {
    let name = serde_json::to_string(name)?;
    let mut list = name;
    if !args.list().is_empty() {
        list.push(',');
        list.push_str(args.list());
    }
    if let Some(offset) = offset {
        list.push(',');
        list.push_str(&serde_json::to_string(offset)?);
    }
    Ok(packet(["2", "5"], prefix, ack, &list, args.attachments()))
}

/// An acknowledgement, framed.
pub(crate) fn ack_packet(prefix: &str, id: u64, args: &Args) -> Arc<Packets> {
    packet(["3", "6"], prefix, Some(id), args.list(), args.attachments())
}

fn packet(
    kinds: [&str; 2],
    prefix: &str,
    ack: Option<u64>,
    list: &str,
    attachments: &[Bytes],
) -> Arc<Packets> {
    let [plain, binary] = kinds;
    let head = match attachments.len() {
        0 => plain.to_owned(),
        count => format!("{binary}{count}-"),
    };
    let ack = ack.map(|ack| ack.to_string()).unwrap_or_default();
    Packets::new(format!("4{head}{prefix}{ack}[{list}]").as_bytes(), attachments)
}

/// Any other packet: its type and its JSON.
pub(crate) fn plain_packet(kind: u8, prefix: &str, json: &str) -> Arc<Packets> {
    Packets::new(format!("4{kind}{prefix}{json}").as_bytes(), &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &'static str) -> Option<Incoming> {
        parse(&ByteString::from_static(text), 2).ok()
    }

    fn incoming(namespace: &'static str, body: Body, attachments: usize) -> Option<Incoming> {
        Some(Incoming { namespace: ByteString::from_static(namespace), body, attachments })
    }

    #[test]
    fn every_type_is_read() {
        let text = ByteString::from_static;
        let event = |ack, payload| Body::Event { ack, payload: text(payload) };
        assert_eq!(parsed("0"), incoming("/", Body::Connect(None), 0));
        assert_eq!(parsed("0/a"), incoming("/a", Body::Connect(None), 0));
        assert_eq!(parsed("0/a,{\"t\":1}"), incoming("/a", Body::Connect(Some(text("{\"t\":1}"))), 0));
        assert_eq!(parsed("1/a,"), incoming("/a", Body::Disconnect, 0));
        assert_eq!(parsed("2[\"x\"]"), incoming("/", event(None, "[\"x\"]"), 0));
        assert_eq!(parsed("2/a,12[\"x\",{}]"), incoming("/a", event(Some(12), "[\"x\",{}]"), 0));
        assert_eq!(parsed("312[]"), incoming("/", Body::Ack { id: 12, payload: text("[]") }, 0));
        assert_eq!(parsed("51-[\"x\"]"), incoming("/", event(None, "[\"x\"]"), 1));
        assert_eq!(parsed("62-/a,3[1]"), incoming("/a", Body::Ack { id: 3, payload: text("[1]") }, 2));
    }

    #[test]
    fn what_breaks_the_protocol_is_refused() {
        for text in [
            "",
            "7",
            "abc",
            "4{\"message\":\"x\"}",
            "2",
            "2{}",
            "2[]",
            "2[1]",
            "2[\"x\"",
            "2[\"x\"]]",
            "2abc[\"x\"]",
            "2-1[\"x\"]",
            "2[\"connect\"]",
            "2[\"disconnecting\"]",
            "0[]",
            "0\"x\"",
            "01",
            "0{",
            "1[]",
            "11",
            "3[1]",
            "312",
            "312{}",
            "5[\"x\"]",
            "5-[\"x\"]",
            "53-[\"x\"]",
            "59999999999-[\"x\"]",
            "61-[1]",
            "299999999999999999999[\"x\"]",
            "é",
        ] {
            assert_eq!(parse(&ByteString::from(text), 2), Err(Malformed), "{text}");
        }
        let long = format!("0/{}", "a".repeat(MAX_NAMESPACE));
        assert_eq!(parse(&ByteString::from(long), 2), Err(Malformed));
    }

    #[test]
    fn a_placeholder_must_name_an_attachment() {
        let payload = r#"["x",{"a":[{"_placeholder":true,"num":1}]}]"#;
        assert!(placeholders_fit(payload, 2));
        assert!(!placeholders_fit(payload, 1));
        for wrong in [
            r#"[{"_placeholder":true}]"#,
            r#"[{"_placeholder":true,"num":-1}]"#,
            r#"[{"_placeholder":true,"num":"0"}]"#,
        ] {
            assert!(!placeholders_fit(wrong, 2), "{wrong}");
        }
        assert!(placeholders_fit(r#"[{"_placeholder":false,"num":9}]"#, 0));
    }

    #[test]
    fn packets_are_written_as_the_specification_shows() {
        let wire = |packets: Arc<Packets>| {
            let mut payload = Vec::new();
            packets.write_payload(&mut payload);
            String::from_utf8(payload).unwrap()
        };
        let args = Args::one(&1).unwrap();
        let bytes = Args::none().and_bytes(&[1, 2, 3, 4][..]).unwrap();
        assert_eq!(wire(event_packet("", None, "foo", &Args::none(), None).unwrap()), "42[\"foo\"]");
        assert_eq!(
            wire(event_packet("/a,", Some(7), "f\"", &args, Some("o")).unwrap()),
            r#"42/a,7["f\"",1,"o"]"#
        );
        assert_eq!(
            wire(event_packet("", None, "b", &bytes, None).unwrap()),
            "451-[\"b\",{\"_placeholder\":true,\"num\":0}]\u{1e}bAQIDBA=="
        );
        assert_eq!(wire(ack_packet("", 12, &Args::none())), "4312[]");
        assert_eq!(wire(plain_packet(4, "/a,", "{}")), "44/a,{}");
    }
}
