//! What an audit log of a gateway is about. Calls of models and tools are not in LiteLLM's and Bifrost's audit logs but in
//! their request logs, and would drown it.

use event::kind::Category;
use query::Expr;

use crate::expr::{any, area, is};

/// The categories that a gateway's audit log is about.
const CATEGORIES: &[Category] = &[
    Category::Authentication,
    Category::Authorization,
    Category::Configuration,
    Category::DataAccess,
    Category::Security,
    Category::Approval,
    Category::Guardrail,
    Category::Administration,
    Category::Other,
];
/// Changes in the midst of traffic.
const TYPES: &[&str] = &["agent.created", "agent.updated", "agent.deleted", "tool.registered"];

/// Events that a gateway's audit log is about.
pub(crate) fn audited() -> Expr {
    let categories = CATEGORIES.iter().map(|category| is("category", category.name()));
    any(categories.chain(TYPES.iter().map(|kind| is("type", kind))))
}

/// The same, with what Indelible records about reading and alerts: Bifrost's log has them, LiteLLM's has not.
pub(crate) fn audited_and_read() -> Expr {
    any([audited(), area("audit"), area("alert")])
}
