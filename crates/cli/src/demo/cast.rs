//! Who and what there is at Marlow & Finch: people, agents, keys, models and documents.
//!
//! Addresses are the ones set aside for documentation (RFC 5737, RFC 3849), and the domain is reserved (RFC 2606), so
//! that nothing here is anybody's.

use super::chance::mix;

pub(super) struct Person {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// Before the @.
    pub(super) mailbox: &'static str,
    pub(super) team: &'static str,
    pub(super) role: &'static str,
    pub(super) country: &'static str,
    pub(super) city: &'static str,
    /// Minutes by which clocks there are ahead of UTC.
    pub(super) ahead: i64,
    pub(super) home: &'static str,
    /// Model calls of a working day, about.
    pub(super) calls: u64,
}

impl Person {
    pub(super) fn email(&self) -> String {
        format!("{}@marlowfinch.example", self.mailbox)
    }

    /// Where the person's city has an office, the address that it is seen by.
    pub(super) fn office(&self) -> Option<&'static str> {
        OFFICES.iter().find(|(city, _)| *city == self.city).map(|(_, address)| *address)
    }

    pub(super) fn key(&self) -> &'static Key {
        KEYS.iter().find(|key| key.team == self.team).expect("each team has a key")
    }
}

const OFFICES: [(&str, &str); 4] = [
    ("Berlin", "198.51.100.10"),
    ("Amsterdam", "198.51.100.40"),
    ("Bengaluru", "198.51.100.70"),
    ("London", "2001:db8:4f:12::10"),
];

