// Package draft keeps applications before they are filed: mutable documents with an owner, a revision and an expiry,
// saved while a person types and resumed on another device.
//
// Drafts are not history, so they are not in the log. Invariants:
//
//   - What a draft holds of persons is sealed from the first save with the key of the application that it may become.
//     The key is made before the first save and destroyed when the draft is deleted or has expired, but never once the
//     log has a stream with the draft's id: then it is the application's.
//   - A draft whose id has a stream in the log is gone, also if a crash kept [Store.Submit] from removing it.
//   - A save names the revision that it was made on, and is on disk when it is acknowledged. A repeated request within
//     the last [Requests] of a draft changes nothing and gets the revision that it made.
//   - Those with whom a draft is to be submitted find it among theirs. What they confirm is noted under the revision that
//     was shown to them, and void with the next save.
//   - Expired drafts cannot be read; [Store.Sweep] removes them with their keys.
//
// Keys of the store, numbers big-endian, the owner with its length in front:
//
//	d <id>                          → onething.application.v1.StoredDraft
//	o <owner> <^saved at> <id>      → nothing; an owner's drafts, the last saved first; also under each of those with
//	                                  whom a draft is to be submitted
//	x <expires at> <id>             → nothing; what expires first
//	c <digest of owner and request> → id, and digest of what was asked: a repeated creation finds its draft
//	k <id>                          → nothing; a key that belongs to no draft (any more) and is to be destroyed
package draft
