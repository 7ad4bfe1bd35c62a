//! Data and measurements that no product code depends on.

pub mod data;
