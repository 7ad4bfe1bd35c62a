//! What is written from the table is current, and what is deployed is what was written.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Case;
use crate::config::example::example;
use crate::config::reference::reference;
use crate::config::schema::schema;
use crate::config::settings::{SETTINGS, Short, TABLES};
use crate::config::shape::Shape;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default()
}

/// Compares, or writes anew if `UPDATE_EXPECT` is set.
#[track_caller]
fn current(path: &str, text: &str) {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(root().join(path), text).unwrap();
    }
    assert!(read(path) == text, "{path} is stale: run UPDATE_EXPECT=1 cargo test -p cli");
}

/// The manifest with another configuration in its ConfigMap.
fn with_configuration(manifest: &str, configuration: &str) -> String {
    const KEY: &str = "  indelible.toml: |\n";
    let start = manifest.find(KEY).expect("the ConfigMap holds indelible.toml") + KEY.len();
    let end = start + manifest[start..].find("---\n").expect("other objects follow");
    let indented: String = configuration
        .lines()
        .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") })
        .collect();
    format!("{}{indented}{}", &manifest[..start], &manifest[end..])
}

/// What a reader of YAML takes out of the ConfigMap.
fn configuration_of(manifest: &str) -> String {
    let block = manifest.split("  indelible.toml: |\n").nth(1).unwrap();
    let lines = block.lines().take_while(|line| line.is_empty() || line.starts_with("    "));
    lines.map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line))).collect()
}

#[test]
fn the_example_is_current() {
    current("deploy/indelible.toml", &example());
}

#[test]
fn the_reference_is_current() {
    current("docs/reference/configuration.md", &reference());
}

#[test]
fn the_config_map_holds_the_example_byte_for_byte() {
    let manifest = with_configuration(&read("deploy/kubernetes.yaml"), &example());
    current("deploy/kubernetes.yaml", &manifest);
    assert!(configuration_of(&read("deploy/kubernetes.yaml")) == example());
}

#[test]
fn the_example_is_accepted() {
    let config = Case::file(&example()).config();
    assert_eq!(config, Case::new().config(), "what the example says aloud are the defaults");
    let config = Case::file(&configuration_of(&read("deploy/kubernetes.yaml"))).config();
    assert_eq!(config, Case::new().config());
}

/// Also with every line that is a comment.
#[test]
fn every_line_of_the_example_can_be_used() {
    let mut opened = 0;
    let text: String = example()
        .lines()
        .map(|line| {
            let setting = line.strip_prefix("# ").filter(|rest| {
                SETTINGS.iter().any(|setting| rest.starts_with(&format!("{} = ", setting.name())))
            });
            opened += usize::from(setting.is_some());
            format!("{}\n", setting.unwrap_or(line))
        })
        .collect();
    assert_eq!(opened, SETTINGS.len() - 3);
    let (effective, problems) = Case::file(&text).load();
    assert_eq!(problems, []);
    for setting in SETTINGS {
        assert_eq!(effective.entry(setting.path).held, Some(setting.example()), "{}", setting.path);
    }
}

#[test]
fn every_setting_is_documented() {
    let (reference, example) = (reference(), example());
    let mut tables = BTreeSet::new();
    for setting in SETTINGS {
        assert!(reference.contains(&format!("\n| `{}` | ", setting.path)), "{}", setting.path);
        assert!(example.contains(&format!("{} = ", setting.name())), "{}", setting.path);
        assert!(setting.about.len() > 5 && setting.about.ends_with('.'), "{}", setting.path);
        assert!(!setting.example.is_empty(), "{} has no example", setting.path);
        if let Shape::Rows(columns) = setting.shape {
            for column in columns {
                assert!(reference.contains(column.about), "{}[].{}", setting.path, column.path);
            }
        }
        match setting.short {
            Short::No => assert!(setting.flag.is_none()),
            Short::Same(name) | Short::Secret(name) => assert!(reference.contains(&format!("`{name}`"))),
        }
        // Tables stand together, as TOML wants them.
        let before = SETTINGS.iter().take_while(|other| other.path != setting.path).last();
        if before.is_none_or(|before| before.table() != setting.table()) {
            assert!(tables.insert(setting.table()), "{} stands in two places", setting.table());
        }
        let twice = SETTINGS.iter().filter(|other| other.path == setting.path).count();
        assert_eq!(twice, 1, "{}", setting.path);
    }
    let named: BTreeSet<&str> = TABLES.iter().map(|(name, _)| *name).collect();
    tables.remove("");
    assert_eq!(tables, named);
}

