//! The key-value explorer, REST and page: a Spin component.
