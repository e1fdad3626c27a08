//! The clients of outside services.

pub(crate) mod fcm;
pub(crate) mod smtp;
pub(crate) mod twilio;
