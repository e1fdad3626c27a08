//! A message, read as strictly as Google reads it: what it does not know and what is of a wrong type is told by field.

use serde_json::{Map, Value};

/// The most bytes of notification and data together.
const MAX_PAYLOAD: usize = 4_096;

/// What a field was refused for: its path, and a sentence.
pub(super) type Violations = Vec<(String, String)>;

/// A message that was read.
pub(super) struct Push {
    pub(super) validate_only: bool,
    pub(super) target: Target,
    pub(super) title: Option<String>,
    pub(super) body: String,
}

/// Whom it is for.
pub(super) enum Target {
    /// A registration token or an installation id.
    Device(String),
    /// A topic's subscribers.
    Topic(String),
    /// Whoever meets a condition on topics.
    Condition,
}

/// The fields of each object (firebase.google.com/docs/reference/fcm/rest/v1/projects.messages); those of a notification
/// on Android are too many to play, and taken as they are.
const REQUEST: &[&str] = &["validate_only", "message"];
const MESSAGE: &[&str] = &[
    "name",
    "data",
    "notification",
    "android",
    "webpush",
    "apns",
    "fcm_options",
    "token",
    "topic",
    "condition",
    "fid",
];
const NOTIFICATION: &[&str] = &["title", "body", "image"];
const ANDROID: &[&str] = &[
    "collapse_key",
    "priority",
    "ttl",
    "restricted_package_name",
    "data",
    "notification",
    "fcm_options",
    "direct_boot_ok",
];
const APNS: &[&str] = &["headers", "payload", "fcm_options", "live_activity_token"];
const WEBPUSH: &[&str] = &["headers", "data", "notification", "fcm_options"];

/// Reads a request's body.
pub(super) fn parse(body: &[u8]) -> Result<Push, Violations> {
    let unreadable = || vec![(String::new(), "Invalid JSON payload received. Unexpected token.".to_owned())];
    let request: Map<String, Value> = serde_json::from_slice(body).ok().ok_or_else(unreadable)?;
    let mut wrong = Violations::new();
    known("", &request, REQUEST, &mut wrong);
    let empty = Map::new();
    let message = request.get("message").and_then(Value::as_object);
    if message.is_none() {
        wrong.push(("message".to_owned(), "Required field 'message' is missing.".to_owned()));
    }
    let message = message.unwrap_or(&empty);
    known("message", message, MESSAGE, &mut wrong);
    let notification = object(message, "message", "notification", NOTIFICATION, &mut wrong);
    let data = texts(message, "message", "data", &mut wrong);
    check_platforms(message, &mut wrong);
    let target = target(message, &mut wrong);
    let text = |field: &str| notification.get(field).and_then(Value::as_str);
    let size =
        [text("title"), text("body"), text("image")].into_iter().flatten().map(str::len).sum::<usize>()
            + data;
    if size > MAX_PAYLOAD {
        let told = format!("Android message is too big: {size} bytes, at most {MAX_PAYLOAD} are taken.");
        wrong.push(("message".to_owned(), told));
    }
    let validate_only = request.get("validate_only").and_then(Value::as_bool).unwrap_or(false);
    match target {
        Some(target) if wrong.is_empty() => Ok(Push {
            validate_only,
            target,
            title: text("title").map(str::to_owned),
            body: text("body").unwrap_or_default().to_owned(),
        }),
        _ => Err(wrong),
    }
}

/// Exactly one of token, fid, topic and condition.
fn target(message: &Map<String, Value>, wrong: &mut Violations) -> Option<Target> {
    let given: Vec<_> = ["token", "fid", "topic", "condition"]
        .into_iter()
        .filter_map(|field| message.get(field).map(|value| (field, value)))
        .collect();
    let [(field, value)] = given.as_slice() else {
        let told = match given.len() {
            0 => "Recipient of the message is not set.",
            _ => {
                "Oneof field 'target' is already set. Cannot set more than one of token, fid, topic and condition."
            }
        };
        wrong.push(("message".to_owned(), told.to_owned()));
        return None;
    };
    let Some(text) = value.as_str() else {
        wrong_type(&format!("message.{field}"), value, wrong);
        return None;
    };
    match *field {
        "condition" => Some(Target::Condition),
        "topic" => {
            let topic = text.strip_prefix("/topics/").unwrap_or(text);
            if !is_topic(topic) {
                wrong.push(("message.topic".to_owned(), "Malformed topic name".to_owned()));
                return None;
            }
            Some(Target::Topic(topic.to_owned()))
        }
        _ => Some(Target::Device(text.to_owned())),
    }
}

