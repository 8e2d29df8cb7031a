;; Makes a command of QuickJS's reactor, which starts with a command line of `qjs` and leaves the rest to its caller. `FILE
;; ARGS`, `-e CODE ARGS` and the other options are its own; `-`, for standard input, is one here. The modules `std` and
;; `os` are globals.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "quickjs" "memory" (memory 1))
  (import "quickjs" "_initialize" (func $initialize))
  (import "quickjs" "malloc" (func $malloc (param i32) (result i32)))
  (import "quickjs" "qjs_init_argv" (func $qjs_init_argv (param i32 i32) (result i32)))
  (import "quickjs" "qjs_get_context" (func $qjs_get_context (result i32)))
  (import "quickjs" "qjs_destroy" (func $qjs_destroy))
  (import "quickjs" "js_std_loop" (func $js_std_loop (param i32) (result i32)))
  (import "quickjs" "js_std_dump_error" (func $js_std_dump_error (param i32)))

  (func (export "_start")
    (local $sizes i32) (local $argc i32) (local $argv i32) (local $context i32)
    (call $initialize)
    (global.set $words (call $malloc (global.get $size)))
    (memory.init $words (global.get $words) (i32.const 0) (global.get $size))

    ;; Room for two more: an argument vector is used from where it starts.
    (local.set $sizes (call $malloc (i32.const 8)))
    (drop (call $args_sizes_get (local.get $sizes) (i32.add (local.get $sizes) (i32.const 4))))
    (local.set $argc (i32.load (local.get $sizes)))
    (local.set $argv (call $malloc (i32.mul (i32.const 4) (i32.add (local.get $argc) (i32.const 2)))))
    (drop (call $args_get
      (i32.add (local.get $argv) (i32.const 8)) (call $malloc (i32.load offset=4 (local.get $sizes)))))

    (if (call $is_dash (local.get $argc) (i32.load offset=12 (local.get $argv)))
      (then
        ;; `app - ARGS` is `qjs --std -e READ ARGS`.
        (i32.store offset=12 (local.get $argv) (call $word (global.get $read)))
        (i32.store offset=8 (local.get $argv) (call $word (global.get $eval)))
        (local.set $argc (i32.add (local.get $argc) (i32.const 2))))
      (else
        ;; `app ARGS` is `qjs --std ARGS`.
        (local.set $argv (i32.add (local.get $argv) (i32.const 4)))
        (local.set $argc (i32.add (local.get $argc) (i32.const 1)))))
    (i32.store offset=4 (local.get $argv) (call $word (global.get $std)))
    (i32.store (local.get $argv) (call $word (global.get $qjs)))

    (if (call $qjs_init_argv (local.get $argc) (local.get $argv)) (then (call $end (global.get $exit_1))))
    (local.set $context (call $qjs_get_context))
    (if (call $js_std_loop (local.get $context))
      (then
        (call $js_std_dump_error (local.get $context))
        (call $qjs_destroy)
        (call $end (global.get $exit_1))))
    (call $qjs_destroy)
    (call $end (global.get $exit_0)))

  ;; Ends as C does, what is buffered is written: only a script can say so, and by now there is no interpreter.
  (func $end (param $exit i32)
    (local $argv i32)
    (local.set $argv (call $malloc (i32.const 16)))
    (i32.store (local.get $argv) (call $word (global.get $qjs)))
    (i32.store offset=4 (local.get $argv) (call $word (global.get $std)))
    (i32.store offset=8 (local.get $argv) (call $word (global.get $eval)))
    (i32.store offset=12 (local.get $argv) (call $word (local.get $exit)))
    (drop (call $qjs_init_argv (i32.const 4) (local.get $argv)))
    (unreachable))

  ;; Whether there is a first argument, and it is `-`.
  (func $is_dash (param $argc i32) (param $first i32) (result i32)
    (if (result i32) (i32.lt_u (local.get $argc) (i32.const 2))
      (then (i32.const 0))
      (else (i32.eq (i32.load16_u (local.get $first)) (i32.const 0x2d)))))

  (func $word (param $offset i32) (result i32)
    (i32.add (global.get $words) (local.get $offset)))

  (data $words "qjs\00" "--std\00" "-e\00" "std.exit(0)\00" "std.exit(1)\00" "std.evalScript(std.in.readAsString())\00")
  (global $qjs i32 (i32.const 0))
  (global $std i32 (i32.const 4))
  (global $eval i32 (i32.const 10))
  (global $exit_0 i32 (i32.const 13))
  (global $exit_1 i32 (i32.const 25))
  (global $read i32 (i32.const 37))
  (global $size i32 (i32.const 75))
  (global $words (mut i32) (i32.const 0)))
