//! `keys`, `users` and `organisations`: who may ask, changed on a data folder that no server uses.
//!
//! Whoever can open the folder is an administrator: `indelible keys create --role admin --name recovery` is the way back in
//! for one who has no key. Every change is recorded, as it is through the API.

use std::process::ExitCode;
use std::time::Duration;

use access::{AllowList, Reach, Role, Scope, Viewer};
use event::{Value, time};
use indelible::{ApiKey, Indelible, NewKey, RoleGrant, User};

use crate::Data;
use crate::config::{Held, Shape};
use crate::output::{json, line, object, printable, short, table, text};

/// How long the secret before a rotation may work on: 30 days.
const OVERLAP_MOST_S: u64 = 30 * 24 * 3600;

#[derive(clap::Args)]
pub(crate) struct Keys {
    #[command(flatten)]
    on: On,
    #[command(subcommand)]
    what: KeysWhat,
}

#[derive(clap::Args)]
pub(crate) struct Users {
    #[command(flatten)]
    on: On,
    #[command(subcommand)]
    what: UsersWhat,
}

#[derive(clap::Args)]
pub(crate) struct Organisations {
    #[command(flatten)]
    on: On,
    #[command(subcommand)]
    what: OrganisationsWhat,
}

#[derive(clap::Args)]
struct On {
    #[command(flatten)]
    data: Data,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum KeysWhat {
    /// Keys of an organisation, or those that hold in all
    List {
        /// Organisation; `*` is all
        #[arg(long, default_value = "*", value_parser = reach)]
        organisation: Reach,
    },
    /// Create a key; it is shown once
    Create(NewKeyArgs),
    /// Give a key a new secret, which is shown once
    Rotate {
        /// Its id, as the list shows it
        id: String,
        /// How long the old secret works on, such as 1h; not at all if left out
        #[arg(long, value_parser = overlap)]
        overlap: Option<Duration>,
    },
    /// Withdraw a key, for good
    Revoke {
        /// Its id, as the list shows it
        id: String,
    },
}

#[derive(clap::Args)]
struct NewKeyArgs {
    /// Name, for people
    #[arg(long)]
    name: String,
    /// admin, member, viewer, auditor, writer or operator (docs/reference/access.md)
    #[arg(long, value_parser = role)]
    role: Role,
    /// Where it holds; `*` is everywhere
    #[arg(long, default_value = "*", value_parser = reach)]
    organisation: Reach,
    /// Only these of the role's rights
    #[arg(long, value_delimiter = ',', value_parser = scope)]
    scopes: Option<Vec<Scope>>,
    /// The user it belongs to
    #[arg(long)]
    user: Option<String>,
    /// When it ends, such as 2027-01-31T00:00:00Z
    #[arg(long, value_parser = moment_ms)]
    expires: Option<u64>,
    /// Addresses and networks it may be used from
    #[arg(long, value_delimiter = ',')]
    ip_allow: Vec<String>,
}

#[derive(clap::Subcommand)]
enum UsersWhat {
    /// Users with their roles
    List,
    /// Create a user
    Create {
        /// Stable id, such as the directory's
        id: String,
        /// Name, for people
        #[arg(long)]
        name: String,
        /// Address
        #[arg(long)]
        email: Option<String>,
    },
    /// Give a user a role
    Grant(GrantArgs),
    /// Take a role from a user
    Revoke(GrantArgs),
}

#[derive(clap::Args)]
struct GrantArgs {
    /// The user's id
    id: String,
    /// admin, member, viewer, auditor, writer or operator (docs/reference/access.md)
    #[arg(long, value_parser = role)]
    role: Role,
    /// Where; `*` is everywhere
    #[arg(long, value_parser = reach)]
    organisation: Reach,
}

#[derive(clap::Subcommand)]
enum OrganisationsWhat {
    /// Organisations there are
    List,
}

fn reach(text: &str) -> Result<Reach, String> {
    match Reach::parse(text) {
        Reach::One(name) => indelible::check_organisation(&name).map(|()| Reach::One(name)),
        Reach::All => Ok(Reach::All),
    }
}

fn role(name: &str) -> Result<Role, String> {
    Role::named(name).ok_or_else(|| format!("expected one of {}", Role::ALL.map(Role::name).join(", ")))
}

fn scope(name: &str) -> Result<Scope, String> {
    Scope::named(name).ok_or_else(|| format!("expected some of {}", Scope::ALL.map(Scope::name).join(", ")))
}

fn moment_ms(text: &str) -> Result<u64, String> {
    let ns = time::parse(text).map_err(str::to_owned)?;
    u64::try_from(ns / 1_000_000).map_err(|_| "expected a time after 1970".to_owned())
}

fn overlap(text: &str) -> Result<Duration, String> {
    match Shape::Time(1, OVERLAP_MOST_S).read_text(text) {
        Ok(Held::Time(time)) => Ok(time),
        Ok(_) => unreachable!("a time is a time"),
        Err(wrong) => Err(wrong.into_iter().map(|wrong| wrong.what).collect::<Vec<_>>().join("; ")),
    }
}

impl On {
    /// Does it on the opened folder, and closes that in order whatever comes of it.
    fn folder(&self, work: impl FnOnce(&Indelible) -> anyhow::Result<()>) -> anyhow::Result<ExitCode> {
        let product = self.data.open()?;
        let outcome = work(&product);
        let closed = product.close();
        outcome?;
        closed?;
        Ok(ExitCode::SUCCESS)
    }

