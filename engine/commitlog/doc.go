// Package commitlog is the append-only log of commits: the interface [Log], what it promises, and the form in which a
// commit is stored. It knows streams, versions, request ids and bytes, nothing of applications.
//
// Every backend promises the following; package logtest proves it.
//
//   - Acknowledged means on disk. When [Log.Append] returns a receipt, the commit survives the end of the process and
//     of the machine. After a failed write nobody knows what is on disk: the log then refuses every append with
//     [ErrStopped] until it is opened again.
//   - All or nothing. A commit over several streams is there in all of them or in none, for every reader, also after
//     a crash.
//   - Positions are dense: the first commit has position 1, each one the next number, in the order in which they
//     happened. They go on across epochs; a store that is restored from a backup begins a new epoch, because the
//     positions after the backup may have been seen by someone already.
//   - A version is the number of events in a stream. An append names the version that it expects, exactly; where the
//     stream has another one the commit is refused with [ErrConflict].
//   - A request id is for ever. Within its scope, which is the stream of the commit's first append, it names one
//     commit: the same id with the same digest returns the receipt of that commit, whatever version it expects now;
//     with another digest it is refused with [ErrRequestReused]. A refused append does not use its id up.
//   - Readers see acknowledged commits only, in order, and none of them twice.
//
// A caller looks its request id up before it decides ([Log.Lookup]), so that a repeated command is answered without
// deciding again; Append checks once more, because two of them may come at the same time.
package commitlog
