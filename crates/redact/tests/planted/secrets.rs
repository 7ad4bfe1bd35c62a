//! Secrets to plant, in the forms in which they are written. No real ones; taken apart, so that scanners of sources do not
//! cry out. The tests of the API and of the real binary plant the same.

/// What is written, and the part of it that must be gone.
pub(crate) const SECRETS: &[(&str, &str)] = &[
    ("password=hunter2-plum-Orchard", "hunter2-plum-Orchard"),
    ("4111111111111111", "4111111111111111"),
    ("DE89370400440532013000", "DE89370400440532013000"),
    (
        concat!("sk-proj-", "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9"),
        "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9",
    ),
    (
        concat!("sk-ant-api03-", "Zk3vQ9tYpL1xWc8RbN5mHs2JdF7gUaE4oKiTqXyV"),
        "Zk3vQ9tYpL1xWc8RbN5mHs2JdF7gUaE4oKiTqXyV",
    ),
    (concat!("ghp_", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17"), "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17"),
    (concat!("AKIA", "IOSFODNN7EXAMPLE"), "IOSFODNN7EXAMPLE"),
    (concat!("xoxb-", "123456789012-1234567890123-aB3dE5fG7hJ9kL1mN3pQ5rS7"), "aB3dE5fG7hJ9kL1mN3pQ5rS7"),
    (concat!("sk_live_", "51aB3dE5fG7hJ9kL1mN3pQ5r"), "51aB3dE5fG7hJ9kL1mN3pQ5r"),
    (
        concat!(
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.",
            "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
        ),
        "eyJzdWIiOiIxMjM0NTY3ODkwIn0",
    ),
    (
        concat!(
            "-----BEGIN PRIVATE ",
            "KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----"
        ),
        "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
    ),
    ("postgres://app:s3cr3t-Plum@db.internal/prod", "s3cr3t-Plum"),
    ("Authorization: Bearer 9f86d081884c7d659a2feaa0c55ad015", "9f86d081884c7d659a2feaa0c55ad015"),
];
