//! The short form of `bench -- chaos`.

use std::process::Command;

use e2e::runtime::embedded_only;
use e2e::tool;

#[test]
fn what_was_acknowledged_outlives_whatever_goes_wrong() {
    let is_here = embedded_only("what is killed is the embedded runtime");
    if !is_here || tool::find(&["redis-server"]).is_none() {
        return;
    }
    let mut chaos = Command::new(env!("CARGO_BIN_EXE_bench"));
    let output = chaos.args(["chaos", "--seconds", "25"]).output().unwrap();
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "{}", said.concat());
}