type Name = (&'static str, &'static str, &'static str);
type Part = (&'static str, &'static str);
type Place = (&'static str, &'static str, i64, &'static str);

#[rustfmt::skip]
const fn person((id, name, mailbox): Name, (team, role): Part, (country, city, ahead, home): Place, calls: u64) -> Person {
    Person { id, name, mailbox, team, role, country, city, ahead, home, calls }
}

#[rustfmt::skip]
pub(super) const PEOPLE: [Person; 25] = [
    person(("u-101", "Ada Lindqvist", "ada.lindqvist"), ("platform", "team_admin"), ("SE", "Stockholm", 60, "192.0.2.11"), 12),
    person(("u-102", "Tomás Ferreira", "tomas.ferreira"), ("platform", "developer"), ("PT", "Lisbon", 0, "192.0.2.12"), 26),
    person(("u-103", "Priya Raman", "priya.raman"), ("platform", "developer"), ("IN", "Bengaluru", 330, "192.0.2.13"), 20),
    person(("u-104", "Jonas Weber", "jonas.weber"), ("platform", "developer"), ("DE", "Berlin", 60, "192.0.2.14"), 28),
    person(("u-105", "Mei Tanaka", "mei.tanaka"), ("platform", "developer"), ("NL", "Amsterdam", 60, "192.0.2.15"), 24),
    person(("u-201", "Ines Moreau", "ines.moreau"), ("security", "security_admin"), ("FR", "Paris", 60, "192.0.2.21"), 6),
    person(("u-202", "Samir Haddad", "samir.haddad"), ("security", "security_admin"), ("DE", "Berlin", 60, "192.0.2.22"), 9),
    person(("u-203", "Olivia Grant", "olivia.grant"), ("security", "auditor"), ("GB", "London", 0, "192.0.2.23"), 4),
    person(("u-301", "Chen Wei", "chen.wei"), ("data", "team_admin"), ("NL", "Amsterdam", 60, "192.0.2.31"), 14),
    person(("u-302", "Marta Kowalska", "marta.kowalska"), ("data", "developer"), ("PL", "Warsaw", 60, "192.0.2.32"), 20),
    person(("u-303", "Elif Demir", "elif.demir"), ("data", "developer"), ("DE", "Berlin", 60, "192.0.2.33"), 22),
    person(("u-304", "Femi Okafor", "femi.okafor"), ("data", "developer"), ("GB", "London", 0, "2001:db8:7c:1::34"), 18),
    person(("u-401", "Hugo Petit", "hugo.petit"), ("product", "member"), ("FR", "Paris", 60, "192.0.2.41"), 10),
    person(("u-402", "Kaori Sato", "kaori.sato"), ("product", "member"), ("DE", "Berlin", 60, "192.0.2.42"), 12),
    person(("u-403", "Liam Byrne", "liam.byrne"), ("product", "member"), ("IE", "Dublin", 0, "192.0.2.43"), 9),
    person(("u-404", "Rosa Almeida", "rosa.almeida"), ("product", "team_admin"), ("PT", "Lisbon", 0, "192.0.2.44"), 11),
    person(("u-405", "Noah Carter", "noah.carter"), ("product", "member"), ("US", "Austin", -360, "192.0.2.45"), 12),
    person(("u-501", "Gita Nair", "gita.nair"), ("support", "member"), ("IN", "Bengaluru", 330, "192.0.2.51"), 16),
    person(("u-502", "Dara Quinn", "dara.quinn"), ("support", "team_admin"), ("IE", "Dublin", 0, "192.0.2.52"), 13),
    person(("u-503", "Pedro Castro", "pedro.castro"), ("support", "member"), ("ES", "Madrid", 60, "192.0.2.53"), 15),
    person(("u-504", "Vera Novák", "vera.novak"), ("support", "member"), ("CZ", "Prague", 60, "192.0.2.54"), 15),
    person(("u-601", "Anna Rossi", "anna.rossi"), ("legal", "member"), ("IT", "Milan", 60, "192.0.2.61"), 8),
    person(("u-602", "Ben Schmidt", "ben.schmidt"), ("legal", "billing_admin"), ("DE", "Berlin", 60, "192.0.2.62"), 5),
    person(("u-603", "Tara Jansen", "tara.jansen"), ("legal", "member"), ("NL", "Amsterdam", 60, "192.0.2.63"), 6),
    person(("u-901", "Marek Dvořák", "marek.dvorak"), ("contractors", "contractor"), ("CZ", "Brno", 60, "192.0.2.91"), 14),
];

/// A person of the table above.
pub(super) fn who(id: &str) -> &'static Person {
    PEOPLE.iter().find(|person| person.id == id).expect("a person of the table")
}

/// A program that calls models on its own account or on somebody's behalf.
pub(super) struct Agent {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// As in `actor.type`.
    pub(super) kind: &'static str,
    pub(super) version: &'static str,
    pub(super) address: &'static str,
    pub(super) project: &'static str,
}

#[rustfmt::skip]
const fn agent(
    id: &'static str, name: &'static str, kind: &'static str, version: &'static str, address: &'static str,
    project: &'static str,
) -> Agent {
    Agent { id, name, kind, version, address, project }
}

pub(super) const SUPPORT_BOT: Agent =
    agent("svc-support-bot", "Support bot", "service", "4.12.0", "10.20.0.11", "support");
pub(super) const CODE_PILOT: Agent =
    agent("agt-code-pilot", "Code pilot", "agent", "1.9.3", "10.20.0.21", "engineering");
pub(super) const CONTRACT_REVIEW: Agent =
    agent("agt-contract-review", "Contract review", "agent", "0.8.1", "10.20.0.31", "legal");
pub(super) const CLAUSE_FINDER: Agent =
    agent("agt-clause-finder", "Clause finder", "agent", "0.8.1", "10.20.0.32", "legal");
pub(super) const NIGHTLY_DIGEST: Agent =
    agent("svc-nightly-digest", "Nightly digest", "service", "2.3.0", "10.20.0.41", "analytics");

impl Agent {
    pub(super) fn key(&self) -> &'static Key {
        // The clause finder works with the key of the agent that it works for.
        let owner = if self.id == CLAUSE_FINDER.id { CONTRACT_REVIEW.id } else { self.id };
        KEYS.iter().find(|key| key.team == owner).expect("each agent has a key")
    }
}

/// A virtual key of the gateway.
pub(super) struct Key {
    pub(super) id: &'static str,
    /// Team or agent whose key it is.
    pub(super) team: &'static str,
}

impl Key {
    /// What the gateway knows the key by.
    pub(super) fn hash(&self) -> String {
        let seed = self.id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        (1..=4).map(|n| format!("{:016x}", mix(seed.wrapping_mul(n)))).collect()
    }
}

pub(super) const CONTRACTOR_KEY: &Key = &KEYS[6];

