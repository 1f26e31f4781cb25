//! The public face: parses requests, renders answers.

pub mod web;
