#!/usr/bin/env bash
# Makes sure that a plugin in Rust can be built: Debian's compiler with the target wasm32-unknown-unknown, its linker and the crate
# prost. Takes a moment where they are there; else installs them, as root on Debian. Where that cannot be, it says what is missing,
# and everything but plugins in Rust works. `toolchain.sh --there` only asks, `toolchain.sh --test` runs the tests of the crate in this
# folder too.
set -euo pipefail

packages=(rustc cargo libstd-rust-dev-wasm32 lld-14 librust-prost-dev)
there() {
  [ -x /usr/bin/cargo ] && [ -x /usr/bin/rust-lld ] && compgen -G '/usr/share/cargo/registry/prost-0.11*' > /dev/null &&
    [ -d "$(/usr/bin/rustc --print target-libdir --target wasm32-unknown-unknown 2> /dev/null)" ]
}

if [ "${1:-}" = --there ]; then
  there
  exit
fi
if ! there && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  echo "installing from Debian: ${packages[*]}" >&2
  install() { DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${packages[@]}" > /dev/null; }
  # The list of packages may be old, or not there at all.
  install 2> /dev/null || { apt-get update -qq && install; } || true
fi
if ! there; then
  cat >&2 << END
==================================================================================================
 PLUGINS IN RUST ARE NEITHER BUILT NOR TESTED: this machine has no compiler for them.
 On Debian 12, as root:  apt-get install ${packages[*]}
==================================================================================================
END
  exit 0
fi

if [ "${1:-}" = --test ]; then
  cd "$(dirname "$0")"
  RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc exec /usr/bin/cargo test --offline --quiet \
    --config 'source.crates-io.replace-with="debian"' --config 'source.debian.directory="/usr/share/cargo/registry"'
fi
