//! Our reading of packets, held against another's: what we take, `socketioxide-parser-common` takes, and reads alike.

use bytestring::ByteString;
use proptest::prelude::*;
use socketioxide_core::Value;
use socketioxide_core::packet::{Packet, PacketData};
use socketioxide_core::parser::{Parse, ParseConfig, ParserState};
use socketioxide_parser_common::CommonParser;

use crate::socket::packet::{self, Body};

/// How the other reads a packet; of one with attachments, its text.
fn other(text: &str) -> Option<Packet> {
    let state = ParserState::default();
    match CommonParser.decode_str(&ParseConfig::default(), &state, text.to_owned().into()) {
        Ok(packet) => Some(packet),
        Err(_) => state.partial_bin_packet.lock().unwrap().take().map(|partial| partial.packet),
    }
}

fn text_of(value: Value) -> String {
    match value {
        Value::Str(text, _) => text.to_string(),
        Value::Bytes(_) => panic!("text was expected"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_we_take_the_other_takes_and_reads_alike(
        text in prop_oneof![
            "[0-6]([1-3]-)?(/[a-z]{1,5},)?[0-9]{0,4}(\\[\"[a-z]{1,9}\"(,[0-9]{1,3}){0,3}\\]|\\{\"a\":[0-9]\\})?",
            "[0-9]{0,2}-?(/[a-z]{0,3},?)?[0-9]{0,3}[\\[\\{\"a-z0-9,:\\}\\]]{0,12}",
            "\\PC{0,20}",
        ]
    ) {
        let Ok(ours) = packet::parse(&ByteString::from(text.as_str()), 10) else { return Ok(()) };
        let theirs = other(&text);
        prop_assert!(theirs.is_some(), "the other refuses {text}");
        let theirs = theirs.unwrap();
        prop_assert_eq!(&*ours.namespace, &*theirs.ns);
        let signed = |id: u64| i64::try_from(id).unwrap();
        match (ours.body, theirs.inner) {
            (Body::Connect(ours), PacketData::Connect(theirs)) => {
                prop_assert_eq!(ours.map(|text| text.to_string()).unwrap_or_default(), theirs.map(text_of).unwrap_or_default());
            }
            (Body::Disconnect, PacketData::Disconnect) => {}
            (Body::Event { ack, payload }, PacketData::Event(value, id) | PacketData::BinaryEvent(value, id)) => {
                prop_assert_eq!(ack.map(signed), id);
                prop_assert_eq!(payload.to_string(), text_of(value));
            }
            (Body::Ack { id, payload }, PacketData::EventAck(value, other) | PacketData::BinaryAck(value, other)) => {
                prop_assert_eq!(signed(id), other);
                prop_assert_eq!(payload.to_string(), text_of(value));
            }
            (ours, theirs) => prop_assert!(false, "{text}: {ours:?}, but {theirs:?}"),
        }
    }
}
