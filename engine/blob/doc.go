// Package blob keeps materials, results and other documents as bytes that are addressed by their digest.
//
// Invariants:
//
//   - The address is the SHA-256 of the bytes as they are stored, so what is evidence can be verified by who cannot read
//     it, and what comes back is verified while it is read.
//
//   - A blob that was acknowledged is on disk, file and folder; one that was not leaves nothing behind.
//
//   - The store does not know what it stores. What is personal is sealed on its way in and opened on its way out, by the
//     caller, who has the key:
//
//     sealed, err := keys.SealReader(ctx, key, upload, place)
//     ref, err := blobs.Put(ctx, sealed, seal.SealedSize(limit))
//
//     so that a plaintext never touches the disk, and never is in memory as a whole.
//
//   - Nothing is deleted: a sealed blob becomes unreadable when its key is destroyed.
package blob
