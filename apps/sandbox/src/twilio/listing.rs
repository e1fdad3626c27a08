//! The list of messages: filtered, newest first, in pages.

use std::sync::Arc;

use actix_web::HttpRequest;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use url::form_urlencoded;

use super::error::ApiError;
use super::message::{Message, Resource};
use super::send::Sender;

/// How many messages a page has unless told, and at most (twilio.com/docs/usage/twilios-response#pagination).
const PAGE_SIZE: usize = 50;
const MAX_PAGE_SIZE: usize = 1000;

/// Which messages are asked for, and which page of them.
pub(super) struct Query {
    to: Option<String>,
    from: Option<String>,
    on: Option<NaiveDate>,
    until: Option<NaiveDate>,
    since: Option<NaiveDate>,
    page: usize,
    page_size: usize,
    /// The SID of the last message of the page before.
    after: Option<String>,
}

impl Query {
    /// Reads the query string; what Twilio does not know is ignored.
    ///
    /// # Errors
    /// 20001 when a number, a date or a page token cannot be read.
    pub(super) fn parse(query: &str) -> Result<Self, ApiError> {
        let mut asked = Self {
            to: None,
            from: None,
            on: None,
            until: None,
            since: None,
            page: 0,
            page_size: PAGE_SIZE,
            after: None,
        };
        for (field, value) in form_urlencoded::parse(query.as_bytes()) {
            if value.is_empty() {
                continue;
            }
            match field.as_ref() {
                "To" => asked.to = Some(value.into_owned()),
                "From" => asked.from = Some(value.into_owned()),
                "DateSent" => asked.on = Some(parse_day(&field, &value)?),
                "DateSent<" => asked.until = Some(parse_day(&field, &value)?),
                "DateSent>" => asked.since = Some(parse_day(&field, &value)?),
                "Page" => asked.page = parse_number(&field, &value)?,
                "PageSize" => asked.page_size = parse_number(&field, &value)?.clamp(1, MAX_PAGE_SIZE),
                "PageToken" => {
                    let sid = value.strip_prefix("PA").ok_or_else(|| unreadable(&field))?;
                    asked.after = Some(sid.to_owned());
                }
                _ => {}
            }
        }
        Ok(asked)
    }

    /// Messages are never sent on from here, so their creation stands for `DateSent`.
    fn admits(&self, message: &Message) -> bool {
        let day = message.created.date_naive();
        let from = match &message.draft.sender {
            Sender::Own(from) => Some(from),
            Sender::Service { from, .. } => from.as_ref(),
        };
        self.to.as_ref().is_none_or(|to| *to == message.draft.to)
            && self.from.as_ref().is_none_or(|asked| from == Some(asked))
            && self.on.is_none_or(|on| day == on)
            && self.until.is_none_or(|until| day <= until)
            && self.since.is_none_or(|since| day >= since)
    }

    /// The messages of this page, and whether there are more after it.
    pub(super) fn select(&self, messages: Vec<Arc<Message>>) -> (Vec<Arc<Message>>, bool) {
        let mut wanted = messages.into_iter().filter(|message| self.admits(message));
        if let Some(last) = &self.after {
            wanted.by_ref().take_while(|message| message.sid != *last).for_each(drop);
        }
        let page = wanted.by_ref().take(self.page_size).collect();
        (page, wanted.next().is_some())
    }
}

fn parse_number(field: &str, value: &str) -> Result<usize, ApiError> {
    value.parse().ok().ok_or_else(|| unreadable(field))
}

/// A day, or the day of a moment, in GMT.
fn parse_day(field: &str, value: &str) -> Result<NaiveDate, ApiError> {
    let day = value.parse::<NaiveDate>().ok();
    let moment = || Some(value.parse::<DateTime<Utc>>().ok()?.date_naive());
    day.or_else(moment).ok_or_else(|| unreadable(field))
}

fn unreadable(field: &str) -> ApiError {
    ApiError::refused(20001, format!("The value of {field} cannot be read"))
}

/// One page on the wire. The URIs are relative to `https://api.twilio.com`.
#[derive(Serialize)]
pub(super) struct Page<'a> {
    first_page_uri: String,
    end: usize,
    previous_page_uri: Option<String>,
    messages: Vec<Resource<'a>>,
    uri: String,
    page_size: usize,
    start: usize,
    next_page_uri: Option<String>,
    page: usize,
}

impl<'a> Page<'a> {
    /// The page of these messages.
    pub(super) fn new(
        request: &HttpRequest,
        query: &Query,
        account_sid: &'a str,
        messages: &'a [Arc<Message>],
        more: bool,
    ) -> Self {
        let start = query.page.saturating_mul(query.page_size);
        let token = messages.last().filter(|_| more).map(|last| format!("PA{}", last.sid));
        Self {
            first_page_uri: uri(request, query.page_size, 0, None),
            end: start.saturating_add(messages.len().saturating_sub(1)),
            previous_page_uri: None,
            messages: messages.iter().map(|message| Resource::new(account_sid, message)).collect(),
            uri: request.uri().to_string(),
            page_size: query.page_size,
            start,
            next_page_uri: token
                .map(|token| uri(request, query.page_size, query.page.saturating_add(1), Some(&token))),
            page: query.page,
        }
    }
}

/// The request's own path and filters with another page in it.
fn uri(request: &HttpRequest, page_size: usize, page: usize, token: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (field, value) in form_urlencoded::parse(request.query_string().as_bytes()) {
        if !matches!(field.as_ref(), "Page" | "PageSize" | "PageToken") {
            query.append_pair(&field, &value);
        }
    }
    query.append_pair("PageSize", &page_size.to_string());
    query.append_pair("Page", &page.to_string());
    if let Some(token) = token {
        query.append_pair("PageToken", token);
    }
    format!("{}?{}", request.path(), query.finish())
}
