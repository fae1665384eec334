//! The domain: outcomes, reading a completion, the default prompt.
