//! Some thousand random operations under wasmtime; `cargo xtask model` runs more.

#[test]
fn random_plans_leave_what_a_plain_model_and_the_disk_have() {
    match mountfs_tests::model::run(10_000, 1) {
        Ok(steps) => println!("{steps} operations from seed 1"),
        Err(error) => panic!("{error}"),
    }
}
