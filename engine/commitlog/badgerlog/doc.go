// Package badgerlog keeps a commit log in a folder of its own, on Badger: the embedded backend of
// [commitlog.Log], for one process on one machine.
//
// One goroutine writes. It takes what has gathered while the last group was synced, checks each commit against the
// heads of its streams and the request ids, writes all of them in one transaction, and answers when that is on disk:
// Badger does not share a sync among concurrent transactions.
//
// Keys, all numbers big-endian:
//
//	h                                      → onething.log.v1.Header
//	c <position>                           → onething.log.v1.Commit, the bytes that evidence is made of
//	v <stream>                             → version of the stream
//	s <stream> <last version of an append> → position of the commit that made it
//	r <scope> <request id>                 → position of the commit that was made under it
//
// A stream stands in a key as its length and its bytes, so that no name is the beginning of another one. A stream is
// read by seeking the first append whose last version is new enough: reading it touches no other stream's commits
// but those that span both.
//
// What a reader sees ends at the last acknowledged position, not at what Badger holds: a commit whose sync failed, or
// has not returned, is not there.
//
// Badger writes through memory maps of sparse files, so a full disk kills the process instead of failing a write. The
// log therefore watches the free space and refuses to open, and to append, while there is still room for the writes that
// Badger does on its own.
package badgerlog
