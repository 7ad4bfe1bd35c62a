//! The one table of fields: what an event may say, in which form, and in which section it is kept.
//!
//! Whatever is not here is refused at the door, with the place and a hint; `attributes` takes the rest.

use std::sync::LazyLock;

/// The form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text of at most so many characters.
    Text(usize),
    /// A name or id: 1 to 256 characters, none of them a control character.
    Id,
    /// A count: a whole number from 0 to 2^53 − 1.
    Count,
    /// A number counting from 1.
    Ordinal,
    /// A number: a score or a duration.
    Number,
    /// A decimal as a string: `-?\d{1,18}(\.\d{1,18})?`.
    Decimal,
    /// A time: RFC 3339 with an offset.
    Time,
    /// `true` or `false`.
    Bool,
    /// An IPv4 or IPv6 address.
    Ip,
    /// A hash or keyed fingerprint: 1 to 256 of `A-Z a-z 0-9 : . _ = + / -`.
    Fingerprint,
    /// A producer's name: `[A-Za-z0-9._:/-]{1,64}`.
    Producer,
    /// A retention class: `[a-z0-9_-]{1,32}`.
    Class,
    /// An object with only the fields of this table.
    Block,
    /// An object with any members.
    Open,
    /// Any JSON.
    Any,
}

impl Shape {
    /// Every form there is, for documentation; of [`Shape::Text`], one example.
    pub const ALL: &'static [Shape] = &[
        Shape::Text(0),
        Shape::Id,
        Shape::Count,
        Shape::Ordinal,
        Shape::Number,
        Shape::Decimal,
        Shape::Time,
        Shape::Bool,
        Shape::Ip,
        Shape::Fingerprint,
        Shape::Producer,
        Shape::Class,
        Shape::Block,
        Shape::Open,
        Shape::Any,
    ];

    /// Its name, for tables.
    pub fn name(self) -> &'static str {
        match self {
            Shape::Text(_) => "text",
            Shape::Id => "id",
            Shape::Count => "count",
            Shape::Ordinal => "ordinal",
            Shape::Number => "number",
            Shape::Decimal => "decimal",
            Shape::Time => "time",
            Shape::Bool => "bool",
            Shape::Ip => "ip",
            Shape::Fingerprint => "fingerprint",
            Shape::Producer => "producer",
            Shape::Class => "class",
            Shape::Block => "block",
            Shape::Open => "open",
            Shape::Any => "any",
        }
    }

    /// The form in words, for messages and documentation.
    pub fn about(self) -> String {
        match self {
            Shape::Text(max) => format!("text of at most {max} characters"),
            Shape::Id => "a name or id of 1 to 256 characters, no control characters".into(),
            Shape::Count => "a whole number from 0 to 2^53−1".into(),
            Shape::Ordinal => "a whole number from 1 to 2^53−1".into(),
            Shape::Number => "a number".into(),
            Shape::Decimal => "a decimal as a string, such as \"0.0031\"".into(),
            Shape::Time => "a time as RFC 3339 with an offset".into(),
            Shape::Bool => "true or false".into(),
            Shape::Ip => "an IP address".into(),
            Shape::Fingerprint => "a fingerprint: 1 to 256 of A-Z a-z 0-9 : . _ = + / -".into(),
            Shape::Producer => "a producer's name: 1 to 64 of A-Z a-z 0-9 . _ : / -".into(),
            Shape::Class => "a retention class: 1 to 32 of a-z 0-9 _ -".into(),
            Shape::Block => "an object with only the fields of this table".into(),
            Shape::Open => "an object with any members".into(),
            Shape::Any => "any JSON".into(),
        }
    }
}

/// Where a field is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// In the leaf itself: never erased, no personal data.
    Core,
    /// Message, changes and captured text.
    Content,
    /// What was taken out at the door.
    Redactions,
    /// Targets, numbers, attributes and ids.
    What,
    /// Actor, session and network.
    Who,
    /// Not kept with the event: the ledger it lies in says it.
    Ledger,
}

impl Section {
    /// Its name in the leaf, and in documentation for the two that are no section.
    pub const fn name(self) -> &'static str {
        match self {
            Section::Core => "leaf",
            Section::Content => "content",
            Section::Redactions => "redactions",
            Section::What => "what",
            Section::Who => "who",
            Section::Ledger => "ledger",
        }
    }
}