#[test]
fn the_schema_has_every_setting() {
    let schema = schema();
    for setting in SETTINGS {
        let pointer = format!("/properties/{}", setting.path.replace('.', "/properties/"));
        let property = schema.pointer(&pointer).unwrap_or_else(|| panic!("{pointer}"));
        assert_eq!(property.get("description").and_then(|about| about.as_str()), Some(setting.about));
        assert_eq!(property.get("default").is_some(), setting.default.is_some(), "{}", setting.path);
        assert_eq!(property.get("examples").unwrap().as_array().unwrap(), [setting.example().value()]);
        let table = pointer.rsplit_once("/properties").unwrap().0;
        let table = if table.is_empty() { &schema } else { schema.pointer(table).unwrap() };
        assert_eq!(
            table.get("additionalProperties").and_then(event::Value::as_bool),
            Some(false),
            "{pointer}"
        );
    }
}

/// What the container image, the unit and the manifest say is understood, and they say it of the same file.
#[test]
fn what_is_deployed_uses_the_example_and_names_that_exist() {
    let mut named = 0;
    let manifest = read("deploy/kubernetes.yaml");
    for path in ["deploy/Dockerfile", "deploy/indelible.service", "deploy/kubernetes.yaml"] {
        let text = read(path);
        assert!(text.contains("deploy/indelible.toml"), "{path} speaks of another configuration");
        assert!(text.contains("INDELIBLE_CONFIG"), "{path}");
        for (at, _) in text.match_indices("INDELIBLE_") {
            let name: String =
                text[at..].chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect();
            let is_setting = SETTINGS.iter().any(|setting| {
                setting.variable() == name
                    || matches!(setting.short, Short::Same(short) | Short::Secret(short) if short == name)
            });
            assert!(is_setting || name == "INDELIBLE_CONFIG" || name == "INDELIBLE__", "{path} sets {name}");
            named += 1;
        }
    }
    assert!(named > 20, "{named}");
    let dockerfile = read("deploy/Dockerfile");
    assert!(dockerfile.contains("\nUSER 10001"));
    let images = dockerfile
        .lines()
        .chain(manifest.lines())
        .filter_map(|line| line.strip_prefix("FROM ").or_else(|| line.trim().strip_prefix("image: ")));
    for image in images {
        assert!(!image.contains('/'), "{image} says from which registry; that is for whoever builds to say");
    }
}

/// What the image, the unit and the manifest put into the environment, over the example.
#[test]
fn what_is_deployed_passes_its_own_check() {
    let example = example();
    let key = "ab".repeat(32);
    let pod = |case: Case| {
        let kek = case.put("kek", &key).display().to_string();
        case.variable("INDELIBLE_DATA", "/var/lib/indelible").variable("INDELIBLE_KEY_FILE", &kek)
    };
    let unit = pod(Case::file(&example)).config();
    assert!(unit.server.listen.ip().is_loopback());
    let image = pod(Case::file(&example)).variable("INDELIBLE_LISTEN", "0.0.0.0:8080");
    assert!(
        image.problems()[0].contains("server.insecure"),
        "the image alone does not serve tokens in clear"
    );
    let manifest = image
        .variable("INDELIBLE__SERVER__INSECURE", "true")
        .variable("INDELIBLE__LOG__FORMAT", "json")
        .variable("INDELIBLE_BOOTSTRAP_TOKEN", "ind_0123456789abcdef0123456789abcdef");
    assert!(manifest.config().log.is_json);
}

#[test]
fn systemd_accepts_the_unit() {
    let verify =
        |unit: &Path| Command::new("systemd-analyze").arg("verify").arg("--man=no").arg(unit).output();
    let case = Case::new();
    // The program is not installed where tests run; any other will do for the check.
    let unit = read("deploy/indelible.service").replace("/usr/local/bin/indelible", "/bin/true");
    let unit = case.put("indelible.service", &unit);
    let Ok(output) = verify(&unit) else {
        return eprintln!("systemd-analyze is not installed");
    };
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !told.contains("indelible.service"), "{told}");
    // It would have told.
    let broken = case.put("broken.service", "[Service]\nExecStart=/bin/true\nProtectSytem=strict\n");
    let told = verify(&broken).unwrap();
    assert!(String::from_utf8_lossy(&told.stderr).contains("ProtectSytem"));
}
