//! The domain: micro-credentials, how they are scored, and what follows from it. Pure: no I/O, no clock, no randomness.

/// Declares an enum whose variants have one stable word each, the same in tables, JSON and pages.
macro_rules! worded_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_meta])* $variant,)+ }

        impl $name {
            /// Every variant, in the order of declaration.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The word that stands for it in tables and JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }

            /// The variant that the word stands for, if there is one.
            #[must_use]
            pub fn parse(word: &str) -> Option<$name> {
                match word { $($word => Some($name::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub mod actor;
pub mod ai_use;
pub mod alignment;
pub mod assessor;
pub mod audit;
pub mod award;
pub mod bank_item;
pub mod calendar;
pub mod calibration;
pub mod case;
pub mod co_earner;
pub mod coaching;
pub mod cohort;
pub mod contribution;
pub mod credit;
pub mod csv;
pub mod decision_rule;
pub mod definition;
pub mod eligibility;
pub mod evidence_metadata;
pub mod external_badge;
pub mod framework;
pub mod funnel;
pub mod ids;
pub mod inventory;
pub mod issuing;
pub mod names;
pub mod organization;
pub mod policy;
pub mod process;
pub mod program;
pub mod program_readiness;
pub mod proposal;
pub mod rehearsal;
pub mod resolution;
pub mod review;
pub mod review_policy;
pub mod rubric;
pub mod stack;
pub mod statistics;
pub mod submission;
pub mod succession;
pub mod suppression;
pub mod timestamp;
pub mod version;
