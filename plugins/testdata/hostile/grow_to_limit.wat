;; It grows its memory page by page to the limit, and answers.
(module
  (memory (export "memory") 1)
  (data (i32.const 4096) "\12\00")
  (func (export "onething_alloc") (param i32) (result i32) (i32.const 32768))
  (func (export "onething_call") (param $at i32) (param $size i32) (result i64)
    (loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (i64.const 0x100000000002)))
