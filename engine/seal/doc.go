// Package seal keeps personal data readable only as long as a key exists: it seals bytes under a key per application or
// per person, and destroys that key when retention ends, which makes every copy of what it sealed unreadable, also in
// a log that forgets nothing.
//
// Invariants:
//
//   - A key lies in a file of its own, in a folder that is not the log's. The file holds the key wrapped by the operator's
//     key-encryption key, so neither the folder nor a backup of it is enough to read anything.
//   - [Store.Create] and [Store.Destroy] return when their work is on disk.
//   - Nothing is sealed under a key that does not exist: [Store.Seal] never makes one.
//   - What is sealed is bound to its key and to its place, the associated data: moved elsewhere it does not open.
//   - Sealed bytes begin with a byte that says how they were sealed, now always 1: AES-256-GCM with a random nonce, and for
//     streams AES-256-GCM-HKDF in segments of 1 MiB, both by Tink. Another algorithm gets another byte.
//   - A person is found by [Store.Digest] of the citizen number, under a secret of the store: without it the digest of
//     every number there is could be computed in minutes.
//
// A key is 32 random bytes, from which one key for bytes and one for streams are derived (HKDF, RFC 5869). An unwrapped
// one stays in memory while it is used, in a cache of bounded size.
package seal
