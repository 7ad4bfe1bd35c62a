//! `docs/reference/access.md`, written from the tables.

use std::fmt::Write;

use crate::rights::{Permission, Role};
use crate::scope::Scope;

/// The reference of access: roles, permissions, scopes, and what a key looks like.
pub fn reference() -> String {
    let mut out = String::from(HEAD);
    write_all(&mut out).expect("writing to a string does not fail");
    out
}

const HEAD: &str = "\
<!-- Written from the tables in crates/access. To change it, change them and run `UPDATE_EXPECT=1 cargo test -p access`. -->

# Who may see what

A role holds in one organisation, or in all of them (`*`), which includes the ledger `system`.
Somebody with several roles may do what any of them may.
An API key has one role, and may narrow it with scopes: it may do what its role *and* one of its scopes allow.
Nobody hands out more than they have.

A refusal says what is missing, and is the same whether or not the organisation exists.

## Roles
";

const TAIL: &str = "
## Own events

A member sees the events whose `actor.id` is their user's id, or whose `actor.email` is their user's address.
Upper and lower case are one; numbers are compared as text.
`actor.claimed` and `actor.on_behalf_of` do not count: nobody checked them.
Of `config.*` and `audit.*` a member sees what they did themselves.
The same rows are behind every search, tail, export, count, facet and proof.
A member's key must belong to a user.

## Captured text

Without *read captured text*, the field `content` is left out of every answer.
Without *search text*, a question with free text, or about a field of `content`, is refused: what matches tells what a text says.
A key with scopes has both only with `content:read` (or `admin`).

## Keys

```
ind_live_0123456789AB_<43 characters of secret><6 of check>
```

* `live` or `test`: a word for people and for scanners of leaked secrets. Both work alike.
* The 12 characters after it are the key's id. They may be shown, and stay the same when the key is rotated.
* The secret is 32 bytes of chance to base 62. It is shown once; what is kept is HMAC-SHA-256 of the whole text.
* The check is CRC-32C of all before it, to base 62. A mistyped key is told apart without looking it up.

To find leaked keys: `ind_(live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}`.

A key may have a time from which and a time until which it works, and up to 64 networks that it may be used from.
When it is rotated, the old secret may go on working for a time.
A key that belongs to a user stops working when the user is disabled or deleted; it keeps its own role whatever roles the user is given or loses.
";

fn write_all(out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n| role | |\n|---|---|")?;
    for role in Role::ALL {
        writeln!(out, "| `{}` | {} |", role.name(), role.about())?;
    }
    writeln!(out, "\n## Permissions\n\n*own*: for their own events and views only.\n")?;
    write!(out, "| to … | what it is |")?;
    for role in Role::ALL {
        write!(out, " {} |", role.name())?;
    }
    writeln!(out, " scopes |\n|---|---|{}---|", "---|".repeat(Role::ALL.len()))?;
    for permission in Permission::ALL {
        write!(out, "| {} | {} |", permission.name(), permission.about())?;
        for role in Role::ALL {
            let may = match (role.may(permission), role.sees_own_only()) {
                (true, true) => "own",
                (true, false) => "yes",
                (false, _) => "",
            };
            write!(out, " {may} |")?;
        }
        let fits = |scope: &Scope| *scope != Scope::Admin && scope.permissions().contains(&permission);
        let scopes: Vec<_> =
            Scope::ALL.into_iter().filter(fits).map(|scope| format!("`{}`", scope.name())).collect();
        writeln!(out, " {} |", scopes.join(", "))?;
    }
    writeln!(out, "\nThe scope `admin` is everything the role may.")?;
    out.write_str(TAIL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn the_committed_reference_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/access.md");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(path, reference()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == reference(), "{path} is stale: run UPDATE_EXPECT=1 cargo test -p access");
    }
}
