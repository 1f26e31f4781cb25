//! stub
use serde_json::Value;
/// x
pub struct LintedCredential {
    document: Value,
    hash: [u8; 32],
}
impl LintedCredential {
    pub(super) fn into_parts(self) -> (Value, [u8; 32]) {
        (self.document, self.hash)
    }
}
