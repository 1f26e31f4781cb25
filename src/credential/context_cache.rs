//! Contexts that were put into force before.
//!
//! Most of the time of a generic JSON-LD processor goes into processing the same contexts again and again. Those of
//! our own documents are processed once for the whole program; a document that mixes contexts in another way
//! keeps its own results, which end with it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::active_context::ActiveContext;
use super::contexts::{
    self, CREDENTIALS_V2, DID, JWK, MULTIKEY, OPEN_BADGES, OPEN_BADGES_EXTENSIONS,
};

pub(super) type Context = Arc<ActiveContext>;

/// What was put into force where: names by address, of contexts that are kept alive.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    active: usize,
    local: usize,
    override_protected: bool,
    propagate: bool,
}

impl Key {
    pub(super) fn new(
        active: &Context,
        local: &'static Value,
        override_protected: bool,
        propagate: bool,
    ) -> Key {
        Key {
            active: Arc::as_ptr(active).addr(),
            local: std::ptr::from_ref(local).addr(),
            override_protected,
            propagate,
        }
    }
}

/// Results of context processing, with the contexts they began from.
#[derive(Default)]
pub(super) struct Memo {
    results: HashMap<Key, (Context, Context)>,
}

impl Memo {
    pub(super) fn find(&self, key: &Key) -> Option<&Context> {
        self.results.get(key).map(|(_, result)| result)
    }

    pub(super) fn insert(&mut self, key: Key, active: &Context, result: ActiveContext) -> Context {
        let result = Arc::new(result);
        self.results.insert(key, (Arc::clone(active), Arc::clone(&result)));
        result
    }

    /// Puts a context into force ahead of time. One that cannot be is met again, and reported, in a document.
    fn prepare(
        &mut self,
        active: &Context,
        local: &'static Value,
        override_protected: bool,
        propagate: bool,
    ) -> Option<Context> {
        let key = Key::new(active, local, override_protected, propagate);
        if let Some(result) = self.find(&key) {
            return Some(Arc::clone(result));
        }
        let result = active.process(local, override_protected, propagate).ok()?;
        Some(self.insert(key, active, result))
    }
}

static EMPTY: LazyLock<Context> = LazyLock::new(Context::default);

/// The contexts of our own documents: badges, status lists, issuers, keys and achievements.
const COMMON: [&[&str]; 6] = [
    &[CREDENTIALS_V2, OPEN_BADGES, OPEN_BADGES_EXTENSIONS],
    &[CREDENTIALS_V2, OPEN_BADGES],
    &[CREDENTIALS_V2],
    &[DID, MULTIKEY, JWK, OPEN_BADGES],
    &[MULTIKEY],
    &[OPEN_BADGES],
];

static COMMON_MEMO: LazyLock<Memo> = LazyLock::new(|| {
    let mut memo = Memo::default();
    for urls in COMMON {
        let root = urls.iter().try_fold(Arc::clone(&EMPTY), |active, url| {
            memo.prepare(&active, contexts::find(url)?, false, true)
        });
        let Some(root) = root else { continue };
        for scoped in root.scoped_contexts() {
            let Some(of_type) = memo.prepare(&root, scoped, false, false) else { continue };
            for inner in of_type.scoped_contexts() {
                memo.prepare(&of_type, inner, true, true);
            }
        }
    }
    memo
});

/// The context in force before a document says anything.
pub(super) fn empty() -> &'static Context {
    &EMPTY
}

/// The result for a context of our own documents.
pub(super) fn find(key: &Key) -> Option<&'static Context> {
    COMMON_MEMO.find(key)
}
