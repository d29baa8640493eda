//! TOML + matrix + selection -> Plan.
