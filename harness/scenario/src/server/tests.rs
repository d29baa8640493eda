use super::*;

const ROWS: &[SettingRow] = &[
    SettingRow { key: "pool.queue-len", kind: "integer 0..=1000000", default: "1024", doc: "" },
    SettingRow { key: "pool.hot.idle-ttl", kind: "duration", default: "none", doc: "" },
    SettingRow { key: "server.log", kind: "choice error|info", default: "info", doc: "" },
    SettingRow { key: "tools.*.description", kind: "text", default: "", doc: "" },
    SettingRow { key: "tools.*.input-schema", kind: "json", default: "{}", doc: "" },
    SettingRow { key: "tools.*.deadline", kind: "duration", default: "none", doc: "" },
];
const ALERT_ROWS: &[SettingRow] = &[
    SettingRow { key: "name", kind: "text", default: "", doc: "" },
    SettingRow { key: "exec", kind: "text", default: "none", doc: "" },
    SettingRow { key: "for", kind: "duration", default: "0s", doc: "" },
];

fn read(text: &str) -> Result<ServerFile, Vec<String>> {
    server("s.toml", text, ROWS, ALERT_ROWS).map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn every_table_is_read_and_values_are_canonical() {
    let file = read(concat!(
        "[pool]\nqueue-len = 0x10\nhot = { idle-ttl = \"2s\" }\n[server]\nlog = \"error\"\n",
        "[tools.echo]\ndescription = \"says it again\"\ndeadline = \"1s\"\n",
        "[tools.echo.input-schema]\ntype = \"object\"\nproperties = { n = { type = \"number\", minimum = 1.5 } }\nrequired = [\"n\"]\n",
        "[[alert]]\nname = \"a\"\n[[alert]]\nname = \"b\"\nfor = \"3s\"\nexec = [\"a b\", \"c\"]\n"
    ))
    .unwrap();
    let values = file.values();
    let get = |key: &str| values.get(key).map(String::as_str);
    assert_eq!((get("pool.queue-len"), get("pool.hot.idle-ttl"), get("server.log")), (Some("16"), Some("2000000000"), Some("error")));
    assert_eq!(get("tools.echo.deadline"), Some("1000000000"));
    let schema: Json = serde_json::from_str(get("tools.echo.input-schema").unwrap()).unwrap();
    assert_eq!((&schema["properties"]["n"]["minimum"], &schema["required"][0]), (&Json::from(1.5), &Json::from("n")));
    let alerts: Vec<_> = file.alerts.iter().map(|a| (a.line, a.values["name"].value.as_str(), a.values.len())).collect();
    assert_eq!(alerts, [(13, "a", 1), (15, "b", 3)]);
    assert_eq!(file.alerts[1].values["for"].value, "3000000000");
    assert_eq!(file.alerts[1].values["exec"].value, "[\"a b\",\"c\"]");
    assert_eq!(file.alerts[1].problem("s.toml", "for", "is odd").to_string(), "s.toml:17: alert: for: is odd");
    assert_eq!(file.problem("s.toml", "tools.echo", "is odd").to_string(), "s.toml:8: tools.echo: is odd");
}

#[test]
fn a_schema_may_be_json_text() {
    let file = read("[tools.echo]\ninput-schema = '{\"type\": \"object\"}'\n").unwrap();
    assert_eq!(file.settings["tools.echo.input-schema"].value, "{\"type\":\"object\"}");
}

#[test]
fn all_problems_come_at_once_with_their_lines() {
    let problems = read(concat!(
        "[pol]\nx = 1\n[pool]\nqueue-length = 3\nqueue-len = -1\nhot = 3\n[server]\nlog = \"loud\"\nlogs = 1\n",
        "[tools.echo]\ndeadlin = \"1s\"\ndeadline = \"1 parsec\"\ninput-schema = 'nope'\n[tools.none]\n[[alert]]\nnam = \"x\"\n"
    ))
    .unwrap_err();
    let says = [
        "s.toml:1: unknown table 'pol' (did you mean 'pool'?",
        "s.toml:4: unknown setting 'pool.queue-length' (did you mean 'pool.queue-len'?",
        "s.toml:5: pool.queue-len: -1 is out of range",
        "s.toml:6: 'pool.hot' is a table of settings",
        "s.toml:8: server.log: unknown choice 'loud'",
        "s.toml:9: unknown setting 'server.logs' (did you mean 'server.log'?",
        "s.toml:11: unknown setting 'tools.echo.deadlin' (did you mean 'tools.echo.deadline'?",
        "s.toml:12: tools.echo.deadline: '1 parsec' is not a duration",
        "s.toml:13: tools.echo.input-schema: the text is not JSON",
        "s.toml:14: [tools.none] is empty",
        "s.toml:16: unknown key 'alert.nam' (did you mean 'name'?",
    ];
    assert_eq!(problems.len(), says.len(), "{problems:#?}");
    for (problem, says) in problems.iter().zip(says) {
        assert!(problem.starts_with(says), "{problem}");
    }
}

#[test]
fn shaken_files_never_panic() {
    let text = "[pool]\nqueue-len = 3\n[tools.echo]\ninput-schema = { type = \"object\", n = [1, 2.5, true] }\n[[alert]]\nname = \"x\"\n";
    for cut in 0..text.len() {
        for with in ["", "[", "]]", "=", "\"", "'", "\n", "{", "0x", "\u{7f}"] {
            if text.is_char_boundary(cut) {
                let _ = read(&format!("{}{with}{}", &text[..cut], &text[cut..]));
                let _ = read(&format!("{}{with}", &text[..cut]));
            }
        }
    }
}
