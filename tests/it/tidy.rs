//! Rules about the text of the project itself: layers, habits, files that belong together, dependencies.

mod dependencies;
mod habits;
mod layers;
mod seeds;
pub mod text;
mod twins;
