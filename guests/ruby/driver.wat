;; Makes a command of Ruby's module, which is a library for JavaScript: it starts the interpreter with the command's
;; arguments as ARGV, has it evaluate the program below, and that ends the command.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "ruby" "memory" (memory 1))
  (import "ruby" "_initialize" (func $initialize))
  (import "ruby" "cabi_realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
  (import "ruby" "ruby-init: func(args: list<string>) -> ()" (func $ruby_init (param i32 i32)))
  (import "ruby" "rb-eval-string-protect: func(str: string) -> tuple<handle<rb-abi-value>, s32>"
    (func $eval (param i32 i32) (result i32)))

  ;; Ruby's own arguments, before those of the command: strings are UTF-8, there is nothing to run yet, and what follows
  ;; is not for Ruby.
  (data $options "ruby\00" "-EUTF-8\00" "-e_=0\00" "--\00")

  ;; `FILE ARGS`, `-e CODE ARGS`, and `-` or nothing for standard input. To evaluate is all that the module offers, so
  ;; what `ruby` does at its end is done here: it reports an exception, and exits with a status.
  (data $program
    "ARGV.shift\n"
    "status = begin\n"
    "  case $0 = ARGV.shift || '-'\n"
    "  when '-e' then eval ARGV.shift, TOPLEVEL_BINDING, '-e'\n"
    "  when '-' then eval $stdin.read, TOPLEVEL_BINDING, '-'\n"
    "  else load File.expand_path($0)\n"
    "  end\n"
    "  0\n"
    "rescue SystemExit => exit\n"
    "  exit.status\n"
    "rescue Exception => error\n"
    "  $stderr.puts error.full_message\n"
    "  1\n"
    "end\n"
    "$stdout.flush\n"
    "exit! status\00")

  (func (export "_start")
    (local $sizes i32) (local $argc i32) (local $list i32) (local $text i32) (local $at i32)
    (call $initialize)
    (local.set $sizes (call $allocate (i32.const 8)))
    (drop (call $args_sizes_get (local.get $sizes) (i32.add (local.get $sizes) (i32.const 4))))
    (local.set $argc (i32.load (local.get $sizes)))

    ;; All arguments, one after the other. The list has room for what `args_get` writes, and is made anew below.
    (local.set $list (call $allocate (i32.mul (i32.const 8) (i32.add (local.get $argc) (i32.const 4)))))
    (local.set $text (call $allocate (i32.add (i32.const 22) (i32.load offset=4 (local.get $sizes)))))
    (memory.init $options (local.get $text) (i32.const 0) (i32.const 22))
    (drop (call $args_get (local.get $list) (i32.add (local.get $text) (i32.const 22))))

    ;; As Ruby wants them: address and length of each, the NUL included.
    (local.set $argc (i32.add (local.get $argc) (i32.const 4)))
    (local.set $at (local.get $list))
    (loop $next
      (i32.store (local.get $at) (local.get $text))
      (loop $character
        (local.set $text (i32.add (local.get $text) (i32.const 1)))
        (br_if $character (i32.load8_u (i32.sub (local.get $text) (i32.const 1)))))
      (i32.store offset=4 (local.get $at) (i32.sub (local.get $text) (i32.load (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $at) (i32.add (local.get $list) (i32.mul (local.get $argc) (i32.const 8))))))
    (call $ruby_init (local.get $list) (local.get $argc))

    (local.set $text (call $allocate (i32.const 347)))
    (memory.init $program (local.get $text) (i32.const 0) (i32.const 347))
    (drop (call $eval (local.get $text) (i32.const 347)))
    (unreachable))

  (func $allocate (param $size i32) (result i32)
    (call $realloc (i32.const 0) (i32.const 0) (i32.const 4) (local.get $size))))