/// `[a-zA-Z0-9-_.~%]+`.
pub(super) fn is_topic(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~%".contains(&b))
}

fn check_platforms(message: &Map<String, Value>, wrong: &mut Violations) {
    let android = object(message, "message", "android", ANDROID, wrong);
    texts(&android, "message.android", "data", wrong);
    if let Some(ttl) = android.get("ttl") {
        let is_life = ttl
            .as_str()
            .and_then(|text| text.strip_suffix('s'))
            .and_then(|seconds| seconds.parse::<f64>().ok())
            .is_some_and(|seconds| (0.0..=2_419_200.0).contains(&seconds));
        if !is_life {
            let told =
                "Invalid value at 'message.android.ttl' (type.googleapis.com/google.protobuf.Duration)";
            wrong.push(("message.android.ttl".to_owned(), told.to_owned()));
        }
    }
    if let Some(priority) = android.get("priority")
        && !matches!(priority.as_str(), Some("NORMAL" | "HIGH" | "normal" | "high"))
    {
        wrong_type("message.android.priority", priority, wrong);
    }
    if let Some(key) = android.get("collapse_key").filter(|key| !key.is_string()) {
        wrong_type("message.android.collapse_key", key, wrong);
    }
    let apns = object(message, "message", "apns", APNS, wrong);
    texts(&apns, "message.apns", "headers", wrong);
    let id = apns.get("headers").and_then(|headers| headers.get("apns-collapse-id")).and_then(Value::as_str);
    if id.is_some_and(|id| id.len() > 64) {
        let told = "apns-collapse-id must not exceed 64 bytes".to_owned();
        wrong.push(("message.apns.headers".to_owned(), told));
    }
    let webpush = object(message, "message", "webpush", WEBPUSH, wrong);
    texts(&webpush, "message.webpush", "headers", wrong);
    texts(&webpush, "message.webpush", "data", wrong);
}

/// An object's own object, with its fields checked; an empty one where there is none.
fn object(
    parent: &Map<String, Value>,
    path: &str,
    field: &str,
    fields: &[&str],
    wrong: &mut Violations,
) -> Map<String, Value> {
    let path = format!("{path}.{field}");
    match parent.get(field) {
        None => Map::new(),
        Some(Value::Object(object)) => {
            known(&path, object, fields, wrong);
            object.clone()
        }
        Some(other) => {
            wrong_type(&path, other, wrong);
            Map::new()
        }
    }
}

/// Checks a map of texts; gives how many bytes it has.
fn texts(parent: &Map<String, Value>, path: &str, field: &str, wrong: &mut Violations) -> usize {
    let path = format!("{path}.{field}");
    let map = match parent.get(field) {
        None => return 0,
        Some(Value::Object(map)) => map,
        Some(other) => {
            wrong_type(&path, other, wrong);
            return 0;
        }
    };
    let mut size = 0;
    for (index, (name, value)) in map.iter().enumerate() {
        let reserved = name == "from"
            || name == "message_type"
            || name.starts_with("google.")
            || name.starts_with("gcm.");
        match value.as_str() {
            Some(_) if reserved && field == "data" => {
                wrong.push((format!("{path}[{index}].key"), format!("Invalid data payload key: {name}")));
            }
            Some(text) => size += name.len() + text.len(),
            None => wrong_type(&format!("{path}[{index}].value"), value, wrong),
        }
    }
    size
}

fn known(path: &str, object: &Map<String, Value>, fields: &[&str], wrong: &mut Violations) {
    for name in object.keys().filter(|name| !fields.contains(&name.as_str())) {
        let place = if path.is_empty() { String::new() } else { format!(" at '{path}'") };
        let told =
            format!("Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field.");
        wrong.push((path.to_owned(), told));
    }
}

fn wrong_type(path: &str, value: &Value, wrong: &mut Violations) {
    wrong.push((path.to_owned(), format!("Invalid value at '{path}' (TYPE_STRING), {value}")));
}
