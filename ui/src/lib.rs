//! Serves the browser UI: a Spin component.
