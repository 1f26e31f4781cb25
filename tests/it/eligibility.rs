//! Who may score what: every rule by itself, and through the API at claim, opening and lock.

mod api;
mod assigning;
mod rules;