/// One field.
#[derive(Debug)]
pub struct Field {
    /// Its path: names joined by dots, `[]` after the name of a list.
    pub path: &'static str,
    /// The form of its value; of each item, for a list.
    pub shape: Shape,
    /// Where it is kept.
    pub section: Section,
    /// What it says.
    pub about: &'static str,
}

const fn row(path: &'static str, shape: Shape, section: Section, about: &'static str) -> Field {
    Field { path, shape, section, about }
}

/// Every field, blocks before what is in them.
pub static FIELDS: &[Field] = {
    use Section::*;
    use Shape::*;
    &[
        row("type", Id, Core, "kind of event, such as `auth.login`; the only field that must be there"),
        row("time", Time, Core, "when it happened, by the sender's clock; if missing, when we received it"),
        row("status", Id, Core, "how it went"),
        row("severity", Id, Core, "how much it matters; if missing, what the table of kinds says"),
        row("producer", Producer, Core, "the program that sends, one name per sequence of numbers"),
        row("producer_seq", Ordinal, Core, "the producer's own counter, so that a gap is seen"),
        row(
            "organisation",
            Id,
            Ledger,
            "whose ledger it belongs in; the key it is sent with decides if both are there",
        ),
        row("id", Id, What, "another name for `source_id`; we mint our own id for every event"),
        row(
            "source_id",
            Id,
            What,
            "the sender's own id: recorded once per producer, however often it is sent",
        ),
        row("action", Text(256), What, "what was done, in the sender's words"),
        row("project", Id, What, "project, workspace or team it is charged to"),
        row("environment", Id, What, "production, staging and the like"),
        row("app_version", Id, What, "version of the application"),
        row("request_id", Id, What, "the request it belongs to"),
        row("trace_id", Id, What, "the trace it belongs to"),
        row("span_id", Id, What, "the span it is"),
        row("parent_span_id", Id, What, "the span it is inside"),
        row("retention", Class, What, "retention class asked for"),
        row("message", Text(65_536), Content, "a sentence for people"),
        row("actor", Block, Who, "who did it, as far as it was authenticated"),
        row("actor.type", Id, Who, "user, service, api_key, agent, system, anonymous"),
        row("actor.id", Id, Who, "stable id"),
        row("actor.email", Id, Who, "address"),
        row("actor.name", Text(256), Who, "name for people"),
        row("actor.ip", Ip, Who, "where it came from"),
        row("actor.user_agent", Text(1024), Who, "client program"),
        row("actor.api_key_hash", Fingerprint, Who, "hash of the API key; never the key"),
        row("actor.session_id", Id, Who, "log-in session or conversation"),
        row("actor.auth_method", Id, Who, "password, sso, api_key, mtls and the like"),
        row("actor.roles[]", Id, Who, "roles held at the time"),
        row("actor.claimed", Block, Who, "who the request said it was, which nobody checked"),
        row("actor.claimed.type", Id, Who, ""),
        row("actor.claimed.id", Id, Who, ""),
        row("actor.claimed.email", Id, Who, ""),
        row("actor.claimed.name", Text(256), Who, ""),
        row("actor.on_behalf_of[]", Block, Who, "for whom it acted, nearest first: the chain of delegation"),
        row("actor.on_behalf_of[].type", Id, Who, ""),
        row("actor.on_behalf_of[].id", Id, Who, ""),
        row("actor.on_behalf_of[].email", Id, Who, ""),
        row("actor.on_behalf_of[].name", Text(256), Who, ""),
        row("targets[]", Block, What, "what it was done to"),
        row("targets[].type", Id, What, "key, team, user, model, document and the like"),
        row("targets[].id", Id, What, "stable id"),
        row("targets[].name", Text(256), What, "name for people"),
        row("targets[].attributes", Open, What, "anything else about it"),
        row("changes", Block, Content, "what a change changed"),
        row("changes.before", Any, Content, "the values before it"),
        row("changes.after", Any, Content, "the values after it"),
        row("content", Block, Content, "captured text: erasable, and off unless a policy keeps it"),
        row("content.prompt", Any, Content, "what the model was sent"),
        row("content.response", Any, Content, "what the model answered"),
        row("content.input", Any, Content, "arguments of a tool, or a search's query"),
        row("content.output", Any, Content, "result of a tool, a stack trace"),
        row("llm", Block, What, "the model call"),
        row("llm.provider", Id, What, "openai, anthropic, aws.bedrock and the like"),
        row("llm.model", Id, What, "the model that answered"),
        row("llm.requested_model", Id, What, "the model that was asked for, where a router chose"),
        row("llm.model_version", Id, What, "version or snapshot of the model"),
        row("llm.operation", Id, What, "chat, embeddings, rerank and the like"),
        row("llm.tokens_input", Count, What, "tokens sent"),
        row("llm.tokens_output", Count, What, "tokens answered"),
        row("llm.tokens_total", Count, What, "tokens charged"),
        row("llm.tokens_cached", Count, What, "of the tokens sent, those read from the provider's cache"),
        row("llm.tokens_reasoning", Count, What, "of the tokens answered, those spent on reasoning"),
        row("llm.cost", Decimal, What, "what it cost"),
        row("llm.currency", Id, What, "currency of the cost; USD if missing"),
        row("llm.latency_ms", Number, What, "milliseconds from request to the end of the answer"),
        row("llm.time_to_first_token_ms", Number, What, "milliseconds to the first token"),
        row("llm.stream", Bool, What, "whether the answer was streamed"),
        row("llm.cache_hit", Bool, What, "whether the gateway answered from its cache"),
        row("llm.response_id", Id, What, "the provider's id of the answer"),
        row("llm.prompt_fingerprint", Fingerprint, What, "keyed fingerprint of the prompt"),
        row("llm.response_fingerprint", Fingerprint, What, "keyed fingerprint of the answer"),
        row("llm.finish_reasons[]", Id, What, "why it stopped, one for each choice"),
        row("llm.parameters", Open, What, "temperature, top_p, max_tokens and the like"),
        row("llm.documents[]", Block, What, "documents retrieved for it"),
        row("llm.documents[].id", Id, What, ""),
        row("llm.documents[].score", Number, What, "relevance"),
        row("llm.documents[].source", Id, What, "index or store it came from"),
        row("llm.documents[].name", Text(1024), What, "title"),
        row("llm.tools[]", Block, What, "tools the model called"),
        row("llm.tools[].name", Id, What, ""),
        row("llm.tools[].id", Id, What, "id of the call"),
        row("llm.tools[].server", Id, What, "MCP server"),
        row("llm.tools[].status", Id, What, "how the call went"),
        row("llm.guardrails[]", Block, What, "guardrails that had a say"),
        row("llm.guardrails[].name", Id, What, ""),
        row("llm.guardrails[].provider", Id, What, "who runs it"),
        row("llm.guardrails[].mode", Id, What, "pre_call, post_call, during_call and the like"),
        row(
            "llm.guardrails[].verdict",
            Id,
            What,
            "what it found: allow, deny, modify, warn, escalate, or its own word",
        ),
        row("llm.guardrails[].action", Id, What, "what was done about it: allow, block, modify, escalate"),
        row("llm.guardrails[].rule", Id, What, "rule or policy that was met"),
        row("llm.guardrails[].score", Number, What, "confidence"),
        row("llm.guardrails[].categories[]", Id, What, "categories that were met"),
        row("tool", Block, What, "the tool call, in the event of a tool call"),
        row("tool.name", Id, What, ""),
        row("tool.type", Id, What, "function, extension, datastore, mcp"),
        row("tool.server", Id, What, "MCP server"),
        row("tool.method", Id, What, "MCP method"),
        row("tool.call_id", Id, What, "id of the call"),
        row("tool.arguments_fingerprint", Fingerprint, What, "keyed fingerprint of the arguments"),
        row("tool.result_fingerprint", Fingerprint, What, "keyed fingerprint of the result"),
        row("tool.latency_ms", Number, What, "milliseconds it took"),
        row("agent", Block, What, "the agent that acted"),
        row("agent.id", Id, What, ""),
        row("agent.name", Text(256), What, ""),
        row("agent.version", Id, What, ""),
        row("agent.parent_id", Id, What, "the agent that delegated to it"),
        row("agent.run_id", Id, What, "run, workflow or conversation"),
        row("agent.step", Count, What, "number of the step in the run"),
        row("approval", Block, What, "the approval, in the events of one"),
        row("approval.id", Id, What, ""),
        row("approval.policy", Id, What, "rule that asked for it"),
        row("approval.decision", Id, What, "granted, denied, expired"),
        row("approval.reason", Text(1024), What, "reason given"),
        row("error", Block, What, "what broke"),
        row("error.type", Id, What, "class of the error"),
        row("error.code", Id, What, "code of the error, as text"),
        row("error.message", Text(8192), What, "the error's own message"),
        row(
            "error.stack_fingerprint",
            Fingerprint,
            What,
            "hash of the stack trace: the same fault, the same hash",
        ),
        row("attributes", Open, What, "everything that has no field of its own"),
        row("redactions[]", Block, Redactions, "what was taken out before it was recorded"),
        row("redactions[].path", Text(1024), Redactions, "JSON pointer of the place"),
        row("redactions[].rule", Id, Redactions, "rule that took it out"),
        row("redactions[].action", Id, Redactions, "drop, mask, hash and the like"),
        row("redactions[].count", Count, Redactions, "how often"),
        row("redactions[].size", Count, Redactions, "bytes that were taken out"),
    ]
};

