//! Telemetry that the environment asks for. What is sent is tested in `crates/telemetry`.

use crate::sandbox::Sandbox;

/// What `up` says about an app that was never built, with an environment that asks for telemetry in a protocol.
fn up(environment: &[(&str, &str)]) -> String {
    let sandbox = Sandbox::new(&[]);
    let mut command = sandbox.command(&["up", "--no-build", "--listen", "127.0.0.1:0"]);
    let output = command.envs(environment.iter().copied()).output().unwrap();
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_build_without_telemetry_says_so() {
    let asked = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4318/v1/traces");
    let warning =
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set, but this build of the embedded runtime has no telemetry";
    let has_telemetry = cfg!(feature = "telemetry");
    let said = up(&[asked]);
    assert_eq!(said.contains(warning), !has_telemetry, "{said}");
    assert_eq!(said.contains("--features telemetry"), !has_telemetry, "{said}");
    // It is no reason not to start, but a protocol that cannot be spoken is one.
    assert!(said.contains("is not built"), "{said}");
    let said = up(&[asked, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
    assert_eq!(said.contains("is \"grpc\", but"), has_telemetry, "{said}");
    for quiet in [&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")][..], &[asked, ("OTEL_SDK_DISABLED", "true")]]
    {
        let said = up(quiet);
        assert!(!said.contains("OTEL_"), "{said}");
    }
}
