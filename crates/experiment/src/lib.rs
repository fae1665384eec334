//! Experiments over labelled key-value stores: the guest SDK.
