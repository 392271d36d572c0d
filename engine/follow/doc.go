// Package follow is the loop of every follower: it reads the log from a durable cursor, keeps a durable list of the work
// that follows from it, and does that work, at least once. Work has its effect, and comes back as a command.
//
// Invariants:
//
//   - The cursor and the list are one store and change in one transaction, so that no commit is forgotten and a slow
//     piece of work holds nobody up.
//   - Work leaves the list when its handler returns nil, which it does once its command is committed. After a crash it is
//     done again, so the id of a command is made of what the work is about, and a repeat changes nothing.
//   - Work that fails is tried again after a back-off. The attempt is counted on disk before it begins: work that takes
//     the process down is not tried first thing for ever. Work that fails with [Later] says when itself.
//   - A stream with a commit that the handler cannot digest, or with work that failed too often, is parked with an alarm:
//     an error in the log and a counter. The other streams go on. Opening the follower again tries parked streams again.
//   - Work of one lane waits for work of the same lane only.
//
// Keys of the store, numbers big-endian:
//
//	z                       → epoch and position of the last commit that was digested
//	i <key>                 → the work
//	q <lane> <time> <key>   → nothing; when the work of a lane is due, where the lane has its length in front
//	p <stream>              → why and since which version a stream is parked
package follow