    fn list(&self, columns: &[&str], rows: Vec<Value<'static>>) {
        if self.json {
            return json(&Value::Array(rows));
        }
        let mut all = vec![columns.iter().map(|&column| column.to_owned()).collect::<Vec<_>>()];
        all.extend(
            rows.iter().map(|row| {
                columns.iter().map(|column| short(&cell(row.get(column)), 50)).collect::<Vec<_>>()
            }),
        );
        table(&all);
    }

    fn say(&self, verb: &str, grant: &RoleGrant) {
        match self.json {
            true => json(&grant.to_value()),
            false => {
                let (role, reach) = (grant.role.name(), grant.organisation.as_str());
                line(format_args!("{} {verb} the role {role} in {reach}", printable(&grant.user)));
            }
        }
    }

    /// Shows a key's secret: the only time that anybody sees it.
    fn told(&self, key: &ApiKey, secret: String) {
        match self.json {
            true => json(&object(vec![("key", key.to_value()), ("secret", text(secret))])),
            false => {
                line(format_args!("{}  {}  {}", key.key_id, key.role.name(), printable(&key.name)));
                line(format_args!("The key, shown only now:\n\n    {secret}\n"));
            }
        }
    }
}

fn cell(value: Option<&Value<'_>>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.to_string(),
        Some(Value::Array(items)) => items.iter().map(|item| cell(Some(item))).collect::<Vec<_>>().join(", "),
        // A role of a user.
        Some(role @ Value::Object(_)) => {
            format!("{} in {}", cell(role.get("role")), cell(role.get("organisation")))
        }
        Some(other) => String::from_utf8_lossy(&other.to_jcs()).into_owned(),
    }
}

impl Keys {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let viewer = Viewer::command("keys");
        let on = &self.on;
        match self.what {
            KeysWhat::List { organisation } => on.folder(|product| {
                let keys = product.keys(&viewer, &organisation)?.into_iter().map(|(key, used_ms)| {
                    let mut shown = key.to_value();
                    if let (Value::Object(members), Some(used_ms)) = (&mut shown, used_ms) {
                        members.insert("last_used", time::format_ms(used_ms));
                    }
                    shown
                });
                let columns = ["key_id", "name", "role", "organisation", "created", "expires", "revoked"];
                on.list(&columns, keys.collect());
                Ok(())
            }),
            KeysWhat::Create(new) => {
                let new = new.key()?;
                on.folder(|product| {
                    let (key, secret) = product.create_key(&viewer, new)?;
                    on.told(&key, secret);
                    Ok(())
                })
            }
            KeysWhat::Rotate { id, overlap } => on.folder(|product| {
                let (key, secret) = product.rotate_key(&viewer, &id, overlap)?;
                on.told(&key, secret);
                Ok(())
            }),
            KeysWhat::Revoke { id } => on.folder(|product| {
                product.revoke_key(&viewer, &id)?;
                line(format_args!("revoked {}", printable(&id)));
                Ok(())
            }),
        }
    }
}

impl NewKeyArgs {
    fn key(self) -> anyhow::Result<NewKey> {
        let ip_allow = AllowList::parse(self.ip_allow.iter().map(String::as_str));
        Ok(NewKey {
            name: self.name,
            organisation: self.organisation,
            role: self.role,
            scopes: self.scopes,
            user: self.user,
            expires_ms: self.expires,
            ip_allow: ip_allow
                .map_err(|_| anyhow::anyhow!("--ip-allow: expected at most 64 addresses and networks"))?,
        })
    }
}

impl Users {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let viewer = Viewer::command("users");
        let on = &self.on;
        match self.what {
            UsersWhat::List => on.folder(|product| {
                let users =
                    product.users(&viewer)?.into_iter().map(|(user, roles)| with_roles(&user, &roles));
                on.list(&["id", "name", "email", "roles", "disabled"], users.collect());
                Ok(())
            }),
            UsersWhat::Create { id, name, email } => on.folder(|product| {
                let user = product.create_user(&viewer, User { id, name, email, ..User::default() })?;
                match on.json {
                    true => json(&user.to_value()),
                    false => line(format_args!("created {}", printable(&user.id))),
                }
                Ok(())
            }),
            UsersWhat::Grant(grant) => on.folder(|product| {
                let grant = grant.role_grant();
                product.grant_role(&viewer, grant.clone())?;
                on.say("has now", &grant);
                Ok(())
            }),
            UsersWhat::Revoke(grant) => on.folder(|product| {
                let grant = grant.role_grant();
                product.revoke_role(&viewer, grant.clone())?;
                on.say("has no longer", &grant);
                Ok(())
            }),
        }
    }
}

impl GrantArgs {
    fn role_grant(self) -> RoleGrant {
        RoleGrant { user: self.id, organisation: self.organisation, role: self.role }
    }
}

fn with_roles(user: &User, roles: &[RoleGrant]) -> Value<'static> {
    let mut shown = user.to_value();
    if let Value::Object(members) = &mut shown {
        let role = |grant: &RoleGrant| {
            object(vec![
                ("organisation", text(grant.organisation.as_str())),
                ("role", text(grant.role.name())),
            ])
        };
        members.insert("roles", Value::Array(roles.iter().map(role).collect()));
    }
    shown
}

impl Organisations {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let OrganisationsWhat::List = self.what;
        self.on.folder(|product| {
            let all = product.organisations_of(&Viewer::command("organisations"))?;
            let all = all.iter().map(|organisation| organisation.to_value()).collect();
            self.on.list(&["id", "name", "created", "deleted"], all);
            Ok(())
        })
    }
}
