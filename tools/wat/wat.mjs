// node wat.mjs IN OUT assembles every .wat of a folder into another one, and notes in OUT/wat.sum which text became what.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import wabt from "wabt";

const [from, to] = process.argv.slice(2);
const features = { simd: true, threads: true, bulk_memory: true, reference_types: true, multi_value: true };
const { parseWat } = await wabt();
mkdirSync(to, { recursive: true });
const sums = [];
for (const name of readdirSync(from).filter((n) => n.endsWith(".wat")).sort()) {
  const text = readFileSync(join(from, name), "utf8");
  const module = parseWat(name, text, features);
  module.resolveNames();
  const { buffer } = module.toBinary({ write_debug_names: false, canonicalize_lebs: true });
  writeFileSync(join(to, name.replace(/\.wat$/, ".wasm")), buffer);
  const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");
  sums.push(`${digest(text)} ${digest(buffer)} ${name.slice(0, -4)}\n`);
}
writeFileSync(join(to, "wat.sum"), sums.join(""));