pub(super) const KEYS: [Key; 11] = [
    Key { id: "vk-platform", team: "platform" },
    Key { id: "vk-security", team: "security" },
    Key { id: "vk-data", team: "data" },
    Key { id: "vk-product", team: "product" },
    Key { id: "vk-support", team: "support" },
    Key { id: "vk-legal", team: "legal" },
    Key { id: "vk-contractor-etl", team: "contractors" },
    Key { id: "vk-support-bot", team: "svc-support-bot" },
    Key { id: "vk-code-pilot", team: "agt-code-pilot" },
    Key { id: "vk-contract-review", team: "agt-contract-review" },
    Key { id: "vk-digest", team: "svc-nightly-digest" },
];

pub(super) struct Model {
    pub(super) provider: &'static str,
    pub(super) name: &'static str,
    /// US cents for a million tokens sent, and answered.
    pub(super) cents: (u64, u64),
    /// Milliseconds for a hundred tokens of answer.
    pub(super) pace: u64,
}

#[rustfmt::skip]
const fn model(provider: &'static str, name: &'static str, cents: (u64, u64), pace: u64) -> Model {
    Model { provider, name, cents, pace }
}

pub(super) const GPT_5: Model = model("openai", "gpt-5", (125, 1000), 1500);
pub(super) const GPT_5_MINI: Model = model("openai", "gpt-5-mini", (25, 200), 700);
pub(super) const SONNET: Model = model("anthropic", "claude-sonnet-4-5", (300, 1500), 1300);
pub(super) const OPUS: Model = model("anthropic", "claude-opus-4-1", (1500, 7500), 2600);
pub(super) const GEMINI_PRO: Model = model("gcp.vertex_ai", "gemini-2.5-pro", (125, 1000), 1400);
pub(super) const GEMINI_FLASH: Model = model("gcp.vertex_ai", "gemini-2.5-flash", (30, 250), 450);
pub(super) const MISTRAL: Model = model("mistral_ai", "mistral-large-2411", (200, 600), 1200);
pub(super) const BEDROCK_HAIKU: Model =
    model("aws.bedrock", "anthropic.claude-haiku-4-5-v1:0", (100, 500), 600);
pub(super) const EMBEDDING: Model = model("openai", "text-embedding-3-large", (13, 0), 0);

/// What a person's chat or editor asks, and how often.
pub(super) const CHAT: [&Model; 7] =
    [&GPT_5, &GPT_5_MINI, &SONNET, &OPUS, &GEMINI_PRO, &GEMINI_FLASH, &MISTRAL];
pub(super) const CHAT_WEIGHTS: [u64; 7] = [22, 25, 24, 3, 8, 12, 6];

pub(super) struct Document {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) source: &'static str,
}

const fn document(id: &'static str, name: &'static str, source: &'static str) -> Document {
    Document { id, name, source }
}

pub(super) const HANDBOOK: [Document; 12] = [
    document("kb-1004", "Return policy, Europe", "help-center"),
    document("kb-1011", "Delivery times by country", "help-center"),
    document("kb-1017", "Resetting the base station", "help-center"),
    document("kb-1023", "Warranty claims step by step", "help-center"),
    document("kb-1030", "Pairing with a voice assistant", "help-center"),
    document("kb-1038", "Firmware 7 release notes", "help-center"),
    document("eng-210", "Gateway runbook", "engineering-wiki"),
    document("eng-224", "On-call guide", "engineering-wiki"),
    document("eng-231", "Data retention of each service", "engineering-wiki"),
    document("prd-055", "Roadmap, next two quarters", "product-drive"),
    document("prd-061", "Interviews with installers", "product-drive"),
    document("prd-064", "Pricing experiment, results", "product-drive"),
];

pub(super) const CONTRACTS: [Document; 5] = [
    document("ctr-3301", "Framework agreement, Nordlicht Handel", "contracts"),
    document("ctr-3307", "Data processing agreement, Quantia Cloud", "contracts"),
    document("ctr-3312", "Lease of the Berlin office", "contracts"),
    document("ctr-3318", "Reseller terms, Castellón Hogar", "contracts"),
    document("ctr-3325", "Purchase of spare parts, Oriel Components", "contracts"),
];

/// What no contractor has any business with.
pub(super) const CUSTOMER_FILES: [Document; 4] = [
    document("crm-9001", "Customers, Europe, with addresses", "crm"),
    document("crm-9002", "Customers, payment reminders", "crm"),
    document("crm-9007", "Installers, contacts and rates", "crm"),
    document("crm-9013", "Complaints, last twelve months", "crm"),
];
