;; What this build of MicroPython wants of its host besides WASI, for its module `host`: no host, so no calls.
(module
  (func (export "host_result_cap") (result i32) (i32.const 0))
  (func (export "host_call") (param i32 i32 i32 i32 i32 i32) (result i32) (unreachable)))