/// The field at a path such as `llm.documents[].id`. A path inside an object with any members, such as `attributes.tenant`,
/// gives that object.
pub fn find(path: &str) -> Option<&'static Field> {
    let mut node: &Node = &ROOT;
    for part in path.split('.') {
        let (name, list) = part.strip_suffix("[]").map_or((part, false), |name| (name, true));
        node = node.child(name).filter(|child| child.list == list)?;
        if node.shape == Shape::Open {
            break;
        }
    }
    node.field
}

/// The table as a tree, which the door walks along with the event.
pub(crate) struct Node {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) list: bool,
    pub(crate) section: Section,
    field: Option<&'static Field>,
    /// In order of name, as the members of an event are.
    pub(crate) children: Vec<Node>,
}

impl Node {
    pub(crate) fn child(&self, name: &str) -> Option<&Node> {
        self.children.binary_search_by(|child| child.name.cmp(name)).ok().map(|at| &self.children[at])
    }
}

pub(crate) static ROOT: LazyLock<Node> = LazyLock::new(|| {
    let mut root = Node {
        name: "",
        shape: Shape::Block,
        list: false,
        section: Section::What,
        field: None,
        children: Vec::new(),
    };
    for field in FIELDS {
        let mut node = &mut root;
        let mut parts = field.path.split('.').peekable();
        while let Some(part) = parts.next() {
            let (name, list) = part.strip_suffix("[]").map_or((part, false), |name| (name, true));
            let at = match node.children.binary_search_by(|child| child.name.cmp(name)) {
                Ok(at) => at,
                Err(at) => {
                    // A block has its row before the rows of what is in it (a test sees to that).
                    assert!(parts.peek().is_none(), "{} has no row of its own before {}", name, field.path);
                    let (shape, section) = (field.shape, field.section);
                    let child = Node { name, shape, list, section, field: Some(field), children: Vec::new() };
                    node.children.insert(at, child);
                    at
                }
            };
            node = &mut node.children[at];
        }
    }
    root
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{otel, spec};

    #[test]
    fn every_row_is_found_by_its_path() {
        for field in FIELDS {
            assert!(
                std::ptr::eq(find(field.path).expect(field.path), field),
                "{} is there twice",
                field.path
            );
            if let Some((parent, _)) = field.path.rsplit_once('.') {
                assert_eq!(find(parent).expect(parent).section, field.section, "{}", field.path);
            }
        }
        assert_eq!(find("attributes.tenant.name").map(|f| f.path), Some("attributes"));
        assert!(find("llm.documents.id").is_none());
        assert!(find("nothing").is_none());
    }

    #[test]
    fn every_home_is_a_field() {
        for home in spec::HOMES.iter().filter(|home| !home.ours.is_empty()) {
            assert!(find(home.ours).is_some(), "{} has no home: {}", home.theirs, home.ours);
        }
        for name in otel::NAMES {
            assert!(find(name.ours).is_some(), "{} has no home: {}", name.otel, name.ours);
        }
    }
}
