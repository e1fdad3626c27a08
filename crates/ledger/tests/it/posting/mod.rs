//! What is written: journals, holds, reversals, folding, alone and in races.

mod append_only;
mod atomicity;
mod chains;
mod debts;
mod fast_form;
mod folding;
mod glance;
mod holds;
mod keys;
mod model;
mod poster;
mod reversals;
mod schedules;
mod several;
mod spending;
mod support;
